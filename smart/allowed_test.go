package smart_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/smart"
)

// spec: SCOPE-10, SCOPE-11, SCOPE-12, SCOPE-14, SCOPE-15, SCOPE-18, SCOPE-31, SCOPE-36, SCOPE-38, SCOPE-39, SCOPE-43, SCOPE-45
// attack: SC-15, SC-16
func TestWhatMayBeGrantedOfARequest(t *testing.T) {
	for _, row := range []struct{ name, requested, registered, want string }{
		{"SCOPE-38 word for word", "patient/Patient.rs launch/patient openid", "openid launch/patient patient/Patient.rs user/*.rs", "patient/Patient.rs launch/patient openid"},
		{"SCOPE-38 word for word under a wildcard", "patient/Patient.r patient/Observation.rs?category=" + labs, "patient/*.cruds", "patient/Patient.r patient/Observation.rs?category=" + labs},
		{"SCOPE-45 what is not registered", "openid offline_access patient/Patient.rs patient/Observation.rs", "openid patient/Patient.rs", "openid patient/Patient.rs"},
		{"SCOPE-45 nothing registered", "openid patient/Patient.rs", "", ""},
		{"SCOPE-45 another level", "user/Patient.rs", "patient/*.cruds", ""},
		{"SCOPE-43 types of the wildcard", "patient/*.rs", "patient/Observation.rs patient/Patient.r user/Condition.rs", "patient/Observation.rs patient/Patient.r"},
		{"SCOPE-43 letters", "patient/Observation.cruds", "patient/Observation.rs", "patient/Observation.rs"},
		{"letters of the wildcard", "patient/Observation.cruds", "patient/*.rs", "patient/Observation.rs"},
		{"no letter in common", "patient/Observation.cud", "patient/Observation.rs", ""},
		{"a constraint of the registration", "patient/Observation.rs", "patient/Observation.rs?category=" + labs, "patient/Observation.rs?category=" + labs},
		{"a constraint of the registration, under a wildcard", "patient/*.r", "patient/Observation.rs?category=" + labs, "patient/Observation.r?category=" + labs},
		{"both constrain another parameter", "patient/Observation.rs?status=final", "patient/Observation.rs?category=" + labs, "patient/Observation.rs?status=final&category=" + labs},
		{"SCOPE-31 both constrain one parameter to different values", "patient/Observation.rs?category=" + vitals, "patient/Observation.rs?category=" + labs, ""},
		{"shared alternatives", "patient/Observation.rs?category=a,b,c", "patient/Observation.rs?category=b,c,d", "patient/Observation.rs?category=b,c"},
		{"the narrower code", "patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=" + labs, "patient/Observation.rs?category=" + labs},
		{"one parameter twice", "patient/Observation.rs?category=a&category=b", "patient/Observation.rs?category=a,b", "patient/Observation.rs?category=a&category=b"},
		{"one parameter twice, and not inside", "patient/Observation.rs?category=a&category=b", "patient/Observation.r?category=a,c", "patient/Observation.r?category=a&category=b"},
		{"one parameter twice, the registration inside", "patient/Observation.rs?category=a,b", "patient/Observation.r?category=a&category=b", "patient/Observation.r?category=a&category=b"},
		{"one parameter twice, neither inside", "patient/Observation.rs?category=a,x&category=b,x", "patient/Observation.r?category=a,c", ""},
		{"one parameter twice in both", "patient/Observation.rs?category=a,x&category=b,x", "patient/Observation.r?category=a,x&category=b,x", "patient/Observation.r?category=a,x&category=b,x"},
		{"no alternative shared", "patient/Observation.rs?category=a&status=final", "patient/Observation.rs?status=amended", ""},
		{"SCOPE-10 version 1 stays version 1", "patient/*.read", "patient/Observation.rs patient/Condition.cruds", "patient/Observation.read patient/Condition.read"},
		{"SCOPE-10 what version 1 has no word for", "patient/*.*", "patient/Observation.r", "patient/Observation.r"},
		{"SCOPE-11 a constraint is written in version 2", "patient/Observation.read", "patient/Observation.rs?category=" + labs, "patient/Observation.rs?category=" + labs},
		{"version 2 stays version 2", "patient/*.rs", "patient/Observation.read", "patient/Observation.rs"},
		{"SCOPE-12 both versions", "patient/Observation.read patient/Observation.c", "patient/Observation.*", "patient/Observation.read patient/Observation.c"},
		{"SCOPE-14 r and s registered apart", "patient/Observation.rs", "patient/Observation.r patient/Observation.s", "patient/Observation.rs"},
		{"SCOPE-36 a part of a part is not told", "patient/*.rs", "patient/Observation.r?category=a patient/Observation.rs patient/Observation.s", "patient/Observation.rs"},
		{"what is told once", "patient/*.rs patient/Observation.rs", "patient/Observation.rs", "patient/Observation.rs"},
		{"the wildcard's constraint comes along", "patient/Observation.rs", "patient/*.rs?_tag=a", "patient/Observation.rs?_tag=a"},
		{"unknown ones", "nonsense patient/Patient.rs", "nonsense patient/*.rs", "patient/Patient.rs"},
		{"system", "system/*.rs", "patient/*.rs user/*.rs", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			requested, registered := set(t, row.requested), set(t, row.registered)
			got := smart.Allowed(requested, registered)
			if diff := cmp.Diff(row.want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, s := range got.Clinical() {
				if !requested.Covers(s) || !registered.Covers(s) {
					t.Errorf("%s is wider than the request or the registration", s)
				}
			}
		})
	}
}

// A part whose text would be too long to be a scope is left out, never cut.
func TestPartsThatAreTooLong(t *testing.T) {
	long := "patient/Observation.rs?status=" + strings.Repeat("x", 600)
	other := "patient/Observation.rs?category=" + strings.Repeat("y", 600)
	if got := smart.Allowed(set(t, long), set(t, other)); !got.IsEmpty() {
		t.Errorf("granted %q", got)
	}
}
