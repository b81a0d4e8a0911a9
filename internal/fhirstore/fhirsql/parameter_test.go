package fhirsql

import (
	"slices"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// No two parameters have one number, those of elements and of identifiers included;
// none has the number of the security context.
func TestParametersHaveTheirOwnNumbers(t *testing.T) {
	names := map[int64]string{securityContext: "Binary.securityContext"}
	for _, kind := range fhir.ResourceTypes() {
		all := slices.Concat(search.Parameters(kind), search.ElementParameters(kind))
		for _, p := range all {
			if p.Type == search.TypeReference {
				all = append(all, p.Identifiers())
			}
		}
		for _, p := range all {
			id := parameterID(p)
			if other, taken := names[id]; taken {
				t.Errorf("%s and %s have the number %d", p.Name(), other, id)
			}
			names[id] = p.Name()
		}
	}
	if len(names) < 3000 {
		t.Errorf("only %d parameters", len(names))
	}
}

// Elements of a resource are no elements of its neighbours.
func TestElementsHaveTheirOwnNumbers(t *testing.T) {
	for _, rid := range []int64{1, 2, 1 << 40} {
		if first, last := elementRID(rid, 1), elementRID(rid, elements-1); -first/elements != rid || -last/elements != rid || first >= 0 || last < -1<<62 {
			t.Error(rid, first, last)
		}
	}
	for _, kind := range fhir.ResourceTypes() {
		for _, p := range search.ElementParameters(kind) {
			if !slices.Contains(elementTables, tables[p.Type]) {
				t.Errorf("the elements of %s would not be forgotten", p.Name())
			}
		}
	}
}
