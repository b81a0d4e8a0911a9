package reach_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// picky is a backend before a server that does not answer some searches, by type, or
// sorted ones.
type picky struct {
	fhirstore.Backend
	unasked []fhir.ResourceType
	failing []fhir.ResourceType
	sorts   bool
}

func (b picky) Search(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	switch {
	case slices.Contains(b.failing, q.Type):
		return fhirstore.Page{}, &fhirstore.Failure{Status: 502, Cause: errors.New("test")}
	case slices.Contains(b.unasked, q.Type) || len(q.Sort) > 0 && !b.sorts:
		return fhirstore.Page{}, fhir.NewOutcome("error", "not-supported", "It does not answer this.")
	}
	return b.Backend.Search(ctx, d, q)
}

// Where another server holds the records and cannot be asked by one source, nobody is
// reached by it, and the others count; one that fails reaches nobody at all. What is
// shown is unsorted where it cannot be sorted.
//
// spec: ERR-46
func TestRecordsThatCannotBeAsked(t *testing.T) {
	c := open(t,
		`{"resourceType":"Patient","id":"by-gp","generalPractitioner":[{"reference":"Practitioner/doc"}],"name":[{"family":"B"}]}`,
		`{"resourceType":"Patient","id":"by-group","name":[{"family":"A"}]}`,
		`{"resourceType":"Group","id":"g","type":"person","actual":true,"managingEntity":{"reference":"Practitioner/doc"},"member":[{"entity":{"reference":"Patient/by-group"}}]}`)
	doc := store.User{ID: "doc", Role: store.RolePractitioner, FHIRUser: "Practitioner/doc"}
	for name, row := range map[string]struct {
		backend picky
		want    []string
		fails   bool
	}{
		"all":       {picky{sorts: true}, []string{"by-gp", "by-group"}, false},
		"no Groups": {picky{unasked: []fhir.ResourceType{"Group", "CareTeam", "PractitionerRole"}}, []string{"by-gp"}, false},
		"failing":   {picky{failing: []fhir.ResourceType{"Group"}}, nil, true},
	} {
		row.backend.Backend = c.backend
		r, err := reach.New(reach.Deps{Backend: row.backend, Now: noon.UTC, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Reach(t.Context(), doc)
		if (err != nil) != row.fails || !slices.Equal(got.Patients().List(), row.want) {
			t.Errorf("%s: %v, %v", name, got.Patients().List(), err)
		}
		shown, err := r.Recent(t.Context(), doc)
		if (err != nil) != row.fails || len(shown) != len(row.want) {
			t.Errorf("%s: shown %v, %v", name, shown, err)
		}
	}
	r, err := reach.New(reach.Deps{Backend: picky{Backend: c.backend, sorts: true, unasked: []fhir.ResourceType{"Patient"}}, Now: noon.UTC, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	if shown, more, err := r.Find(t.Context(), doc, reach.Search{Name: "A"}); err != nil || more || len(shown) != 0 {
		t.Errorf("a search that cannot be asked: %v %v %v", shown, more, err)
	}
	few, all := reach.Questions(fhirstore.TieRules{}), reach.Questions(everyRule)
	if len(few) == 0 || len(all) <= len(few) {
		t.Errorf("questions: %v, and by all rules %v", few, all)
	}
}
