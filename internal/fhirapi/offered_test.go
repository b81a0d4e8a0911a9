package fhirapi_test

import (
	"testing"

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
