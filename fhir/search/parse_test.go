package search_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

const base = "https://ehr.example/fhir"

// spec: SCOPE-32
// attack: B.25, B.29, B.36, B.37
func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for _, raw := range []string{
		"code.name=x", "subject:Practitioner.name=x", "subject.nothing=x", "focus.status=x", "subject.=x", ".name=x", "subject:Patient._count=1", "subject:Patient._include=x",
		"has-member.has-member.has-member.has-member.has-member.status=x", "_has:Observation:patient:code=x", "_has:Observation:has-member=x", "_has:=x", "_has::::=x", "_has:Observation:code:code=x", "_list=$current", "_list=",
		"_has:DiagnosticReport:result:_has:Observation:has-member:code=x", "_filter=x", "_query=x", "_content=x", "_text=x",
		"_contained=true", "PATIENT=a", "patient%20=a", "patient[]=a", "category:in=x", "category:above=x", "category:below=x", "date:below=x", "category:identifier=x", "patient:identifier=",
		"code-value-quantity=1-8", "code-value-quantity=1-8$", "code-value-quantity=$5", "code-value-quantity=1-8$5$6", "code-value-quantity=1-8$x", "code-value-quantity:missing=true", "_sort=code-value-quantity", "_include:recurse=Observation:subject", "_include:iterate=*", "_revinclude=*", "_include=*:subject", "_include=Observation:*:Patient",
		"_revinclude=Patient:*", "_include:iterate=Observation:code", "_include=Patient:link", "_revinclude=Observation:code", "_sort=subject", "_count=-1", "_count=1&_count=2", "date=yesterday", "value-quantity=x", "subject:Practitioner=a", "_getpages=x",
		"patient=", "code:missing=maybe",
	} {
		v, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := search.Parse("Observation", v, base); err == nil {
			t.Errorf("%s is understood as %s", raw, q)
		}
	}
}

// spec: SCOPE-32, SCOPE-34
func TestScopeQueries(t *testing.T) {
	for raw, good := range map[string]bool{
		"category=laboratory": true, "category=a,b&date=ge2024": true, "_tag=x|y": true,
		"": false, "category": false, "category:not=x": false, "category:in=x": false, "subject.name=x": false, "_id=a": false, "_count=1": false,
		"value-quantity=5": false, "unknown=x": false, "_include=Observation:subject": false, "category=a&": false,
	} {
		if _, err := search.ParseScopeQuery("Observation", raw); (err == nil) != good {
			t.Errorf("%q: %v, want good %v", raw, err, good)
		}
	}
	if _, err := search.ParseScopeQuery("", "category=laboratory"); err == nil {
		t.Error("a wildcard takes a parameter that not all types have")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"category=a%7Cb,c&_sort=-date", `code=a\,b&_include=Observation:subject&_count=3`, "date=ge2024-02&value-quantity=5.40||mg", "_elements=id,code&_total=accurate", "_summary=count"} {
		f.Add(seed)
	}
	for _, seed := range []string{"subject:Patient.name%3Aexact=a,b", "patient._has:Coverage:beneficiary:status=active", "_has:DiagnosticReport:result:subject.name=x&_list=a%2Cb", "has-member.has-member.performer.name=x",
		"component-code-value-quantity=a%7Cb$gt5%7C%7Cmm,c$ap3&patient:identifier=x%7Cy", "_include=*&_include:iterate=Patient:link&_revinclude:iterate=Observation:*", `combo-code-value-concept=a\$b$c&_source:below=http://x/`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := search.Parse("Observation", v, base)
		if err != nil {
			return
		}
		printed := q.String()
		again, err := url.ParseQuery(printed)
		if err != nil {
			t.Fatalf("%q prints %q: %v", raw, printed, err)
		}
		back, err := search.Parse("Observation", again, base)
		if err != nil || back.String() != printed {
			t.Fatalf("%q prints %q, then %q: %v", raw, printed, back, err)
		}
	})
}

func FuzzScopeQuery(f *testing.F) {
	f.Add("category=http://x|laboratory&date=ge2024")
	f.Fuzz(func(t *testing.T, raw string) {
		clauses, err := search.ParseScopeQuery("Observation", raw)
		if err != nil {
			return
		}
		for _, c := range clauses {
			if c.Modifier != "" || c.TypeModifier != "" || len(c.Operands) == 0 {
				t.Fatalf("%q lets %s in", raw, c)
			}
		}
	})
}

// Sortable texts order as the numbers do.
func FuzzDecimal(f *testing.F) {
	f.Add(int64(-35), int8(-1), int64(7), int8(2))
	f.Add(int64(0), int8(3), int64(-1), int8(-9))
	f.Fuzz(func(t *testing.T, m int64, e int8, n int64, g int8) {
		a, aOK := search.ParseDecimal(fmt.Sprintf("%de%d", m, e%10))
		b, bOK := search.ParseDecimal(fmt.Sprintf("%de%d", n, g%10))
		if !aOK || !bOK {
			t.Fatal("a number is not understood")
		}
		want := rational(m, e%10).Cmp(rational(n, g%10))
		if got := strings.Compare(a.Sortable(), b.Sortable()); got != want {
			t.Fatalf("%de%d against %de%d: %d, want %d", m, e%10, n, g%10, got, want)
		}
	})
}

func ExampleMatch() {
	r, _ := fhir.ParseResource([]byte(`{"resourceType":"Observation","id":"1","status":"final","subject":{"reference":"Patient/a"}}`))
	q, _ := search.Parse("Observation", url.Values{"status": {"final,amended"}, "patient": {"a"}}, "")
	view := search.OwnedBy{Patients: search.NewIDSet("b")}
	owners := search.Owners{Required: []string{"a"}}
	fmt.Println(search.Match(q.Expr(), r, owners, ""), search.Match(search.And{view, q.Expr()}, r, owners, ""))
	// Output: true false
}

func ExampleParse() {
	_, err := search.Parse("Observation", url.Values{"subject:Practitioner.name": {"x"}}, "")
	fmt.Println(err != nil)
	q, err := search.Parse("Observation", url.Values{"code": {"http://loinc.org|1-8"}, "_sort": {"-date"}}, "")
	fmt.Println(q, err)
	// Output:
	// true
	// code=http%3A%2F%2Floinc.org%7C1-8&_sort=-date <nil>
}
