package search_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir/search"
)

func TestEither(t *testing.T) {
	for _, row := range []struct{ one, two, want string }{
		{"category=a", "category=b", "category=a,b"},
		{"category=a,b", "category=b", "category=a,b"},
		{"category=a", "category=s|a", "category=a,s|a"},
		{"category=a", "code=a", ""},
	} {
		one, err := search.ParseScopeQuery("Observation", row.one)
		if err != nil {
			t.Fatal(err)
		}
		two, err := search.ParseScopeQuery("Observation", row.two)
		if err != nil {
			t.Fatal(err)
		}
		both, ok := one[0].Either(two[0])
		if ok != (row.want != "") || ok && both.String() != row.want {
			t.Errorf("%s or %s: %s, %v", row.one, row.two, both.String(), ok)
		}
	}
	category, _ := search.Lookup("Observation", "category")
	negated := search.Clause{Parameter: category, Modifier: "not"}
	plain := search.Clause{Parameter: category}
	typed := search.Clause{Parameter: category, TypeModifier: "Patient"}
	for _, pair := range [][2]search.Clause{{negated, plain}, {plain, negated}, {plain, typed}} {
		if _, ok := pair[0].Either(pair[1]); ok {
			t.Errorf("%+v joins %+v", pair[0], pair[1])
		}
	}
}
