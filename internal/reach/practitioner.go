package reach

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// maxRows bounds what one source reads, a thousand at a time.
const maxRows = 100_000

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

// selves are the practitioner and the roles that practitioner has.
func (r *Resolver) selves(ctx context.Context, u store.User) ([]fhir.Reference, error) {
	own, ok := fhir.ParseReference(u.FHIRUser, "")
	if u.Role != store.RolePractitioner || !ok || own.Type != "Practitioner" && own.Type != "PractitionerRole" {
		return nil, nil
	}
	list := []fhir.Reference{own}
	if own.Type == "PractitionerRole" {
		return list, nil
	}
	err := r.all(ctx, "PractitionerRole", url.Values{"practitioner": {own.String()}}, func(m fhirstore.Record) {
		if role := m.Resource.Tree(); role["active"] != false && r.current(role["period"]) {
			list = append(list, m.Resource.Reference())
		}
	})
	return list, err
}

// ofPractitioner calls each for the resources of a type that point to the
// practitioner or to a role of theirs.
func (r *Resolver) ofPractitioner(ctx context.Context, u store.User, t fhir.ResourceType, parameter string, each func(fhir.Resource)) error {
	selves, err := r.selves(ctx, u)
	if err != nil || len(selves) == 0 {
		return err
	}
	value := ""
	for i, ref := range selves {
		if i > 0 {
			value += ","
		}
		value += ref.String()
	}
	return r.all(ctx, t, url.Values{parameter: {value}}, func(m fhirstore.Record) { each(m.Resource) })
}

// current reports whether a Period, if there is one, includes this moment. A
// period that cannot be read does not.
func (r *Resolver) current(v any) bool {
	period, present := v.(fhir.Object)
	if !present {
		return v == nil
	}
	now := r.deps.Now()
	if start, ok := period["start"].(string); ok {
		if from, _, good := span(start); !good || now.Before(from) {
			return false
		}
	}
	if end, ok := period["end"].(string); ok {
		if _, to, good := span(end); !good || now.After(to) {
			return false
		}
	}
	return true
}

// span is the first and the last moment of a FHIR date or dateTime.
func span(s string) (from, to time.Time, ok bool) {
	for _, form := range []struct {
		layout string
		years  int
		months int
		days   int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {"2006-01-02", 0, 0, 1}} {
		if t, err := time.Parse(form.layout, s); err == nil {
			return t, t.AddDate(form.years, form.months, form.days).Add(-time.Nanosecond), true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, t, err == nil
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

func localReference(v any, base string) (fhir.Reference, bool) {
	o, _ := v.(fhir.Object)
	text, _ := o["reference"].(string)
	ref, ok := fhir.ParseReference(text, base)
	ref.Version = ""
	return ref, ok
}

func patientOf(v any, base string) []string {
	if ref, ok := localReference(v, base); ok && ref.Type == "Patient" {
		return []string{ref.ID}
	}
	return nil
}
