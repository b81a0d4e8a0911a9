package access_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// What a client reaches that acts for itself: what the operator said, and nothing
// when the operator said nothing.
//
// spec: BS-11
func TestServices(t *testing.T) {
	mine, foreign, both, nobodys := observation("1", "a"), observation("2", "b"), about("Observation", "3", "a", "b"), about("Observation", "4")
	directory, closed := about("Practitioner", "p"), about("Group", "g", "a")
	all := token{scopes: "system/*.rs", ownAll: true}
	for _, row := range []struct {
		name string
		token
		thing
		seen bool
	}{
		{"its patient", ofService("system/*.rs", "a"), mine, true},
		{"in words of version 1", ofService("system/Observation.read", "a"), mine, true},
		{"another patient", ofService("system/*.rs", "a"), foreign, false},
		{"about both, one reached", ofService("system/*.rs", "a"), both, false},
		{"about both, both reached", ofService("system/*.rs", "a", "b"), both, true},
		{"about nobody", ofService("system/*.rs", "a"), nobodys, false},
		{"the directory", ofService("system/*.rs", "a"), directory, true},
		{"a closed type", ofService("system/*.rs", "a"), closed, false},
		{"a closed type by name", ofService("system/Group.rs", "a"), closed, false},
		{"another type", ofService("system/Condition.rs", "a"), mine, false},
		{"everybody's", all, foreign, true},
		{"everybody's, about nobody", all, nobodys, true},
		{"everybody's, closed", all, closed, false},
		{"nothing was said", ofService("system/*.rs"), mine, false},
		{"nothing was said, the directory", ofService("system/*.rs"), directory, false},
		{"no system scope", ofService("user/*.rs patient/*.rs", "a"), mine, false},
		{"a user behind it", token{scopes: "system/*.rs", own: []string{"a"}, user: true, reach: []string{"a"}}, mine, false},
		{"a patient behind it", token{scopes: "system/*.rs", own: []string{"a"}, patient: "a"}, mine, false},
		{"everybody's, with a user behind it", token{scopes: "system/*.rs", ownAll: true, user: true}, directory, false},
	} {
		if got := row.reads(t, row.thing); got != row.seen {
			t.Errorf("%s: reads %v", row.name, got)
		}
		if got := row.finds(t, row.thing); got != row.seen {
			t.Errorf("%s: finds %v", row.name, got)
		}
	}
	for _, code := range []fhir.InteractionCode{fhir.Create, fhir.Update, fhir.Delete} {
		d := access.Decide(token{scopes: "system/*.cruds", ownAll: true}.subject(), fhir.Interaction{Code: code, Type: "Observation", ID: "1"})
		if d.Allowed() || d.Admits(mine.resource(t), mine.owned()) {
			t.Errorf("%s is allowed", code)
		}
	}
}
