package structure

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Every type that an element may have is one that can be checked, and every value
// set that is named can be looked up.
func TestTableIsWhole(t *testing.T) {
	for path, n := range nodes() {
		for key, c := range n.byKey {
			if !primitive(c.fhirType) && c.fhirType != "Resource" && nodes()[c.fhirType] == nil {
				t.Errorf("%s.%s is a %s, which nobody knows", path, key, c.fhirType)
			}
			if set := n.children[c.at].set; set != "" && len(sets()[set]) == 0 {
				t.Errorf("%s.%s has the value set %s, which nobody knows", path, key, set)
			}
		}
	}
	for _, name := range fhir.ResourceTypes() {
		if nodes()[string(name)] == nil {
			t.Errorf("%s is not in the table", name)
		}
	}
}
