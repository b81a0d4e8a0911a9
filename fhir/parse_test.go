package fhir_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

const base = "https://ehr.example/fhir"

// attack: B.19a, B.24
func TestReferencesAreLocalOnlyWhenWrittenSo(t *testing.T) {
	for text, want := range map[string]string{
		"Patient/a": "Patient/a", base + "/Patient/a": "Patient/a", "Patient/a/_history/2": "Patient/a/_history/2",
		"https://other.example/fhir/Patient/a": "", base + "x/Patient/a": "", "#a": "", "": "", "patient/a": "", "Patient/": "",
		"Patient/a/": "", "Patient/a/b": "", "Patient/..": "", "/Patient/a": "", "Patient/a?x=y": "", "Patient/a/_history/": "", "urn:uuid:1": "",
	} {
		ref, ok := fhir.ParseReference(text, base)
		if ok != (want != "") || ok && ref.String() != want {
			t.Errorf("%q: %v %v, want %q", text, ref, ok, want)
		}
	}
}

// attack: B.77
func TestResourcesAreReadStrictly(t *testing.T) {
	for text, good := range map[string]bool{
		`{"resourceType":"Patient","id":"a"}`: true, `{"resourceType":"Patient"}`: true,
		`{"resourceType":"Patient","id":"a","id":"b"}`: false, `{"resourceType":"patient"}`: false, `{"resourceType":"Patient","id":"a/b"}`: false,
		`{"resourceType":"Patient","id":1}`: false, `[]`: false, ``: false, `{"resourceType":"Patient"} {}`: false,
		"\xef\xbb\xbf" + `{"resourceType":"Patient"}`: false, `{"resourceType":"Patient","x":"` + "\xff" + `"}`: false, `{"resourceType":"Patient","x":01}`: false,
		`{"resourceType":"Patient","meta":{}}`: true, `{"resourceType":"Patient","meta":null}`: false, `{"resourceType":"Patient","meta":["a"]}`: false,
		`{"resourceType":"Patient","x":"\u0000"}`: false, `{"resourceType":"Patient","x":["a\u0000"]}`: false, `{"resourceType":"Patient","x":"\u0009"}`: true,
	} {
		if _, err := fhir.ParseResource([]byte(text)); (err == nil) != good {
			t.Errorf("%q: %v, want good %v", text, err, good)
		}
	}
}

// spec: RSX-01, RSX-02, RSX-03
func TestInteractionsNeedTheirLetter(t *testing.T) {
	for request, want := range map[string]string{
		"GET /Patient/a": "read r", "HEAD /Patient/a": "read r", "GET /Patient/a/_history/1": "vread r", "GET /Patient/a/_history": "history-instance r",
		"GET /Patient": "search-type s", "POST /Patient/_search": "search-type s", "GET /Patient/_history": "history-type s", "GET /_history": "history-system s",
		"GET /": "search-system s", "POST /Patient": "create c", "PUT /Patient/a": "update u", "PATCH /Patient/a": "patch u", "DELETE /Patient/a": "delete d",
		"GET /Patient/a/Observation": "search-type s", "GET /Patient/a/": "", "GET //Patient": "", "GET /patient/a": "", "GET /Patient/%61": "", "GET /Patient/../x": "",
		"GET /Observation/a/Patient": "", "GET /Patient/a/_history/1/x": "", "TRACE /Patient/a": "", "GET /Patient/_search": "",
	} {
		var method, path string
		if _, err := fmt.Sscan(request, &method, &path); err != nil {
			t.Fatal(err)
		}
		got := ""
		if i, err := fhir.ParseInteraction(method, path); err == nil {
			got = fmt.Sprintf("%s %c", i.Code, i.Letter())
		}
		if got != want {
			t.Errorf("%s: %q, want %q", request, got, want)
		}
	}
}

func FuzzParseResource(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Patient","id":"a","meta":{"tag":[]},"x":1.50}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := fhir.ParseResource(b)
		if err != nil {
			return
		}
		again, err := r.WithMeta("new", 2, "2024-01-01T00:00:00Z")
		if err != nil {
			t.Fatal(err)
		}
		if back, err := fhir.ParseResource(again.JSON()); err != nil || back.ID() != "new" || back.VersionID() != "2" || back.Type() != r.Type() {
			t.Fatalf("%s does not come back: %v", again.JSON(), err)
		}
	})
}

func FuzzParseReference(f *testing.F) {
	f.Add("Patient/a/_history/1")
	f.Add(base + "/Patient/a")
	f.Fuzz(func(t *testing.T, s string) {
		if ref, ok := fhir.ParseReference(s, base); ok {
			if back, ok := fhir.ParseReference(ref.String(), base); !ok || back != ref {
				t.Fatalf("%q: %v does not come back", s, ref)
			}
		}
	})
}

func FuzzParseInteraction(f *testing.F) {
	f.Add(http.MethodGet, "/Patient/a/_history/1")
	f.Add(http.MethodPost, "/$export")
	f.Fuzz(func(t *testing.T, method, path string) {
		i, err := fhir.ParseInteraction(method, path)
		if err == nil && i.ID != "" && !fhir.ValidID(i.ID) {
			t.Fatalf("%q has the id %q", path, i.ID)
		}
	})
}

func ExampleParseReference() {
	ref, ok := fhir.ParseReference("https://ehr.example/fhir/Patient/a", "https://ehr.example/fhir")
	fmt.Println(ref, ok)
	_, ok = fhir.ParseReference("https://other.example/fhir/Patient/a", "https://ehr.example/fhir")
	fmt.Println(ok)
	// Output:
	// Patient/a true
	// false
}

func ExampleParseInteraction() {
	i, err := fhir.ParseInteraction("GET", "/Patient/a/_history/2")
	fmt.Printf("%s %s/%s %s %c %v\n", i.Code, i.Type, i.ID, i.Version, i.Letter(), err)
	// Output: vread Patient/a 2 r <nil>
}
