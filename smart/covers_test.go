package smart_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/smart"
)

// A refresh may ask for less, in whatever words (RT-08).
//
// spec: RT-08, SCOPE-12, SCOPE-13, SCOPE-14, SCOPE-34, SCOPE-35, SCOPE-36
// attack: SC-15, SC-16
func TestWhatCoversWhat(t *testing.T) {
	for _, row := range []struct {
		name, granted, asked string
		want                 bool
	}{
		{"the same", "patient/Observation.rs", "patient/Observation.rs", true},
		{"RT-08 a letter of two", "patient/Observation.rs", "patient/Observation.r", true},
		{"RT-08 a type of the wildcard", "patient/*.rs", "patient/Observation.rs", true},
		{"RT-08 a constraint of the type", "patient/Observation.rs", "patient/Observation.rs?category=" + labs, true},
		{"a constraint of the wildcard", "patient/*.rs", "patient/Observation.s?category=" + labs, true},
		{"a further constraint", "patient/Observation.rs?category=" + labs, "patient/Observation.rs?category=" + labs + "&code=x", true},
		{"constraints in another order", "patient/Observation.rs?category=a&code=b", "patient/Observation.rs?code=b&category=a", true},
		{"one alternative of two", "patient/Observation.rs?category=a,b", "patient/Observation.rs?category=b", true},
		{"a code of a system, of that code anywhere", "patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=" + labs, true},
		{"a code of a system, of the whole system", "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|", "patient/Observation.rs?category=" + labs, true},
		{"version 1 and 2", "patient/Observation.read", "patient/Observation.rs", true},
		{"version 2 and 1", "patient/Observation.cruds", "patient/Observation.write", true},
		{"SCOPE-14 r and s together", "patient/Observation.r patient/Observation.s", "patient/Observation.rs", true},
		{"SCOPE-14 r of the type, s of the wildcard", "patient/Observation.r patient/*.s", "patient/Observation.rs", true},
		{"SCOPE-36 the wider one of two", "patient/Observation.rs?category=a patient/Observation.rs", "patient/Observation.rs", true},
		{"the wildcard's own constraint", "patient/*.rs?_tag=a", "patient/Observation.rs?_tag=a", true},

		{"another type", "patient/Observation.rs", "patient/Condition.rs", false},
		{"another level", "user/*.cruds", "patient/Observation.r", false},
		{"the wildcard of a type", "patient/Observation.rs", "patient/*.rs", false},
		{"a letter more", "patient/Observation.rs", "patient/Observation.rus", false},
		{"SCOPE-13 read of write", "patient/Observation.write", "patient/Observation.read", false},
		{"the type of a constraint", "patient/Observation.rs?category=a", "patient/Observation.rs", false},
		{"another value", "patient/Observation.rs?category=a", "patient/Observation.rs?category=b", false},
		{"another parameter", "patient/Observation.rs?category=a", "patient/Observation.rs?code=a", false},
		{"one constraint of two", "patient/Observation.rs?category=a&code=b", "patient/Observation.rs?category=a", false},
		{"an alternative more", "patient/Observation.rs?category=a", "patient/Observation.rs?category=a,b", false},
		{"the code anywhere, of one system", "patient/Observation.rs?category=" + labs, "patient/Observation.rs?category=laboratory", false},
		{"another system", "patient/Observation.rs?category=x|laboratory", "patient/Observation.rs?category=" + labs, false},
		{"a system of a code", "patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=x|", false},
		{"another date", "patient/Observation.rs?date=ge2024", "patient/Observation.rs?date=2024", false},
		{"SCOPE-35 read under s", "patient/Observation.s?category=a", "patient/Observation.r?category=a", false},
		{"r here and s there", "patient/Observation.r patient/Condition.s", "patient/Observation.rs", false},
		{"r constrained, s not", "patient/Observation.r?category=a patient/Observation.s", "patient/Observation.rs", false},
		{"names only", "openid launch/patient", "patient/Observation.rs", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked, err := smart.ParseScope(row.asked)
			if err != nil {
				t.Fatal(err)
			}
			granted := set(t, row.granted)
			if got := granted.Covers(asked); got != row.want {
				t.Errorf("%s covers %s: %v", row.granted, row.asked, got)
			}
			if len(granted.Clinical()) == 1 && granted.Clinical()[0].Covers(asked) != row.want {
				t.Error("the scope by itself says otherwise")
			}
		})
	}
}

func TestTheZeroScopeCoversNothing(t *testing.T) {
	scope, err := smart.ParseScope("patient/Patient.r")
	if err != nil {
		t.Fatal(err)
	}
	var zero smart.Scope
	if zero.Covers(scope) || zero.Covers(zero) || scope.Covers(zero) {
		t.Error("the zero scope covers or is covered")
	}
}
