package reach

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// relatedPerson: the patient for whom the RelatedPerson stands that the user is, by the
// server's own record (fhirUser). The RelatedPerson says for whom, by which relationship, and
// how long; a parent stands for a child until the child comes of age.
func relatedPerson(ctx context.Context, r *Resolver, u asker, f *found) error {
	list, err := r.standing(ctx, u.User, f)
	for _, s := range list {
		f.patient(s.patient, access.ByRelatedPerson)
	}
	return err
}

// standing is that a RelatedPerson stands for a patient now.
type standing struct {
	patient string
	span    fhirstore.Span
	related fhir.Resource
}

// until is the end, if it has one.
func (s standing) until() time.Time {
	if end, ends := s.span.End(); ends {
		return end
	}
	return time.Time{}
}

func (r *Resolver) standing(ctx context.Context, u store.User, f *found) ([]standing, error) {
	own, ok := fhir.ParseReference(u.FHIRUser, "")
	if !standsForPatients(u) || !ok || own.Type != "RelatedPerson" || len(r.deps.Ties.Standing)+len(r.deps.Ties.Parents) == 0 {
		return nil, nil
	}
	var list, minors []standing
	err := r.named(ctx, "RelatedPerson", []string{own.ID}, func(related fhir.Resource) {
		for _, tie := range r.deps.Ties.Ties(related, r.deps.Base) {
			switch s := (standing{tie.LeadsTo.ID, tie.Span, related}); {
			case !f.holds(tie.Span):
			case tie.IsMinor():
				minors = append(minors, s)
			default:
				list = append(list, s)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return r.ofAge(ctx, list, minors, f)
}

// ofAge adds those who are still minors.
func (r *Resolver) ofAge(ctx context.Context, list, minors []standing, f *found) ([]standing, error) {
	var ids []string
	for _, m := range minors {
		ids = append(ids, m.patient)
	}
	err := r.named(ctx, "Patient", ids, func(patient fhir.Resource) {
		for _, tie := range r.deps.Ties.Ties(patient, r.deps.Base) {
			if tie.Agent != fhirstore.Minor(patient.ID()) || !f.holds(tie.Span) {
				continue
			}
			for _, m := range minors {
				if m.patient == patient.ID() {
					list = append(list, standing{m.patient, m.span.Within(tie.Span), m.related})
				}
			}
		}
	})
	return list, err
}

// named reads resources by their ids, so many at a time.
func (r *Resolver) named(ctx context.Context, t fhir.ResourceType, ids []string, each func(fhir.Resource)) error {
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), maxNamed) {
		err := r.all(ctx, t, url.Values{"_id": {strings.Join(some, ",")}}, func(m fhirstore.Record) { each(m.Resource) })
		if err != nil {
			return err
		}
	}
	return nil
}
