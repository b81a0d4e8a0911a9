package search_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir/search"
)

const canonicalBase = "https://ehr.example.org/fhir"

// What is printed asks the same as what was parsed, holds no base of ours, and is
// printed once more as it is.
//
// attack: B.28
func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`patient=x`, `patient=x`}, {`patient=` + canonicalBase + `/Patient/x`, `patient=Patient/x`}, {`patient=Patient/x/_history/2`, `patient=Patient/x`},
		{`subject=https://other.example/fhir/Patient/x,Group/g`, `subject=https://other.example/fhir/Patient/x,Group/g`}, {`subject:Patient=x`, `subject:Patient=Patient/x`},
		{`subject:missing=true`, `subject:missing=true`}, {`code=a\,b,c\|d|e\$`, `code=a\,b,c\|d|e\$`}, {`code=|a`, `code=|a`}, {`code=a|`, `code=a|`}, {`code:not=\x`, `code:not=\\x`}, {`code=a$b`, `code=a\$b`},
		{`date=ge2020-01-02T03:04:05+02:00,2021`, `date=ge2020-01-02T03:04:05+02:00,2021`}, {`value-quantity=gt5.40|http://u|mg`, `value-quantity=gt5.40|http://u|mg`}, {`value-quantity=5||mg\|x`, `value-quantity=5||mg\|x`},
		{`value-string:exact=A\,b|c`, `value-string:exact=A\,b\|c`},
	} {
		name, value, _ := strings.Cut(c.in, "=")
		before := one(t, name, value)
		gotName, gotValue := before.Canonical()
		if got := gotName + "=" + gotValue; got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
		after := one(t, gotName, gotValue)
		if !reflect.DeepEqual(before.Operands, after.Operands) || before.Modifier != after.Modifier || before.TypeModifier != after.TypeModifier {
			t.Errorf("%s asks something else as %s: %+v, %+v", c.in, gotValue, before.Operands, after.Operands)
		}
	}
}

func one(t testing.TB, name, value string) search.Clause {
	t.Helper()
	q, err := search.Parse("Observation", url.Values{name: {value}}, canonicalBase)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, value, err)
	}
	return q.Where[0]
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`a\,b|c`, `Patient/x`, canonicalBase + `/Patient/x`, `ge2020`, `5.4|s|c`, `a\`, `\\,\$`, `true`} {
		f.Add("code", seed)
		f.Add("subject", seed)
		f.Add("date", seed)
		f.Add("value-quantity", seed)
		f.Add("value-string", seed)
		f.Add("_profile", seed)
		f.Add("code:missing", seed)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		q, err := search.Parse("Observation", url.Values{name: {value}}, canonicalBase)
		if err != nil || len(q.Where) != 1 || len(value) > 500 { // escaped it may be twice as long
			return
		}
		printedName, printed := q.Where[0].Canonical()
		again, err := search.Parse("Observation", url.Values{printedName: {printed}}, canonicalBase)
		if err != nil || len(again.Where) != 1 || !reflect.DeepEqual(q.Where[0].Operands, again.Where[0].Operands) {
			t.Errorf("%s=%q printed as %q: %v", name, value, printed, err)
		}
	})
}
