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
}

// What such a client writes: the records that it reaches, under scopes of the
// system level alone.
//
// spec: BS-11
func TestServicesWrite(t *testing.T) {
	newcomer := about("Patient", "new", "new")
	for _, row := range []struct {
		name string
		token
		code fhir.InteractionCode
		thing
		want bool
	}{
		{"for its patient", ofService("system/*.cruds", "a"), fhir.Create, about("Observation", "1", "a"), true},
		{"its patient's", ofService("system/Observation.u", "a"), fhir.Update, about("Observation", "1", "a"), true},
		{"deletes its patient's", ofService("system/Observation.d", "a"), fhir.Delete, about("Observation", "1", "a"), true},
		{"for another patient", ofService("system/*.cruds", "a"), fhir.Create, about("Observation", "1", "b"), false},
		{"for nobody", ofService("system/*.cruds", "a"), fhir.Create, about("Observation", "1"), false},
		{"for nobody, reaching everybody", token{scopes: "system/*.cruds", ownAll: true}, fhir.Create, about("Observation", "1"), true},
		{"a new patient", ofService("system/*.cruds", "a"), fhir.Create, newcomer, false},
		{"a new patient, reaching everybody", token{scopes: "system/*.cruds", ownAll: true}, fhir.Create, newcomer, true},
		{"reading only", ofService("system/*.rs", "a"), fhir.Update, about("Observation", "1", "a"), false},
		{"nothing was said", ofService("system/*.cruds"), fhir.Create, about("Observation", "1", "a"), false},
		{"a user behind it", token{scopes: "system/*.cruds", ownAll: true, user: true}, fhir.Create, about("Observation", "1", "a"), false},
		{"the directory", token{scopes: "system/*.cruds", ownAll: true}, fhir.Update, about("Practitioner", "p"), false},
		{"a policy source", token{scopes: "system/*.cruds", ownAll: true}, fhir.Create, about("CareTeam", "t", "a"), false},
	} {
		d := access.Decide(row.token.subject(), fhir.Interaction{Code: row.code, Type: fhir.ResourceType(row.kind), ID: row.id})
		if got := d.Admits(row.thing.resource(t), row.thing.owned()); got != row.want {
			t.Errorf("%s: %v, %q", row.name, got, d.Reasons())
		}
	}
}
