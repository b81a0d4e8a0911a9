package fhir_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Names are replaced where they are a whole text, and nothing else is touched.
//
// attack: B.84
func TestRenamed(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`{"resourceType":"Basic","n":1.00, "a":"urn:x" }`, `{"resourceType":"Basic","n":1.00, "a":"Patient/\"1" }`},
		{`{"resourceType":"Basic","l":["urn:x","urn:xx","x urn:x",{"b" : "urn:\u0078"}]}`, `{"resourceType":"Basic","l":["Patient/\"1","urn:xx","x urn:x",{"b" : "Patient/\"1"}]}`},
		{`{"resourceType":"Basic","a":"b"}`, `{"resourceType":"Basic","a":"b"}`},
	} {
		r, err := fhir.ParseResource([]byte(row.text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Renamed(map[string]string{"urn:x": `Patient/"1`})
		if err != nil || string(got.JSON()) != row.want {
			t.Errorf("%s, %v", got.JSON(), err)
		}
		if _, err := fhir.ParseResource(got.JSON()); err != nil {
			t.Error(err)
		}
	}
}

// Whatever is sent as a Bundle, it is read or refused, and what is read is a resource.
func FuzzParseBundle(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"urn:x","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}]}`))
	f.Add([]byte(`{"resourceType":"Bundle","type":"transaction","Entry":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		bundle, err := fhir.ParseBundle(b)
		if err != nil {
			return
		}
		if r, err := fhir.ParseResource(b); err != nil || r.Type() != "Bundle" {
			// A Bundle of requests may have any id; nothing else differs.
			if err == nil {
				t.Errorf("read as a Bundle, and it is a %s", r.Type())
			}
		}
		for _, e := range bundle.Entries {
			if r, err := fhir.ParseResource(e.Resource); err == nil {
				if _, err := r.Renamed(map[string]string{"urn:x": "Patient/1"}); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
