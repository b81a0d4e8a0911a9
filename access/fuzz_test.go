package access_test

import (
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
)

// FuzzScope: no text of a scope grants more than what it says, read a second
// time by hand; what this cannot read of its constraint may only take away.
//
// spec: SCOPE-01, SCOPE-05, SCOPE-31
// attack: B.111
func FuzzScope(f *testing.F) {
	for _, text := range []string{
		"patient/Observation.rs", "patient/*.read", "user/*.cruds", "system/*.rs", "patient/Observation.rs?category=s|x", "patient/*.rs?_tag=x,y",
		"patient/Observation.rs?", "patient/Observation.sr", "patient/Observation.rs?category:in=x", "openid fhirUser", "patient/Observation.rs?date=ge2024",
		"user/Practitioner.r patient/Observation.s?category=s|x&_tag=x",
	} {
		f.Add(text)
	}
	universe := []thing{
		about("Patient", "a", "a"), about("Patient", "b", "b"), about("Practitioner", "p"), about("Group", "g", "a"), about("Observation", "nobodys"),
		observation("1", "a", coding{"s", "x"}), observation("2", "a", coding{"t", "x"}), observation("3", "b", coding{"s", "x"}),
		{kind: "Observation", id: "4", owners: []string{"a"}, tag: []coding{{"", "x"}}}, about("Provenance", "5", "a", "b"),
	}
	f.Fuzz(func(t *testing.T, text string) {
		k := token{scopes: text, patient: "a", user: true, reach: []string{"a"}, fhirUser: "Practitioner/p"}
		s := k.subject()
		for _, r := range universe {
			resource := r.resource(t)
			for letter, i := range map[string]bool{"r": true, "s": false} {
				d := access.Decide(s, find(r.kind))
				if i {
					d = access.Decide(s, read(r))
				}
				if !d.Admits(resource, r.owned()) {
					continue
				}
				if !k.widest().covers(r, letter) && !(letter == "r" && k.isSelf(r)) {
					t.Fatalf("%q lets %s of %s/%s through: %q", text, letter, r.kind, r.id, d.Reasons())
				}
			}
		}
	})
}

// widest takes constraints away that the second reading does not know.
func (k token) widest() token {
	list := strings.Split(k.scopes, " ")
	for i, text := range list {
		head, query, constrained := strings.Cut(text, "?")
		for _, pair := range strings.Split(query, "&") {
			if name, _, _ := strings.Cut(pair, "="); constrained && name != "category" && name != "_tag" {
				list[i] = head
			}
		}
	}
	k.scopes = strings.Join(list, " ")
	return k
}
