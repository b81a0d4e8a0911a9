package fhirapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/smart"
)

// What is granted is what this API answers: writes are not, closed types are not.
//
// spec: SCOPE-16, SCOPE-17, SCOPE-10
func TestOnlyWhatIsAnsweredIsOffered(t *testing.T) {
	for _, row := range []struct{ name, asked, want string }{
		{"reading stays as it was asked", "openid launch/patient patient/*.rs user/Condition.r", "openid launch/patient patient/*.rs user/Condition.r"},
		{"names are not about this API", "openid fhirUser offline_access launch", "openid fhirUser offline_access launch"},
		{"a wildcard without its writes", "patient/*.cruds", "patient/*.rs"},
		{"a type without its writes", "user/Observation.cud user/Observation.cru", "user/Observation.r"},
		{"only writes", "patient/Patient.u patient/*.cud user/*.write", ""},
		{"version 1 in its own words", "patient/*.* user/Patient.*", "patient/*.read user/Patient.read"},
		{"a part keeps its constraint", "patient/Observation.cruds?category=a|b", "patient/Observation.rs?category=a|b"},
		{"closed types", "user/AuditEvent.rs patient/Group.read user/Patient.rs", "user/Patient.rs"},
		{"system scopes alike", "system/*.cruds", "system/*.rs"},
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
			works := got.status == http.StatusOK || got.status == http.StatusNotFound // of an instance that is not there
			if offered := !fhirapi.Offered(smart.NewScopeSet([]string{scope})).IsEmpty(); offered != works {
				t.Errorf("%s: offered %v, and answered with %d", scope, offered, got.status)
			}
			if works {
				answered++
			}
		}
	}
	if answered < 100 {
		t.Errorf("%d are answered: the test proves little", answered)
	}
}
