package smart_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/smart"
)

// good are contexts that the specification allows; they come out as they went in.
var good = []string{
	`[{"reference":"ImagingStudy/123"}]`,
	`[{"reference":"ImagingStudy/123","type":"ImagingStudy","role":"launch"}]`,
	`[{"canonical":"https://example.org/Questionnaire/1|2","type":"Questionnaire","role":"https://example.org/role/answer"}]`,
	`[{"identifier":{"system":"urn:oid:1.2.3","value":"4"},"type":"ServiceRequest"},{"reference":"Task/t"}]`,
	`[{"reference":"Patient/mother","role":"https://example.org/role/mother"},{"reference":"Encounter/e","role":"urn:x:before"}]`,
}

// bad are contexts that it forbids, each with the word of the answer that says why.
var bad = []struct{ row, text, why string }{
	{"CTX-22 no array", `{"reference":"Task/t"}`, "array"},
	{"CTX-22 empty", `[]`, "array"},
	{"CTX-22 null", `null`, "array"},
	{"CTX-22 strings", `["Task/t"]`, "array"},
	{"CTX-22 nothing in it", `[{}]`, "one of"},
	{"CTX-22 only a role", `[{"role":"launch"}]`, "one of"},
	{"CTX-22 a member of ours", `[{"reference":"Task/t","x":1}]`, "array"},
	{"CTX-22 something behind", `[{"reference":"Task/t"}] 1`, "well-formed"},
	{"CTX-22 a name twice", `[{"reference":"Task/t","reference":"Task/u"}]`, "well-formed"},
	{"CTX-22 identifier is a text", `[{"identifier":"4"}]`, "Identifier"},
	{"CTX-22 identifier is empty", `[{"identifier":{}}]`, "Identifier"},
	{"CTX-22 canonical is no URI", `[{"canonical":"Questionnaire/1"}]`, "absolute"},
	{"CTX-23 absolute", `[{"reference":"https://other.example.org/fhir/Task/t"}]`, "Type/id"},
	{"CTX-23 no such type", `[{"reference":"Nothing/t"}]`, "Type/id"},
	{"CTX-23 another type", `[{"reference":"Task/t","type":"Observation"}]`, "type is"},
	{"CTX-23 unknown type", `[{"canonical":"https://example.org/q","type":"Thing"}]`, "type is"},
	{"CTX-24 empty role", `[{"reference":"Task/t","role":""}]`, "role"},
	{"CTX-24 a relative role", `[{"reference":"Task/t","role":"mine"}]`, "role"},
	{"CTX-24 a role that is no URI", `[{"reference":"Task/t","role":":"}]`, "role"},
	{"CTX-24 a role beyond all bounds", `[{"reference":"Task/t","role":"urn:` + strings.Repeat("r", 1000) + `"}]`, "role"},
	{"CTX-25 the patient", `[{"reference":"Patient/p"}]`, "Patient"},
	{"CTX-25 the patient to launch", `[{"reference":"Patient/p","role":"launch"}]`, "Patient"},
	{"CTX-25 the encounter by identifier", `[{"identifier":{"value":"4"},"type":"Encounter"}]`, "Encounter"},
	{"SL-20 too long", `[{"reference":"Task/` + strings.Repeat("t", 9000) + `"}]`, "longer"},
}

// spec: CTX-22, CTX-23, CTX-24, CTX-25
func TestFHIRContext(t *testing.T) {
	for _, text := range good {
		c, err := smart.ParseFHIRContext([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		again, err := json.Marshal(c)
		if err != nil || string(again) != text {
			t.Errorf("%s came out as %s, %v", text, again, err)
		}
	}
	for _, row := range bad {
		c, err := smart.ParseFHIRContext([]byte(row.text))
		if !errors.Is(err, smart.ErrFHIRContext) || !strings.Contains(err.Error(), row.why) || c != nil {
			t.Errorf("%s: %v, %v, want a word of %q", row.row, c, err, row.why)
		}
	}
}

// spec: CTX-26
func TestFHIRContextOfTheFirstEdition(t *testing.T) {
	c, err := smart.ParseFHIRContext([]byte(`[{"reference":"Task/t"},{"canonical":"https://example.org/q"},{"reference":"ImagingStudy/1"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Task/t", "ImagingStudy/1"}, c.References()); diff != "" {
		t.Error(diff)
	}
}

// FuzzParseFHIRContext: what is accepted is accepted again as it is written, and
// holds no launch patient and no absolute reference.
//
// spec: CTX-22
func FuzzParseFHIRContext(f *testing.F) {
	for _, text := range good {
		f.Add([]byte(text))
	}
	for _, row := range bad {
		f.Add([]byte(row.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := smart.ParseFHIRContext(text)
		if err != nil {
			return
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", text, err)
		}
		if len(written) > 8<<10 { // escapes may make it longer
			return
		}
		again, err := smart.ParseFHIRContext(written)
		if diff := cmp.Diff(c, again); err != nil || diff != "" {
			t.Fatalf("%q written as %q: %v\n%s", text, written, err, diff)
		}
		for _, item := range c {
			if strings.HasPrefix(item.Reference, "http") || strings.HasPrefix(item.Reference, "Patient/") && item.Role == "" {
				t.Fatalf("%q: accepted %+v", text, item)
			}
		}
	})
}
