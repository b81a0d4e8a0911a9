package smart_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/smart"
)

// scopeText draws a scope that is understood.
func scopeText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		level := rapid.SampledFrom([]string{"patient", "user", "system"}).Draw(t, "level")
		kind := rapid.SampledFrom([]string{"*", "Observation", "Condition"}).Draw(t, "type")
		word := rapid.SampledFrom([]string{"r", "s", "rs", "cud", "cruds", "ds", "read", "write", "*"}).Draw(t, "permissions")
		text := level + "/" + kind + "." + word
		queries := []string{"", "", "?_tag=a", "?_tag=a,b", "?_tag=a&_security=x", "?_tag=s|a", "?_tag=s|"}
		if kind != "*" {
			queries = append(queries, "?category=a", "?category=a,b", "?code=c&category=a", "?category=a&category=b")
		}
		if !strings.Contains(" read write * ", " "+word+" ") {
			text += rapid.SampledFrom(queries).Draw(t, "query")
		}
		return text
	})
}

func scopeSet() *rapid.Generator[smart.ScopeSet] {
	names := rapid.SampledFrom([]string{"openid", "fhirUser", "launch/patient", "offline_access"})
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(scopeText(), scopeText(), names), 0, 6), smart.NewScopeSet)
}

func TestCoveringIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s [3]smart.Scope
		for i := range s {
			var err error
			if s[i], err = smart.ParseScope(scopeText().Draw(t, "scope")); err != nil {
				t.Fatal(err)
			}
		}
		if !s[0].Covers(s[0]) {
			t.Errorf("%s does not cover itself", s[0])
		}
		if s[0].Covers(s[1]) && s[1].Covers(s[2]) && !s[0].Covers(s[2]) {
			t.Errorf("%s covers %s covers %s", s[0], s[1], s[2])
		}
	})
}

// spec: SCOPE-14, SCOPE-45
func TestWhatIsAllowedIsWithinBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		requested, registered := scopeSet().Draw(t, "requested"), scopeSet().Draw(t, "registered")
		got, mirrored := smart.Allowed(requested, registered), smart.Allowed(registered, requested)
		for _, text := range got.Strings() {
			scope, err := smart.ParseScope(text)
			if err != nil { // a name
				if !requested.Has(text) || !registered.Has(text) {
					t.Errorf("%s was not asked for or not registered", text)
				}
				continue
			}
			if !requested.Covers(scope) || !registered.Covers(scope) {
				t.Errorf("%s is outside of %q or %q", text, requested, registered)
			}
			if !mirrored.Covers(scope) {
				t.Errorf("%s is not in %q, which the other order gives", text, mirrored)
			}
		}
		for _, scope := range requested.Clinical() {
			if registered.Covers(scope) && !got.Has(scope.String()) {
				t.Errorf("%s is registered and was lost", scope)
			}
		}
		if again := smart.Allowed(got, registered); again.String() != got.String() {
			t.Errorf("asked once more for %q: %q", got, again)
		}
	})
}

func TestASetCoversWhatItsScopesCover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := scopeSet().Draw(t, "set")
		scope, err := smart.ParseScope(scopeText().Draw(t, "scope"))
		if err != nil {
			t.Fatal(err)
		}
		for _, own := range list.Clinical() {
			if own.Covers(scope) && !list.Covers(scope) {
				t.Errorf("%s covers %s, the set %q does not", own, scope, list)
			}
		}
		smaller := list.Without(func(text string) bool {
			return text == rapid.SampledFrom(append(list.Strings(), "")).Draw(t, "without")
		})
		if smaller.Covers(scope) && !list.Covers(scope) {
			t.Errorf("%q covers %s, %q does not", smaller, scope, list)
		}
	})
}
