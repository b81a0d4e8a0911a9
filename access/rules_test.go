package access_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// sight is what a token is expected to see of some resources.
type sight struct {
	name string
	token
	sees, misses []thing
}

func (s sight) check(t *testing.T) {
	t.Helper()
	t.Run(s.name, func(t *testing.T) {
		for _, r := range s.sees {
			if !s.reads(t, r) || !s.finds(t, r) {
				t.Errorf("%s/%s is hidden", r.kind, r.id)
			}
		}
		for _, r := range s.misses {
			if s.reads(t, r) || s.finds(t, r) {
				t.Errorf("%s/%s is seen", r.kind, r.id)
			}
		}
	})
}

// spec: SCOPE-19, RSP-01, RSP-02, RSP-05, RSP-06, RSP-07, RSP-09, RSP-11, RSP-13, RSP-14, RSP-16, RSP-19, SCOPE-50
// attack: B.1, B.20, B.44, B.112
func TestPatientScopesReachThePatientInContext(t *testing.T) {
	mine := []thing{
		about("Patient", "a", "a"), about("Observation", "1", "a"), about("Device", "d", "a"), about("Task", "t", "a"),
		about("RelatedPerson", "rp", "a"), about("Coverage", "c", "a"), about("Provenance", "pr", "a"), about("Binary", "b", "a"),
	}
	others := []thing{
		about("Patient", "b", "b"), about("Patient", "linked", "linked"), about("Observation", "2", "b"), about("Device", "e", "b"), about("Binary", "c", "b"),
		about("Observation", "nobodys"), about("Provenance", "both", "a", "b"), about("Group", "g", "a"), about("List", "l"), about("AuditEvent", "x", "a"),
	}
	sight{"the own record", ofPatient("a", "patient/*.rs"), mine, others}.check(t)
	sight{"RSP-21 a representative, for one of theirs", token{scopes: "patient/*.rs", patient: "a", user: true, reach: []string{"a", "b"}}, mine, others}.check(t)
	sight{"no user behind the token", token{scopes: "patient/*.rs", patient: "a"}, mine, others}.check(t)
	sight{"B.112 the user no longer reaches the patient", token{scopes: "patient/*.rs", patient: "a", user: true, reach: []string{"b"}}, nil, append(mine, others...)}.check(t)
	sight{"another version of the id", ofPatient("a", "patient/*.rs"), nil, []thing{about("Patient", "A", "A"), about("Patient", "aa", "aa")}}.check(t)
}

// Losing the patient is told as a missing record, not as a missing scope.
//
// attack: B.112
func TestLosingThePatientIsNotToldByTheGate(t *testing.T) {
	lost := token{scopes: "patient/*.rs", patient: "a", user: true}
	if d := access.Decide(lost.subject(), find("Observation")); !d.Allowed() || d.View("Observation") != nil {
		t.Errorf("allowed %v, view %v", d.Allowed(), d.View("Observation"))
	}
}

// spec: SCOPE-21, RSP-17, RSP-18, RSP-19, RSP-21
// attack: B.33
func TestUserScopesReachWhomTheUserReaches(t *testing.T) {
	a, b, c := about("Observation", "1", "a"), about("Observation", "2", "b"), about("Observation", "3", "c")
	both, beyond := about("Provenance", "4", "a", "b"), about("Provenance", "5", "a", "c")
	directory := about("Practitioner", "p")
	sight{"RSP-18 a clinician", ofClinician("user/*.rs", "a", "b"), []thing{a, b, both, directory}, []thing{c, beyond, about("Patient", "c", "c"), about("Observation", "nobodys")}}.check(t)
	sight{"RSP-18 with a patient in context", token{scopes: "user/*.rs", patient: "a", user: true, reach: []string{"a", "b"}}, []thing{a, b, both}, []thing{c}}.check(t)
	sight{"RSP-17 a patient", ofPatient("a", "user/Observation.rs"), []thing{a}, []thing{b, c, directory}}.check(t)
	sight{"everybody, by a role", token{scopes: "user/*.rs", user: true, everybody: true, fhirUser: "Practitioner/p"}, []thing{a, b, c, both, directory, about("Observation", "9")}, []thing{about("Group", "g", "a"), about("AuditEvent", "e", "a")}}.check(t)
	sight{"everybody, with one in context", token{scopes: "patient/*.rs", patient: "a", user: true, everybody: true}, []thing{a}, []thing{b, c, both}}.check(t)
	sight{"everybody, and nobody stands behind the token", token{scopes: "user/*.rs", everybody: true}, nil, []thing{a, b, c}}.check(t)
	sight{"nobody reached", ofClinician("user/*.rs"), []thing{directory}, []thing{a, b, c}}.check(t)
	sight{"RSP-19 levels side by side", token{scopes: "patient/Observation.rs user/Practitioner.rs", patient: "a", user: true, reach: []string{"a", "b"}}, []thing{a, directory}, []thing{b, c, about("Patient", "a", "a")}}.check(t)
	sight{"RSP-19 the wider level of a type", token{scopes: "patient/*.rs user/Observation.rs", patient: "a", user: true, reach: []string{"a", "b"}},
		[]thing{a, b, about("Condition", "6", "a")}, []thing{c, about("Condition", "7", "b")}}.check(t)
}

// spec: SCOPE-26, RSP-10
// attack: B.52
func TestSharedTypesAreReadByAnyScopeThatConcernsThem(t *testing.T) {
	directory := []thing{about("Practitioner", "1"), about("Organization", "2"), about("Location", "3"), about("Medication", "4"), about("PractitionerRole", "5"), about("ValueSet", "6")}
	sight{"patient/*", ofPatient("a", "patient/*.rs"), directory, nil}.check(t)
	sight{"user/*", ofClinician("user/*.rs"), directory, nil}.check(t)
	sight{"one type", ofPatient("a", "patient/Location.rs"), directory[2:3], directory[:2]}.check(t)
	sight{"no scope on them", ofPatient("a", "patient/Observation.rs"), nil, directory}.check(t)
	tagged := thing{kind: "Location", id: "7", tag: []coding{{"", "public"}}}
	sight{"a constrained scope", ofPatient("a", "patient/Location.rs?_tag=public"), []thing{tagged}, directory[2:3]}.check(t)
	sight{"a constrained wildcard", ofPatient("a", "patient/*.rs?_tag=public"), []thing{tagged}, directory}.check(t)
}

// spec: OIDC-15, RS-13, RSX-14
func TestTheOwnRecordOfWhoLoggedIn(t *testing.T) {
	own := about("Practitioner", "p")
	for _, row := range []struct {
		name  string
		token token
		own   thing
		reads bool
	}{
		{"a clinician with patient scopes", token{scopes: "openid fhirUser patient/Observation.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "Practitioner/p"}, own, true},
		{"profile in place of fhirUser", token{scopes: "openid profile patient/Observation.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "Practitioner/p"}, own, true},
		{"identity only", token{scopes: "openid fhirUser", user: true, fhirUser: "Practitioner/p"}, own, true},
		{"a patient", token{scopes: "openid fhirUser", user: true, fhirUser: "Patient/a"}, about("Patient", "a", "a"), true},
		{"a representative, for a child", token{scopes: "openid fhirUser patient/Observation.rs", patient: "kid", user: true, reach: []string{"kid"}, fhirUser: "RelatedPerson/rp"}, about("RelatedPerson", "rp", "kid"), true},
		{"without openid", token{scopes: "fhirUser", user: true, fhirUser: "Practitioner/p"}, own, false},
		{"without fhirUser", token{scopes: "openid", user: true, fhirUser: "Practitioner/p"}, own, false},
		{"nobody logged in", token{scopes: "openid fhirUser", fhirUser: "Practitioner/p"}, own, false},
		{"fhirUser is not known", token{scopes: "openid fhirUser", user: true}, own, false},
		{"a closed type", token{scopes: "openid fhirUser", user: true, fhirUser: "Person/x"}, about("Person", "x"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := access.Decide(row.token.subject(), read(row.own))
			if d.Allowed() != row.reads || d.Admits(row.own.resource(t), row.own.owned()) != row.reads {
				t.Errorf("allowed %v, reasons %q", d.Allowed(), d.Reasons())
			}
			version := fhir.Interaction{Code: fhir.VRead, Type: fhir.ResourceType(row.own.kind), ID: row.own.id, Version: "1"}
			if access.Decide(row.token.subject(), version).Allowed() != row.reads {
				t.Error("vread is judged in another way")
			}
			another := about(row.own.kind, "another", row.own.owners...)
			if access.Decide(row.token.subject(), read(another)).Allowed() || d.Admits(another.resource(t), another.owned()) {
				t.Error("another record of the type is read")
			}
			if row.token.finds(t, row.own) || access.Decide(row.token.subject(), find(row.own.kind)).Allowed() {
				t.Error("the type is searched")
			}
			if access.Decide(row.token.subject(), fhir.Interaction{Code: fhir.HistoryInstance, Type: fhir.ResourceType(row.own.kind), ID: row.own.id}).Allowed() {
				t.Error("its history is told")
			}
		})
	}
	t.Run("RSX-14 it does not come along", func(t *testing.T) {
		caller := token{scopes: "openid fhirUser patient/Observation.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "Patient/a"}
		me := about("Patient", "a", "a")
		if d := access.Decide(caller.subject(), find("Observation")); !d.Allowed() || d.AdmitsInclude(me.resource(t), me.owned()) {
			t.Error("the patient comes along without a scope on Patient")
		}
	})
	t.Run("it adds nothing to what scopes reach", func(t *testing.T) {
		caller := token{scopes: "openid fhirUser patient/Patient.r", patient: "kid", user: true, reach: []string{"kid", "mother"}, fhirUser: "Patient/mother"}
		sees := map[string]bool{"kid": true, "mother": true, "other": false}
		for id, want := range sees {
			if got := caller.reads(t, about("Patient", id, id)); got != want {
				t.Errorf("Patient/%s: %v", id, got)
			}
		}
		if d := access.Decide(caller.subject(), read(about("Patient", "kid", "kid"))); d.Admits(about("Observation", "1", "mother").resource(t), about("Observation", "1", "mother").owned()) {
			t.Error("a record of the mother is seen")
		}
	})
}

// What comes along needs r or s on its own type.
//
// spec: RSX-14, RSX-15, RSG-09
// attack: B.42, B.43, B.52
func TestWhatComesAlong(t *testing.T) {
	lab, vital := observation("l", "a", coding{observationCategory, "laboratory"}), observation("v", "a", coding{observationCategory, "vital-signs"})
	for _, row := range []struct {
		name   string
		token  token
		thing  thing
		sees   bool // as a match of a search on its own type
		brings bool
	}{
		{"r only", ofPatient("a", "patient/Observation.rs patient/Patient.r"), about("Patient", "a", "a"), false, true},
		{"s only", ofPatient("a", "patient/Observation.rs patient/Patient.s"), about("Patient", "a", "a"), true, true},
		{"no scope on the type", ofPatient("a", "patient/Observation.rs"), about("Patient", "a", "a"), false, false},
		{"c only", ofPatient("a", "patient/Observation.rs patient/Patient.cud"), about("Patient", "a", "a"), false, false},
		{"another patient's", ofPatient("a", "patient/*.rs"), about("Patient", "b", "b"), false, false},
		{"a shared type without a scope", ofPatient("a", "patient/Observation.rs"), about("Practitioner", "p"), false, false},
		{"a closed type", ofPatient("a", "patient/*.rs"), about("Group", "g", "a"), false, false},
		{"r here, s there", ofPatient("a", "patient/Observation.r?category="+labs+" patient/Observation.s?category="+vitals), lab, false, true},
		{"s here, r there", ofPatient("a", "patient/Observation.r?category="+labs+" patient/Observation.s?category="+vitals), vital, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := access.Decide(row.token.subject(), find("Observation"))
			if !d.Allowed() {
				t.Fatal(d.Reasons())
			}
			r, owners := row.thing.resource(t), row.thing.owned()
			if d.Admits(r, owners) != row.sees || d.AdmitsInclude(r, owners) != row.brings {
				t.Errorf("match %v, include %v", d.Admits(r, owners), d.AdmitsInclude(r, owners))
			}
		})
	}
}

// Writes are about the patient in context, or about those whom the user reaches.
//
// spec: RSP-20, SCOPE-13
// attack: B.60, B.62
func TestWhatMayBeWritten(t *testing.T) {
	for _, row := range []struct {
		name  string
		token token
		line  string
		thing thing
		want  bool
	}{
		{"for the patient in context", ofPatient("a", "patient/Observation.c"), "POST /Observation", about("Observation", "1", "a"), true},
		{"RSP-20 for another one", ofPatient("a", "patient/Observation.c"), "POST /Observation", about("Observation", "1", "b"), false},
		{"RSP-20 for nobody", ofPatient("a", "patient/Observation.c"), "POST /Observation", about("Observation", "1"), false},
		{"B.60 outside of the constraint", ofPatient("a", "patient/Observation.c?category="+labs), "POST /Observation", observation("1", "a", coding{observationCategory, "vital-signs"}), false},
		{"inside of it", ofPatient("a", "patient/Observation.c?category="+labs), "POST /Observation", observation("1", "a", coding{observationCategory, "laboratory"}), true},
		{"the old state of another's", ofPatient("a", "patient/Observation.u"), "PUT /Observation/1", about("Observation", "1", "b"), false},
		{"by a clinician", ofClinician("user/*.d", "a", "b"), "DELETE /Observation/1", about("Observation", "1", "b"), true},
		{"by a clinician, beyond reach", ofClinician("user/*.d", "a", "b"), "DELETE /Observation/1", about("Observation", "1", "c"), false},
		{"a closed type while writing another", ofPatient("a", "patient/*.cruds"), "POST /Observation", about("Group", "g", "a"), false},
		{"a shared type while writing another", ofPatient("a", "patient/*.cruds"), "POST /Observation", about("Practitioner", "p"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := access.Decide(row.token.subject(), request(t, row.line))
			if got := d.Admits(row.thing.resource(t), row.thing.owned()); got != row.want || !d.Allowed() {
				t.Errorf("admitted %v, allowed %v", got, d.Allowed())
			}
		})
	}
}
