package smart_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/smart"
)

// grammar is what a clinical scope looks like at most, written apart from the
// parser.
var grammar = regexp.MustCompile(`^(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?(\?[_a-z][a-z-]*=[!-~]+)?)$`)

// FuzzParseScope: whatever is understood is within the grammar, keeps its text,
// and says no more than its parts put together again.
//
// spec: SCOPE-01, SCOPE-05
// attack: B.111
func FuzzParseScope(f *testing.F) {
	for _, row := range refusals {
		f.Add(row.text)
	}
	for _, text := range []string{"patient/Observation.rs", "user/*.cruds", "patient/*.read", "patient/Observation.rs?category=" + labs, "system/*.rs?_tag=a|b,c&_security=d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scope, err := smart.ParseScope(text)
		if err != nil {
			if !scope.IsZero() {
				t.Fatalf("%q: refused, and yet %+v", text, reading(scope))
			}
			return
		}
		if scope.String() != text || !grammar.MatchString(text) {
			t.Fatalf("%q: understood as %+v", text, reading(scope))
		}
		again := smart.Compose(scope.Level(), scope.Type(), scope.Permissions(), scope.Version1())
		var parts []string
		for _, c := range scope.Query() {
			parts = append(parts, c.String())
		}
		if len(parts) > 0 {
			again += "?" + strings.Join(parts, "&")
		}
		if again != text {
			t.Fatalf("%q: put together again %q", text, again)
		}
		if !scope.Covers(scope) {
			t.Fatalf("%q does not cover itself", text)
		}
	})
}

// FuzzParseScopes: printing what was understood and parsing it is a fixed point,
// and nothing is both understood and unknown.
func FuzzParseScopes(f *testing.F) {
	f.Add("openid patient/Observation.rs patient/Observation.rs nonsense")
	f.Add(manyScopes(200))
	f.Add("openid  profile")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := smart.ParseScopes(text)
		if err != nil {
			return
		}
		for _, s := range first.Unknown() {
			if first.Has(s) {
				t.Fatalf("%q is understood and unknown", s)
			}
		}
		if got := len(first.Strings()) + len(first.Unknown()); got > strings.Count(text, " ")+1 || got == 0 {
			t.Fatalf("%d scopes of %q", got, text)
		}
		if first.IsEmpty() {
			return
		}
		second, err := smart.ParseScopes(first.String())
		if err != nil || second.String() != first.String() || len(second.Unknown()) > 0 || len(second.Clinical()) != len(first.Clinical()) {
			t.Fatalf("%q, parsed again %q, %v", first, second, err)
		}
		for _, s := range first.Clinical() {
			if !second.Covers(s) {
				t.Fatalf("%q does not cover %s", second, s)
			}
		}
	})
}

// FuzzAllowed: what is granted lies within the request and the registration.
//
// spec: SCOPE-45
func FuzzAllowed(f *testing.F) {
	f.Add("patient/*.rs openid", "patient/Observation.rs?category=a,b patient/Patient.read openid")
	f.Add("patient/Observation.rs?category=a,b&date=ge2024", "patient/*.cruds?_tag=x patient/Observation.r?category=b")
	f.Fuzz(func(t *testing.T, asked, may string) {
		requested, err := smart.ParseScopes(asked)
		if err != nil {
			return
		}
		registered, err := smart.ParseScopes(may)
		if err != nil {
			return
		}
		got := smart.Allowed(requested, registered)
		for _, s := range got.Clinical() {
			if !requested.Covers(s) || !registered.Covers(s) {
				t.Fatalf("%s of %q and %q", s, requested, registered)
			}
		}
	})
}
