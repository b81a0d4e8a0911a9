package fhirapi_test

import (
	"strings"
	"testing"
)

// A compartment search stays in its compartment on every page, for users who
// see more than it as well.
//
// spec: RSX-20, RS-20
// attack: B.31
func TestCompartmentPages(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"doctor": clinician([]string{"user/*.rs"}, "alice", "bob")})
	seen := 0
	for next := "/Patient/alice/Observation?_count=3&_sort=_id"; next != ""; {
		b, ids := s.find(t, "doctor", next)
		for _, id := range ids {
			if seen++; id == "Observation/b-lab" || id == "Observation/hidden-now" {
				t.Errorf("%s is not of this compartment", id)
			}
		}
		if !strings.HasPrefix(b.link("self"), base+"/Patient/alice/Observation") {
			t.Errorf("self %s", b.link("self"))
		}
		next = strings.TrimPrefix(b.link("next"), base)
	}
	if seen != 8 {
		t.Errorf("%d of 8 observations", seen)
	}
}
