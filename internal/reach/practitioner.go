package reach

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// maxRows bounds what one source reads, a thousand at a time.
	maxRows = 100_000
	// maxSelves bounds the roles of one practitioner.
	maxSelves = 10_000
)

// all reads every match of a search with the rights of the server itself.
func (r *Resolver) all(ctx context.Context, t fhir.ResourceType, params url.Values, each func(fhirstore.Record)) error {
	params.Set("_count", "1000")
	q, err := search.Parse(t, params, r.deps.Base)
	if err != nil {
		return err
	}
	decision := access.System("reach: who reaches whom", r.deps.Base)
	for read := 0; ; {
		page, err := r.deps.Backend.Search(ctx, decision, q)
		if read == 0 && unasked(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s for reach: %w", t, err)
		}
		for _, m := range page.Matches {
			each(m)
		}
		if read += len(page.Matches); page.Next == "" {
			return nil
		} else if read >= maxRows {
			return fmt.Errorf("%w: %d resources of the type %s, and more", ErrTooWide, read, t)
		}
		q.Cursor = page.Next
	}
}

// roles reads the roles of a practitioner, or the role that they are known as.
func (r *Resolver) roles(ctx context.Context, own fhir.Reference, f *found, each func(fhirstore.Tie)) error {
	return r.rolesBy(ctx, r.deps.Ties, own, f, each)
}

// rolesBy is the same by some rules.
func (r *Resolver) rolesBy(ctx context.Context, rules fhirstore.TieRules, own fhir.Reference, f *found, each func(fhirstore.Tie)) error {
	params := url.Values{"practitioner": {own.String()}}
	if own.Type == "PractitionerRole" {
		if !rules.Organizations && len(rules.Roles) == 0 { // there is nothing to learn
			return nil
		}
		params = url.Values{"_id": {own.ID}}
	}
	return r.all(ctx, "PractitionerRole", params, func(m fhirstore.Record) {
		for _, tie := range rules.Ties(m.Resource, r.deps.Base) {
			if tie.Agent == own && f.holds(tie.Span) {
				each(tie)
			}
		}
	})
}

// selves are the practitioner and the roles that practitioner has, and the Organizations
// at which they have them. A role that leads to everybody is noted.
func (r *Resolver) selves(ctx context.Context, u store.User, f *found) (list []fhir.Reference, at []string, err error) {
	own, ok := fhir.ParseReference(u.FHIRUser, "")
	if u.Role != store.RolePractitioner || !ok || own.Type != "Practitioner" && own.Type != "PractitionerRole" {
		return nil, nil, nil
	}
	list = []fhir.Reference{own}
	err = r.roles(ctx, own, f, func(tie fhirstore.Tie) {
		switch tie.LeadsTo.Type {
		case fhirstore.Everybody.Type: // no role leads to one patient
			f.everybody = true
		case "PractitionerRole":
			list = append(list, tie.LeadsTo)
		case "Organization":
			at = append(at, tie.LeadsTo.ID)
		}
	})
	if err == nil && len(list) > maxSelves {
		err = fmt.Errorf("%w: %d roles", ErrTooWide, len(list))
	}
	slices.Sort(at)
	return list, slices.Compact(at), err
}

// ofPractitioner calls each for the resources of a type that point to the
// practitioner or to a role of theirs, so many of those at a time. more are names and
// values of further parameters.
func (r *Resolver) ofPractitioner(ctx context.Context, selves []fhir.Reference, t fhir.ResourceType, parameter string, each func(fhir.Resource), more ...string) error {
	read := 0
	for some := range slices.Chunk(selves, maxNamed) {
		var names []string
		for _, ref := range some {
			names = append(names, ref.String())
		}
		params := url.Values{parameter: {strings.Join(names, ",")}}
		for i := 0; i+1 < len(more); i += 2 {
			params.Add(more[i], more[i+1])
		}
		err := r.all(ctx, t, params, func(m fhirstore.Record) {
			read++
			each(m.Resource)
		})
		if err != nil {
			return err
		}
		if read > maxRows {
			return fmt.Errorf("%w: %d resources of the type %s, and more", ErrTooWide, read, t)
		}
	}
	return nil
}

// tiedTo notes the patients to whom a resource leads from the practitioner now.
func (r *Resolver) tiedTo(u asker, resource fhir.Resource, way access.Ways, f *found) {
	for _, tie := range r.deps.Ties.Ties(resource, r.deps.Base) {
		if u.is[tie.Agent] && f.holds(tie.Span) {
			f.patient(tie.LeadsTo.ID, way)
		}
	}
}

func objects(v any) []fhir.Object {
	list, _ := v.([]any)
	var all []fhir.Object
	for _, item := range list {
		if o, ok := item.(fhir.Object); ok {
			all = append(all, o)
		}
	}
	return all
}
