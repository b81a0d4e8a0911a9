package access_test

import (
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// Who may export what: by token and type alone.
//
// spec: RSB-11, RSB-17
// attack: B.86
func TestWhoExports(t *testing.T) {
	all := token{scopes: "system/*.rs", ownAll: true}
	for _, row := range []struct {
		name string
		token
		kind   fhir.ResourceType
		reason access.Reason
	}{
		{"anything", all, "", access.ScopeForSystem}, {"a type", all, "Observation", access.ScopeForSystem},
		{"a directory", ofService("system/*.rs", "a"), "Practitioner", access.ScopeForSystem},
		{"a closed type", all, "Group", access.TypeClosed},
		{"in words of version 1", ofService("system/Observation.read", "a"), "Observation", access.ScopeForSystem},
		{"two scopes", ofService("system/Observation.r system/Observation.s", "a"), "Observation", access.ScopeForSystem},
		{"r alone", ofService("system/Observation.r", "a"), "Observation", access.ScopeMissing},
		{"s alone", ofService("system/Observation.s", "a"), "", access.ScopeWithoutEffect},
		{"another type", ofService("system/Observation.rs", "a"), "Condition", access.ScopeMissing},
		{"nobody is reached", ofService("system/*.rs"), "Observation", access.ScopeWithoutEffect},
		{"a user", token{scopes: "system/*.rs user/*.rs", ownAll: true, user: true, reach: []string{"a"}}, "Observation", access.ScopeWithoutEffect},
		{"a patient", token{scopes: "system/*.rs patient/*.rs", ownAll: true, patient: "a"}, "", access.ScopeWithoutEffect},
	} {
		d := access.DecideExport(row.subject(), row.kind)
		if d.Reason() != row.reason || d.Allowed() != (row.reason == access.ScopeForSystem) {
			t.Errorf("%s: %v, %s", row.name, d.Allowed(), d.Reason())
		}
		if !d.Allowed() && (d.View("Observation") != nil || d.Refusal().HTTPStatus() != http.StatusForbidden) {
			t.Errorf("%s: a refusal that sees", row.name)
		}
		if d.IncludeView("Observation") != nil {
			t.Errorf("%s: something comes along", row.name)
		}
	}
	if access.DecideExport(access.Subject{}, "").Allowed() || (access.Subject{}).ExportsGroup("g") {
		t.Error("nobody exports")
	}
}

// What is exported is what may be read and what may be found.
//
// spec: RSB-13
// attack: B.86
func TestExportsAreReadAndFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, r := drawToken().Draw(rt, "token"), drawThing().Draw(rt, "resource")
		got := access.DecideExport(k.subject(), fhir.ResourceType(r.kind)).Admits(r.resource(t), r.owned())
		want := !k.user && k.patient == "" && k.reads(t, r) && k.finds(t, r)
		if got != want {
			rt.Fatalf("exported %v, want %v", got, want)
		}
	})
}

// A Group is exported by who reaches everybody, or was given that Group.
//
// spec: RSB-13
// attack: B.86
func TestWhoExportsAGroup(t *testing.T) {
	own := access.Own{Patients: search.NewIDSet("a", "b"), Groups: search.NewIDSet("mine")}
	for _, row := range []struct {
		name  string
		facts access.Facts
		id    string
		may   bool
	}{
		{"its own", access.Facts{Own: own}, "mine", true}, {"another, though all members are reached", access.Facts{Own: own}, "theirs", false},
		{"everybody's", access.Facts{Own: access.Own{All: true}}, "theirs", true}, {"no id", access.Facts{Own: access.Own{All: true}}, "", false},
		{"nobody's", access.Facts{}, "mine", false}, {"a user", access.Facts{Own: own, HasUser: true}, "mine", false},
		{"a user by name", access.Facts{Own: own, UserID: "u"}, "mine", false}, {"a patient", access.Facts{Own: own, Patient: "a"}, "mine", false},
	} {
		row.facts.Scopes = smart.NewScopeSet(strings.Fields("system/*.rs"))
		if got := access.NewSubject(row.facts).ExportsGroup(row.id); got != row.may {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// Which types are part of an export.
//
// spec: RSB-11
func TestWhatIsExported(t *testing.T) {
	for kind, want := range map[fhir.ResourceType][2]bool{ // of everything, of patients
		"Observation": {true, true}, "Patient": {true, true}, "Practitioner": {true, true}, "Location": {true, true},
		"ValueSet": {true, false}, "Group": {false, false}, "AuditEvent": {false, false},
	} {
		if got := [2]bool{access.Exportable(kind, false), access.Exportable(kind, true)}; got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}
