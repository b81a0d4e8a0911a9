package compartment_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// FuzzOwners: whatever a resource holds, its owners are ids that it names, each
// once; types that are not about patients have none.
//
// spec: RSP-07
func FuzzOwners(f *testing.F) {
	for _, text := range []string{
		`{"resourceType":"Observation","subject":{"reference":"Patient/a"},"performer":[{"reference":"Patient/b"}]}`,
		`{"resourceType":"Appointment","participant":[{"actor":{"reference":"Patient/b"}},{"actor":null},5]}`,
		`{"resourceType":"Patient","id":"a","link":[{"other":{"reference":"Patient/b"}}]}`,
		`{"resourceType":"Coverage","beneficiary":{"reference":"https://ehr.example/fhir/Patient/a"}}`,
		`{"resourceType":"Group","member":[{"entity":{"reference":"Patient/a"}}]}`,
		`{"resourceType":"Observation","subject":[[{"reference":"Patient/b"}]]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := fhir.ParseResource(b)
		if err != nil {
			return
		}
		owners := compartment.Owners(r, base).Required
		if !slices.IsSorted(owners) || len(slices.Compact(slices.Clone(owners))) != len(owners) {
			t.Fatalf("%s: owners %v", b, owners)
		}
		if len(owners) > 0 && compartment.ClassOf(r.Type()) != compartment.Record {
			t.Fatalf("%s is about nobody: %v", b, owners)
		}
		for _, id := range owners {
			if !fhir.ValidID(id) || !strings.Contains(string(b), `\`) && !strings.Contains(string(b), id) {
				t.Fatalf("%s does not name %q", b, id)
			}
		}
		everybody := search.NewIDSet(owners...)
		if got := (search.Owners{Required: owners}).Within(everybody); got != (len(owners) > 0) {
			t.Fatalf("%s: within its own owners: %v", b, got)
		}
	})
}
