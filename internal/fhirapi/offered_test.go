package fhirapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/smart"
)

// What is granted is what this API answers: not closed types, nor writes of types that
// no app writes.
//
// spec: SCOPE-16, SCOPE-17, SCOPE-10
func TestOnlyWhatIsAnsweredIsOffered(t *testing.T) {
	for _, row := range []struct{ name, asked, want string }{
		{"reading stays as it was asked", "openid launch/patient patient/*.rs user/Condition.r", "openid launch/patient patient/*.rs user/Condition.r"},
		{"names are not about this API", "openid fhirUser offline_access launch", "openid fhirUser offline_access launch"},
		{"a wildcard with its writes", "patient/*.cruds", "patient/*.cruds"},
		{"a type with its writes", "user/Observation.cud user/Observation.cru", "user/Observation.cud user/Observation.cru"},
		{"a type that no app writes", "patient/CareTeam.cruds patient/Practitioner.cud user/Encounter.write", "patient/CareTeam.rs"},
		{"that type, beside a wildcard", "patient/*.cruds patient/CareTeam.cruds", "patient/*.cruds patient/CareTeam.rs"},
		{"a patient is changed, and neither made nor deleted", "patient/Patient.cruds user/Patient.cd system/Patient.cruds", "patient/Patient.rus system/Patient.crus"},
		{"only writes", "patient/Patient.u patient/*.cud user/*.write", "patient/Patient.u patient/*.cud user/*.write"},
		{"version 1 in its own words", "patient/*.* user/CareTeam.*", "patient/*.* user/CareTeam.read"},
		{"a part keeps its constraint", "patient/Observation.cruds?category=a|b patient/CareTeam.cruds?category=a|b", "patient/Observation.cruds?category=a|b patient/CareTeam.rs?category=a|b"},
		{"closed types", "user/AuditEvent.rs patient/Group.read user/Patient.rs", "user/Patient.rs"},
		{"system scopes alike", "system/*.cruds", "system/*.cruds"},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked, err := smart.ParseScopes(row.asked)
			if err != nil {
				t.Fatal(err)
			}
			if got := fhirapi.Offered(asked).String(); got != row.want {
				t.Errorf("offered %q, want %q", got, row.want)
			}
		})
	}
}

// For every type and every letter: a scope is offered exactly when a request that
// needs it, and has it, is answered.
//
// spec: SCOPE-16, SCOPE-17
func TestWhatIsOfferedIsAnswered(t *testing.T) {
	requests := map[string]struct{ method, path string }{
		"c": {http.MethodPost, "/%s"}, "r": {http.MethodGet, "/%s/alice"}, "u": {http.MethodPut, "/%s/alice"},
		"d": {http.MethodDelete, "/%s/alice"}, "s": {http.MethodGet, "/%s"},
	}
	known := tokens{}
	for _, typ := range fhir.ResourceTypes() {
		for letter := range requests {
			known[string(typ)+letter] = patient("alice", "patient/"+string(typ)+"."+letter)
		}
	}
	door := newSite(t, openStore(t, ward()), known)
	answered := 0
	for _, typ := range fhir.ResourceTypes() {
		for letter, request := range requests {
			scope := "patient/" + string(typ) + "." + letter
			got := door.send(t, string(typ)+letter, request.method, fmt.Sprintf(request.path, typ), "")
			works := got.status != http.StatusForbidden // a body, or an instance, is missing
			if offered := !fhirapi.Offered(smart.NewScopeSet([]string{scope})).IsEmpty(); offered != works {
				t.Errorf("%s: offered %v, and answered with %d", scope, offered, got.status)
			}
			if works {
				answered++
			}
		}
	}
	if answered < 200 {
		t.Errorf("%d are answered: the test proves little", answered)
	}
}

// Where another server holds the records, apps read and search, and no scope promises
// more.
//
// spec: SCOPE-16, RSX-27
func TestReadingOnly(t *testing.T) {
	s := newSite(t, struct{ fhirstore.Backend }{openStore(t, ward())}, tokens{"alice": patient("alice", "patient/*.cruds")})
	for _, row := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/Observation/a-lab", 200}, {"GET", "/Observation", 200}, {"GET", "/Observation/a-lab/_history/1", 200},
		{"POST", "/Observation", 501}, {"PUT", "/Observation/a-lab", 501}, {"PATCH", "/Observation/a-lab", 501}, {"DELETE", "/Observation/a-lab", 501},
		{"GET", "/Observation/a-lab/_history", 501}, {"GET", "/_history", 501}, {"POST", "", 403}, {"POST", "/Observation/$validate", 403},
	} {
		if got := s.put(t, "alice", row.method, row.path, lab("alice", "")); got.status != row.status {
			t.Errorf("%s %s: %d %s", row.method, row.path, got.status, got.body)
		}
	}
	asked := smart.NewScopeSet([]string{"openid", "patient/*.cruds", "user/Observation.write", "patient/Condition.*", "user/Group.rs"})
	if got := fhirapi.OfferedWithin(little{}, smart.NewScopeSet([]string{"openid", "patient/*.cruds", "user/Observation.cruds", "user/Patient.cruds", "patient/Condition.write"})).String(); got != "openid patient/*.rus user/Observation.rs user/Patient.rus" {
		t.Errorf("offered by another server %q", got)
	}
	if got := fhirapi.OfferedToRead(asked).String(); got != "openid patient/*.rs patient/Condition.read" {
		t.Errorf("offered %q", got)
	}
}
