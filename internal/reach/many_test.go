package reach_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/reach"
)

// crowd is a backend of so many patients of one practitioner, and nothing else.
type crowd int

func (n crowd) Search(_ context.Context, _ access.Decision, q search.Query) (page fhirstore.Page, _ error) {
	if q.Type != "Patient" {
		return page, nil
	}
	from, _ := strconv.Atoi(q.Cursor)
	to := min(from+q.Count, int(n))
	for i := from; i < to; i++ {
		id := fmt.Sprint("p", i)
		page.Matches = append(page.Matches, fhirstore.Record{Resource: fhir.Stored("Patient", id, []byte(patient(id, "")))})
	}
	if to < int(n) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

func (crowd) Read(context.Context, access.Decision, fhir.Reference) (fhirstore.Record, error) {
	return fhirstore.Record{}, fhirstore.ErrNotFound
}

func (crowd) VRead(context.Context, access.Decision, fhir.Reference) (fhirstore.Record, error) {
	return fhirstore.Record{}, fhirstore.ErrNotFound
}

// A large practice is reached whole. What is beyond all measure is an error of
// its own, never a part of the patients, and never the search's mistake.
func TestManyPatients(t *testing.T) {
	for _, row := range []struct {
		patients int
		want     error
	}{{30_500, nil}, {100_000, nil}, {100_001, reach.ErrTooWide}} {
		r, err := reach.New(reach.Deps{Backend: crowd(row.patients), Now: func() time.Time { return noon }, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		set, err := r.Reach(context.Background(), doctor())
		if !errors.Is(err, row.want) || errors.Is(err, fhirstore.ErrTooCostly) {
			t.Errorf("%d patients: %v", row.patients, err)
		}
		if row.want == nil && set.Patients().Len() != row.patients || row.want != nil && set.Patients().Len() != 0 {
			t.Errorf("%d patients: reaches %d", row.patients, set.Patients().Len())
		}
	}
}

// A practitioner with more roles than one search can name is led to the patients of
// all of them; patients of two are reached once.
func TestManyRoles(t *testing.T) {
	var all []string
	var want []string
	for i := range 450 {
		role := fmt.Sprint("r", i)
		all = append(all, `{"resourceType":"PractitionerRole","id":"`+role+`","practitioner":{"reference":"Practitioner/p1"}}`,
			patient(fmt.Sprint("p", i), `,"generalPractitioner":[{"reference":"PractitionerRole/`+role+`"},{"reference":"PractitionerRole/r449"}]`),
			team(fmt.Sprint("t", i), "active", fmt.Sprint("Patient/q", i), member("PractitionerRole/"+role, ""), ""))
		want = append(want, fmt.Sprint("p", i), fmt.Sprint("q", i))
	}
	slices.Sort(want)
	c := open(t, all...)
	if got := c.reaches(t, doctor()); !slices.Equal(got, want) {
		t.Errorf("reaches %d patients, want %d", len(got), len(want))
	}
}

// roles is a backend of so many roles of one practitioner, and nothing else.
type roles struct{ crowd }

func (r roles) Search(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	if q.Type != "PractitionerRole" {
		return fhirstore.Page{}, nil
	}
	q.Type = "Patient"
	page, err := r.crowd.Search(ctx, d, q)
	for i, m := range page.Matches {
		page.Matches[i].Resource = fhir.Stored("PractitionerRole", m.Resource.ID(), []byte(`{"practitioner":{"reference":"Practitioner/p1"}}`))
	}
	return page, err
}

func TestMoreRolesThanAnybodyHas(t *testing.T) {
	for n, want := range map[roles]error{{9_999}: nil, {10_000}: reach.ErrTooWide} {
		r, err := reach.New(reach.Deps{Backend: n, Now: func() time.Time { return noon }, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		if set, err := r.Reach(context.Background(), doctor()); !errors.Is(err, want) || set.Patients().Len() != 0 {
			t.Errorf("%d roles: %v", n, err)
		}
	}
}
