package access_test

import (
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// A subject is shared between requests; what it works out on the way is the same
// for all of them.
func TestASubjectIsAskedByMany(t *testing.T) {
	s := token{scopes: "patient/*.rs user/Observation.rs?category=" + labs, patient: "a", user: true, reach: []string{"a", "b"}}.subject()
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			types := fhir.ResourceTypes()
			for n := range types {
				kind := types[(n+worker*17)%len(types)]
				d := access.Decide(s, fhir.Interaction{Code: fhir.SearchType, Type: kind})
				want := "owned a"
				switch {
				case !d.Allowed():
					want = "nothing"
				case kind == "Observation":
					want = "or(owned a; and(owned a b; Observation.category category=" + labs + "))"
				case show(d.View(kind)) == "and()":
					want = "and()" // shared
				}
				if got := show(d.View(kind)); got != want {
					t.Errorf("%s: %s, want %s", kind, got, want)
				}
			}
		})
	}
	wait.Wait()
}
