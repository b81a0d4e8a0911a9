package upstream

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir"
)

// Whatever an upstream sends, a Bundle is read or refused; each entry is a part of
// the bytes that the strict reader reads alike.
func FuzzParseBundle(f *testing.F) {
	for _, seed := range []string{
		`{"resourceType":"Bundle","type":"searchset","total":1,"link":[{"relation":"next","url":"http://up/fhir?x"}],"entry":[{"resource":{"resourceType":"Patient","id":"a"},"search":{"mode":"match"}}]}`,
		`{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"DELETE"},"response":{"etag":"W/\"2\"","lastModified":"x"}},{"resource":{"resourceType":"Patient","id":"a"},"request":7,"response":[]}]}`,
		`{"entry":[{"resource":7},{"resource":null},{}],"type":"searchset","resourceType":"Bundle"}`, `{"resourceType":"Bundle","type":"searchset","entry":{}}`, `[]`, ``, `{"link":[[]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		kind := searchset
		if bytes.Contains(document, []byte(`"history"`)) {
			kind = history
		}
		b, err := parseBundle(document, kind)
		if err != nil {
			return
		}
		for _, e := range b.entries {
			if e.broken != nil {
				continue
			}
			again, err := fhir.ParseResource(e.resource.JSON())
			if err != nil || !bytes.Contains(document, e.resource.JSON()) || !cmp.Equal(again.Tree(), e.resource.Tree()) {
				t.Errorf("%s: %v", e.resource.JSON(), err)
			}
		}
		seenAlike(t, document, b)
	})
}

// seenAlike compares a page with what encoding/json makes of it.
func seenAlike(t *testing.T, document []byte, b bundle) {
	t.Helper()
	var plain map[string]any
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&plain); err != nil {
		t.Fatal(err)
	}
	entries, _ := plain["entry"].([]any)
	if len(entries) != len(b.entries) {
		t.Fatalf("%d entries of %d", len(b.entries), len(entries))
	}
	for i, e := range entries {
		object, _ := e.(map[string]any)
		if got := b.entries[i]; got.broken == nil && !reflect.DeepEqual(any(got.resource.Tree()), object["resource"]) {
			t.Errorf("entry %d is %s", i, got.resource.JSON())
		}
	}
}

// A rewritten document is the same but for URLs under the base, and rewriting it once
// more changes nothing.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{
		`{"resourceType":"Patient","link":[{"other":{"reference":"http:\/\/up/fhir/Patient/x"}}],"photo":[{"url":"http://up/fhir/Binary/1"}]}`,
		`{"a":[[{"reference":"http://up/fhir/Patient/x#c"}]],"reference":"http://up/fhirx/Patient/x","url":"http://up/fhir/Patient/x"}`,
		`{"extension":[{"url":"http://up/fhir/Patient/x","valueReference":{"reference":"http://up/fhir/Patient/x"}}]}`,
	} {
		f.Add([]byte(seed))
	}
	r := newRebaser([]string{"http://up/fhir"}, "https://ours/fhir")
	f.Fuzz(func(t *testing.T, document []byte) {
		before, err := fhir.ParseResource(document)
		if err != nil {
			return
		}
		after, err := r.resource(before)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := r.resource(after)
		if err != nil || !bytes.Equal(twice.JSON(), after.JSON()) {
			t.Errorf("once %s, twice %s, %v", after.JSON(), twice.JSON(), err)
		}
		same := cmp.Comparer(func(a, b string) bool {
			return strings.Replace(a, "https://ours/fhir/", "http://up/fhir/", 1) == strings.Replace(b, "https://ours/fhir/", "http://up/fhir/", 1)
		})
		if diff := cmp.Diff(before.Tree(), after.Tree(), same); diff != "" {
			t.Error(diff)
		}
	})
}

// A link is followed below the base only.
//
// attack: B.49
func TestRemainder(t *testing.T) {
	r := newRebaser([]string{"http://up/fhir", "https://public/r4"}, "https://ours/fhir")
	for link, want := range map[string]string{
		"http://up/fhir?_getpages=x": "?_getpages=x", "http://up/fhir/Observation?page=2": "/Observation?page=2", "https://public/r4/Observation?p=%20": "/Observation?p=%20",
		"http://up/fhir": "", "http://up/fhirx?page=2": "", "http://up/fhir/../admin": "", "http://up/fhir/./x": "", "http://up/fhir/%2e%2e/admin": "", "http://up.evil/fhir?x": "",
		"http://up/fhir@evil.example/": "", "//up/fhir?x": "", "?x": "", "http://up/fhir?a#b": "", "http://up/fhir?a b": "", "http://up/fhir/a\\b": "", "HTTP://up/fhir?x": "", "http://up/fhir?a\"b": "",
	} {
		got, ok := r.remainder(link)
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", link, got, ok, want)
		}
	}
}
