package catalogue_test

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// joinedOf draws some of the parts, one behind the other.
func joinedOf(t *rapid.T, most int, between string, parts ...string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, most).Draw(t, "parts"), between)
}

// What is understood of a path, a query or a scope is all of it: printed it is the same,
// and is understood the same again; the rest is refused (C.5 9).
//
// spec: SCOPE-05
// attack: B.28, B.29, B.100, B.111
func TestWhatIsUnderstoodIsPrintedTheSame(t *testing.T) {
	understood := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			understood["paths"] += pathAgain(t)
			understood["queries"] += queryAgain(t)
			understood["scopes"] += scopeAgain(t)
		}
	})
	for _, what := range []string{"paths", "queries", "scopes"} {
		if understood[what] < 100 {
			t.Errorf("only %d %s were understood: the test proves little", understood[what], what)
		}
	}
}

func pathAgain(t *rapid.T) int {
	method := pick(t, "method", "GET", "GET", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")
	path := "/" + joinedOf(t, 4, "/", "Patient", "Patient", "Observation", "a", "a", "A.b-1", "_history", "_search", "$x", "$everything", "patient", "..", ".", "%2e", "*", "", "a;b", "é", "a%00", "1", "metadata")
	i, err := fhir.ParseInteraction(method, path)
	if err != nil {
		return 0
	}
	if printed := pathOf(i, method); printed != path {
		t.Fatalf("%s %q is understood as %+v, which is %q", method, path, i, printed)
	}
	return 1
}

// pathOf prints an interaction as its path.
func pathOf(i fhir.Interaction, method string) string {
	var parts []string
	if i.Compartment.ID != "" {
		parts = append(parts, string(i.Compartment.Type), i.Compartment.ID)
	}
	for _, part := range []string{string(i.Type), i.ID} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	switch i.Code {
	case fhir.Capabilities:
		parts = append(parts, "metadata")
	case fhir.VRead:
		parts = append(parts, "_history", i.Version)
	case fhir.HistoryInstance, fhir.HistoryType, fhir.HistorySystem:
		parts = append(parts, "_history")
	case fhir.SearchType, fhir.SearchSystem:
		if method == "POST" {
			parts = append(parts, "_search")
		}
	}
	if i.Operation != "" {
		parts = append(parts, "$"+i.Operation)
	}
	return "/" + strings.Join(parts, "/")
}

func queryAgain(t *rapid.T) int {
	names := []string{"patient", "subject", "subject:Patient", "code", "category", "category:not", "date", "value-quantity", "status", "_id", "performer", "_sort", "_count", "_include", "code:missing", "Patient", "patient ", "code:exact", "_has:Observation:has-member:status"}
	values := []string{"a", "a,b", `a\,b`, "Patient/a", base + "/Patient/a", "x|y", "|y", "x|", "ge2024", "2024-02-30", "5.4|s|c", "true", "Observation:subject", "-date", "3", `a\`, "%2C", "", "é", "a b", "http://x/Patient/a"}
	v := url.Values{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		v.Add(pick(t, "name", names...), pick(t, "value", values...))
	}
	q, err := search.Parse("Observation", v, base)
	if err != nil {
		return 0
	}
	printed, err := url.ParseQuery(q.String())
	if err != nil {
		t.Fatalf("%v is printed as %q: %v", v, q.String(), err)
	}
	again, err := search.Parse("Observation", printed, base)
	if err != nil || again.String() != q.String() || !reflect.DeepEqual(again.Expr(), q.Expr()) {
		t.Fatalf("%v is printed as %q, which is understood as %q, %v", v, q.String(), again.String(), err)
	}
	return 1
}

func scopeAgain(t *rapid.T) int {
	level, kind := pick(t, "level", "patient", "user", "system", "Patient", ""), pick(t, "type", "Observation", "Observation", "*", "observation", "Nothing", "")
	text := level + pick(t, "slash", "/", "/", "/", "//", "") + kind + pick(t, "dot", ".", ".", ".", "") + pick(t, "word", "r", "rs", "cruds", "cud", "read", "*", "sr", "", "rr", "write") +
		pick(t, "query", "", "", "?category=x", "?category=s|x,y", "?_tag=a&_security=b", "?", "?category:in=x", "?x=y", "?category=x&", "#", " ")
	scope, err := smart.ParseScope(text)
	if err != nil {
		if set := smart.NewScopeSet([]string{text}); len(set.Clinical()) > 0 {
			t.Fatalf("%q is refused, and grants %v", text, set.Clinical())
		}
		return 0
	}
	again, err := smart.ParseScope(scope.String())
	if scope.String() != text || err != nil || !scope.Covers(again) || !again.Covers(scope) || !slices.Equal(smart.NewScopeSet([]string{text}).Strings(), []string{text}) {
		t.Fatalf("%q is printed as %q", text, scope.String())
	}
	return 1
}
