package fhirsql_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Names, criteria and needless creations on both databases.
//
// spec: RSX-05
// attack: B.67, B.83, B.84
func TestPlans(t *testing.T) {
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			load(t, s, of(about("1", "Patient/a"), about("2", "Patient/a"), about("3", "Patient/b")))
			subject := alone("a").subject()
			where := func(id string) *fhirstore.Condition {
				q, err := search.Parse("Observation", url.Values{"_id": {id}, "status": {"final"}}, base)
				if err != nil {
					t.Fatal(err)
				}
				return &fhirstore.Condition{Decision: access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: "Observation"}), Query: q}
			}
			create := func(more, name string) fhirstore.Write {
				r, err := fhir.ParseResource([]byte(`{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/a"}` + more + `}`))
				if err != nil {
					t.Fatal(err)
				}
				return fhirstore.Write{Code: fhir.Create, Ref: fhir.Reference{Type: "Observation"}, Content: r, FullURL: name,
					Decision: access.Decide(subject, fhir.Interaction{Code: fhir.Create, Type: "Observation"})}
			}
			write := func(list ...fhirstore.Write) ([]fhirstore.Written, error) { return s.Write(context.Background(), list) }

			needless := create("", "urn:uuid:x")
			needless.Where = where("1")
			pointing := create(`,"hasMember":[{"reference":"urn:uuid:x"},{"reference":"Observation?_id=2"}]`, "")
			pointing.References = map[string]fhirstore.Condition{"Observation?_id=2": *where("2")}
			done, err := write(pointing, needless)
			if err != nil || !done[1].Found || done[1].Created || done[1].Resource.ID() != "1" || !done[0].Created {
				t.Fatalf("%v %+v", err, done)
			}
			members, _ := done[0].Resource.Tree()["hasMember"].([]any)
			for i, want := range []string{"Observation/1", "Observation/2"} {
				if ref, _ := members[i].(fhir.Object); ref["reference"] != want {
					t.Errorf("reference %d: %v", i, ref)
				}
			}
			for name, row := range map[string]struct {
				where *fhirstore.Condition
				want  error
			}{
				"several": {where("1,2"), fhirstore.ErrMany}, "none": {where("none"), nil}, "another's": {where("3"), nil},
			} {
				w := create("", "")
				w.Where = row.where
				if done, err := write(w); !errors.Is(err, row.want) || err == nil && !done[0].Created {
					t.Errorf("%s: %v", name, err)
				}
			}
			for name, condition := range map[string]*fhirstore.Condition{"several": where("1,2"), "none": where("none"), "another's": where("3")} {
				w := create(`,"hasMember":[{"reference":"Observation?x"}]`, "")
				w.References = map[string]fhirstore.Condition{"Observation?x": *condition}
				if _, err := write(w); !errors.Is(err, fhirstore.ErrReference) {
					t.Errorf("a reference to %s: %v", name, err)
				}
			}
			gone := fhirstore.Write{Code: fhir.Delete, Ref: fhir.Reference{Type: "Observation"}, Where: where("2"),
				Decision: access.Decide(subject, fhir.Interaction{Code: fhir.Delete, Type: "Observation"})}
			again := gone
			again.Where, again.Ref.ID = nil, "2"
			if _, err := write(gone, again); !errors.Is(err, fhirstore.ErrTwice) {
				t.Errorf("twice: %v", err)
			}
			if done, err := write(gone); err != nil || !done[0].Deleted {
				t.Errorf("deleted by criteria: %v", err)
			}
			if _, err := write(gone); !errors.Is(err, fhirstore.ErrNotFound) {
				t.Errorf("nothing is left: %v", err)
			}
		})
	}
}

// Two that create what is not there yet: one does.
//
// attack: B.67
func TestOneOfTwoConditionalCreationsWins(t *testing.T) {
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s, subject := open(t), alone("a").subject()
			q, err := search.Parse("Observation", url.Values{"identifier": {"urn:i|1"}}, base)
			if err != nil {
				t.Fatal(err)
			}
			r, err := fhir.ParseResource([]byte(`{"resourceType":"Observation","subject":{"reference":"Patient/a"},"identifier":[{"system":"urn:i","value":"1"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			const callers = 8
			created := make(chan bool, callers)
			for range callers {
				go func() {
					done, err := s.Write(context.Background(), []fhirstore.Write{{Code: fhir.Create, Ref: fhir.Reference{Type: "Observation"}, Content: r,
						Decision: access.Decide(subject, fhir.Interaction{Code: fhir.Create, Type: "Observation"}),
						Where:    &fhirstore.Condition{Decision: access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: "Observation"}), Query: q}}})
					if err != nil {
						t.Error(err)
					}
					created <- err == nil && done[0].Created
				}()
			}
			won := 0
			for range callers {
				if <-created {
					won++
				}
			}
			if won != 1 {
				t.Errorf("%d were created", won)
			}
		})
	}
}
