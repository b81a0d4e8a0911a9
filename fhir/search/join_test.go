package search_test

import (
	"fmt"
	"iter"
	"net/url"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// visible is all that there is to see.
type visible []fhir.Resource

func (v visible) Each(t fhir.ResourceType) iter.Seq2[fhir.Resource, search.Owners] {
	return func(yield func(fhir.Resource, search.Owners) bool) {
		for _, r := range v {
			if r.Type() == t && !yield(r, search.Owners{}) {
				return
			}
		}
	}
}

func some(t testing.TB, texts ...string) visible {
	t.Helper()
	var all visible
	for _, text := range texts {
		r, err := fhir.ParseResource([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// A join holds over what is visible, and over nothing else.
//
// spec: RSX-16
// attack: B.25, B.35, B.40, B.41
func TestJoinsHoldOverWhatIsVisible(t *testing.T) {
	all := some(t,
		`{"resourceType":"Patient","id":"a","name":[{"family":"Adams"}],"generalPractitioner":[{"reference":"Practitioner/p"}]}`,
		`{"resourceType":"Practitioner","id":"p","name":[{"family":"Doe"}]}`,
		`{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/a"},"performer":[{"reference":"Practitioner/p"}]}`,
		`{"resourceType":"Observation","id":"n","status":"amended","subject":{"reference":"Patient/b"},"hasMember":[{"reference":"Observation/o"}]}`,
		`{"resourceType":"List","id":"l","entry":[{"item":{"reference":"Observation/o"}}]}`,
	)
	for _, row := range []struct {
		of    int
		query string
		want  bool
	}{
		{2, "subject:Patient.name=ada", true}, {2, "subject:Patient.name=bro", false}, {2, "subject.name=ada", true}, {2, "performer.name=doe", true}, {2, "performer.name=ada", false},
		{2, "patient.general-practitioner.name=doe", true}, {2, "subject:Group._id=a", false}, {3, "subject:Patient._id=b", false}, {3, "has-member.patient.name=ada", true},
		{2, "_has:Observation:has-member:status=amended", true}, {2, "_has:Observation:has-member:status=final", false}, {3, "_has:Observation:has-member:status=amended", false},
		{0, "_has:Observation:patient:_has:Observation:has-member:status=amended", true}, {0, "_has:Observation:patient:performer.name=doe", true},
		{2, "_list=l", true}, {3, "_list=l", false}, {2, "_list=m", false}, {2, "subject:Patient.name=ada&status=amended", false},
	} {
		values, err := url.ParseQuery(row.query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := search.Parse(all[row.of].Type(), values, "")
		if err != nil {
			t.Fatal(row.query, err)
		}
		if got := search.MatchAmong(q.Expr(), all[row.of], search.Owners{}, "", all); got != row.want {
			t.Errorf("%s matches %s: %v", row.query, all[row.of].Reference(), got)
		}
		if search.Match(q.Expr(), all[row.of], search.Owners{}, "") {
			t.Errorf("%s matches without anything around", row.query)
		}
	}
}

func ExampleMatchAmong() {
	o, _ := fhir.ParseResource([]byte(`{"resourceType":"Observation","id":"1","subject":{"reference":"Patient/a"}}`))
	a, _ := fhir.ParseResource([]byte(`{"resourceType":"Patient","id":"a","name":[{"family":"Adams"}]}`))
	q, _ := search.Parse("Observation", url.Values{"subject:Patient.name": {"adams"}}, "")
	fmt.Println(search.MatchAmong(q.Expr(), o, search.Owners{}, "", visible{a}), search.MatchAmong(q.Expr(), o, search.Owners{}, "", visible{}))
	// Output: true false
}
