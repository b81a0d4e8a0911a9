package structure_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

func found(t testing.TB, text string) []string {
	t.Helper()
	r, err := fhir.ParseResource([]byte(text))
	if err != nil {
		t.Fatal(text, err)
	}
	paths := []string{}
	for _, f := range structure.Check(r) {
		if f.Expected == "" {
			t.Errorf("%s: nothing is said", f.Path)
		}
		paths = append(paths, f.Path)
	}
	return paths
}

// observation is a sound Observation with more members.
func observation(more string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"}` + more + `}`
}

// Where a resource is not as R4 defines its type.
//
// attack: B.77, B.78
func TestCheck(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"sound", observation(``), nil},
		{"mandatory elements", `{"resourceType":"Observation"}`, []string{"Observation.status", "Observation.code"}},
		{"no such element", observation(`,"colour":"red"`), []string{"Observation.colour"}},
		{"another case", observation(`,"Subject":{"reference":"Patient/a"}`), []string{"Observation.Subject"}},
		{"a name that is no name", observation(`,"a b<script>":1`), []string{"Observation.(a name that FHIR does not have)"}},
		{"an element of another type, deep down", observation(`,"component":[{"code":{"text":"x"},"vlaue":1}]`), []string{"Observation.component[0].vlaue"}},
		{"mandatory, deep down", observation(`,"component":[{"valueString":"x"}]`), []string{"Observation.component[0].code"}},
		{"by reference to another element", observation(`,"component":[{"code":{"text":"x"},"referenceRange":[{"low":{"valeu":1}}]}]`),
			[]string{"Observation.component[0].referenceRange[0].low.valeu"}},
		{"a list of one", observation(`,"subject":[{"reference":"Patient/a"}]`), []string{"Observation.subject"}},
		{"one in place of a list", observation(`,"category":{"text":"x"}`), []string{"Observation.category"}},
		{"an empty list", observation(`,"category":[]`), []string{"Observation.category"}},
		{"an empty object", observation(`,"subject":{}`), []string{"Observation.subject"}},
		{"null", observation(`,"subject":null`), []string{"Observation.subject"}},
		{"null in a list of objects", observation(`,"category":[null]`), []string{"Observation.category[0]"}},
		{"a text in place of an object", observation(`,"subject":"Patient/a"`), []string{"Observation.subject"}},
		{"an object in place of a text", `{"resourceType":"Observation","status":{"value":"final"},"code":{"text":"x"}}`, []string{"Observation.status"}},
		{"a choice", observation(`,"valueQuantity":{"value":5.40}`), nil},
		{"a number as long as one may be", observation(`,"valueQuantity":{"value":-` + strings.Repeat("9", 399) + `.5}`), nil},
		{"a number that is longer", observation(`,"valueQuantity":{"value":-` + strings.Repeat("9", 400) + `.5}`), []string{"Observation.valueQuantity.value"}},
		{"an exponent as large as one may be", observation(`,"valueQuantity":{"value":1.5E-400}`), nil},
		{"an exponent that is larger", observation(`,"valueQuantity":{"value":1.5e-401}`), []string{"Observation.valueQuantity.value"}},
		{"an exponent that is no number of ours", observation(`,"valueQuantity":{"value":1e99999999999999999999}`), []string{"Observation.valueQuantity.value"}},
		{"a choice of a type that it does not have", observation(`,"valueDate":"2024-01-01"`), []string{"Observation.valueDate"}},
		{"two types of a choice", observation(`,"valueString":"x","valueInteger":1`), []string{"Observation.value"}},
		{"a choice without its type", observation(`,"value":"x"`), []string{"Observation.value"}},
		{"two choices by an extension", observation(`,"valueString":"x","_valueInteger":{"id":"a"}`), []string{"Observation.value"}},
		{"a mandatory choice", `{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/a"}}`, []string{"MedicationRequest.medication"}},
		{"a required code", strings.Replace(observation(``), "final", "done", 1), []string{"Observation.status"}},
		{"a required coding", `{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/a"},"clinicalStatus":{"coding":[{"system":"urn:x","code":"active"}]}}`,
			[]string{"AllergyIntolerance.clinicalStatus"}},
		{"a required coding that is one", `{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/a"},
			"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]}}`, nil},
		{"an extension of a value", observation(`,"_status":{"extension":[{"url":"urn:x","valueString":"y"}]}`), nil},
		{"an extension in place of a value", `{"resourceType":"Observation","_status":{"extension":[{"url":"urn:x","valueCode":"y"}]},"code":{"text":"x"}}`, nil},
		{"an extension of an object", observation(`,"_subject":{"id":"a"}`), []string{"Observation._subject"}},
		{"an extension that is none", observation(`,"_status":"x"`), []string{"Observation.status"}},
		{"an extension with something else", observation(`,"_status":{"value":"x"}`), []string{"Observation.status.value"}},
		{"an extension without a URL", observation(`,"extension":[{"valueString":"y"}]`), []string{"Observation.extension[0].url"}},
		{"an extension with value and extensions", observation(`,"extension":[{"url":"urn:x","valueString":"y","extension":[{"url":"urn:z","valueString":"y"}]}]`), []string{"Observation.extension[0]"}},
		{"lists of values and extensions", `{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"id":"x"}]}]}`, nil},
		{"lists of two lengths", `{"resourceType":"Patient","name":[{"given":["A"],"_given":[null,{"id":"x"}]}]}`, []string{"Patient.name[0].given"}},
		{"a null without an extension", `{"resourceType":"Patient","name":[{"given":["A",null]}]}`, []string{"Patient.name[0].given[1]"}},
		{"extensions that are no list", `{"resourceType":"Patient","name":[{"given":["A"],"_given":{"id":"x"}}]}`, []string{"Patient.name[0].given"}},
		{"a contained resource", observation(`,"contained":[{"resourceType":"Patient","id":"a","colour":1}]`), []string{"Observation.contained[0].colour"}},
		{"contained without a type", observation(`,"contained":[{"id":"a"}]`), []string{"Observation.contained[0].resourceType"}},
		{"contained in contained", observation(`,"contained":[{"resourceType":"Patient","id":"a","contained":[{"resourceType":"Patient"}]}]`), []string{"Observation.contained[0].contained"}},
		{"a resource in an entry may contain one", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Observation","status":"final",
			"code":{"text":"x"},"contained":[{"resourceType":"Patient","id":"a"}]}}]}`, nil},
		{"a script in a narrative", `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}}`, []string{"Patient.text.div"}},
		{"resourceType inside of a type", `{"resourceType":"Patient","name":[{"resourceType":"HumanName","family":"x"}]}`, []string{"Patient.name[0].resourceType"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, found(t, row.text), cmp.Transformer("nil", func(l []string) []string { return append([]string{}, l...) })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// The formats of primitive values.
func TestPrimitives(t *testing.T) {
	for _, row := range []struct {
		kind      string
		good, bad []string
	}{
		{"Boolean", []string{`true`}, []string{`"true"`, `1`}},
		{"Integer", []string{`0`, `-5`, `2147483647`}, []string{`1.0`, `2147483648`, `"1"`, `1e2`, `-0`}},
		{"UnsignedInt", []string{`0`}, []string{`-1`}},
		{"PositiveInt", []string{`1`}, []string{`0`}},
		{"Decimal", []string{`5.40`, `-1e5`, `0`}, []string{`"5"`}},
		{"String", []string{`"x"`, `" x\n"`}, []string{`""`, `"  "`, `1`, `"\u0001"`}},
		{"Markdown", []string{`"*x*"`}, []string{`""`}},
		{"Code", []string{`"a b"`}, []string{`" a"`, `"a  b"`, `"a\nb c "`}},
		{"Uri", []string{`"urn:x"`, `"a"`}, []string{`"a b"`, `""`}},
		{"Oid", []string{`"urn:oid:1.2.3"`}, []string{`"1.2.3"`, `"urn:oid:3.1"`}},
		{"Uuid", []string{`"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"`}, []string{`"urn:uuid:C757873D-EC9A-4326-A141-556F43239520"`}},
		{"Id", []string{`"a-1.B"`}, []string{`"a_1"`, `""`}},
		{"Base64Binary", []string{`"aGk="`, `"aG\nk="`}, []string{`"aGk"`, `"?"`, `" "`}},
		{"Date", []string{`"2024"`, `"2024-02"`, `"2024-02-29"`}, []string{`"2023-02-29"`, `"2024-13"`, `"24"`, `"0000"`, `"2024-02-29T10:00:00Z"`}},
		{"DateTime", []string{`"2024"`, `"2024-02-29T10:00:00Z"`, `"2024-02-29T23:59:60.5-14:00"`}, []string{`"2024-02-29T10:00:00"`, `"2024-02-29T10:00Z"`, `"2024-02-30T10:00:00Z"`, `"2024-02-29T24:00:00Z"`}},
		{"Instant", []string{`"2024-02-29T10:00:00.123+02:00"`}, []string{`"2024-02-29"`}},
		{"Time", []string{`"10:00:00"`}, []string{`"10:00"`, `"25:00:00"`}},
	} {
		for _, v := range row.good {
			if got := found(t, `{"resourceType":"Patient","extension":[{"url":"urn:x","value`+row.kind+`":`+v+`}]}`); len(got) > 0 {
				t.Errorf("%s %s: %v", row.kind, v, got)
			}
		}
		for _, v := range row.bad {
			if got := found(t, `{"resourceType":"Patient","extension":[{"url":"urn:x","value`+row.kind+`":`+v+`}]}`); len(got) != 1 {
				t.Errorf("%s %s is taken: %v", row.kind, v, got)
			}
		}
	}
}

// Of a resource with faults everywhere the first twenty are told.
func TestFindingsEnd(t *testing.T) {
	if got := found(t, observation(`,"category":[`+strings.Repeat(`{"x":1},`, 50)+`{"x":1}]`)); len(got) != 20 {
		t.Errorf("%d findings", len(got))
	}
	if got := structure.Check(fhir.Resource{}); got != nil {
		t.Errorf("no resource: %v", got)
	}
}
