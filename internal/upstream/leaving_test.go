package upstream

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir"
)

func rebased(t testing.TB) *rebaser {
	t.Helper()
	return newRebaser([]string{"https://up.example.org/fhir", "https://also.example.org"}, "https://ours.example.org/fhir")
}

// What is sent has one spelling of each name and text, and keeps the digits of numbers;
// our base becomes that of the upstream where it names a resource.
//
// attack: B.77, B.104
func TestWhatIsSentIsWrittenAnew(t *testing.T) {
	for from, want := range map[string]string{
		`{ "resourceType" : "Observation", "s\u0075bject":{"reference":"P\u0061tient\/a"},"valueQuantity":{"value":5.40}}`: `{"resourceType":"Observation","subject":{"reference":"Patient/a"},"valueQuantity":{"value":5.40}}`,
		`{"resourceType":"Observation","valueQuantity":{"value":1.50E+3},"note":[{"text":"\u00e9"}]}`:                      `{"resourceType":"Observation","valueQuantity":{"value":1.50E+3},"note":[{"text":"é"}]}`,
		`{"resourceType":"Observation","subject":{"reference":"https://ours.example.org/fhir/Patient/a"}}`:                 `{"resourceType":"Observation","subject":{"reference":"https://up.example.org/fhir/Patient/a"}}`,
		`{"resourceType":"Observation","subject":{"reference":"https://ours.example.org/fhirx/Patient/a"}}`:                `{"resourceType":"Observation","subject":{"reference":"https://ours.example.org/fhirx/Patient/a"}}`,
		`{"resourceType":"Observation","note":[{"text":"https://ours.example.org/fhir/Patient/a"}]}`:                       `{"resourceType":"Observation","note":[{"text":"https://ours.example.org/fhir/Patient/a"}]}`,
	} {
		r, err := fhir.ParseResource([]byte(from))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rebased(t).leaving(r); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", from, got, err)
		}
	}
}

// Texts that lead to a server of ours in a spelling that is no reference.
//
// attack: B.24, B.61
func TestOtherSpellingsAreClaims(t *testing.T) {
	for text, want := range map[string]bool{
		"HTTPS://up.example.org/fhir/Patient/a": true, "https://UP.example.org:443/fhir/Patient/a": true, "//up.example.org/fhir/Patient/a": true, "https://up.example.org./fhir/Patient/a": true,
		"https://u@up.example.org/FHIR/Patient/a": true, "https://ours.example.org/fhir/Patient?x=y": true, "https://also.example.org/Patient/a/b": true, "Patient?identifier=x": true, "/Patient/a": true, "Patient/a/b/c": true, "http://[::1": true,
		"https://up.example.org/other/Patient/a": false, "https://up.example.org/fhirx/Patient/a": false, "https://elsewhere.example.org/fhir/Patient/a": false, "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9": false, "#contained": false, "Nothing/a": false, "": false,
	} {
		if got := rebased(t).claims(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// An entity tag names a version, or none.
func TestVersionOf(t *testing.T) {
	for tag, want := range map[string]string{`W/"1"`: "1", `"x-2"`: "x-2", `W/""`: "", `1`: "", `"1`: "", `W/"a b"`: "", `W/"` + strings.Repeat("a", 65) + `"`: "", "": "", `"`: ""} {
		if got := versionOf(tag); got != want {
			t.Errorf("%s: %q", tag, got)
		}
	}
}

// What is sent is what was judged, to the last value; and reading it back under our base
// changes nothing more.
func FuzzLeaving(f *testing.F) {
	for _, seed := range []string{
		`{"resourceType":"Patient","link":[{"other":{"reference":"https://ours.example.org/fhir/Patient/x"}}],"photo":[{"url":"https:\/\/ours.example.org/fhir/Binary/1"}]}`,
		`{"resourceType":"Patient","a":[1.0e5,-0,0.10,"\ud83d\ude00",true,null,{}],"b":{"reference":"https://up.example.org/fhir/Patient/x#c"}}`,
	} {
		f.Add([]byte(seed))
	}
	r := rebased(f)
	f.Fuzz(func(t *testing.T, document []byte) {
		before, err := fhir.ParseResource(document)
		if err != nil {
			return
		}
		if before, err = r.resource(before); err != nil {
			t.Fatal(err)
		}
		sent, err := r.leaving(before)
		if err != nil {
			t.Fatal(err)
		}
		after, err := fhir.ParseResource(sent)
		if err != nil {
			t.Fatalf("%s: %v", sent, err)
		}
		if after, err = r.resource(after); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before.Tree(), after.Tree()); diff != "" {
			t.Errorf("%s:\n%s", document, diff)
		}
		if bytes.ContainsAny(sent, "\n\r") {
			t.Errorf("%q", sent)
		}
	})
}
