package fhir_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// A document that was released is not read any more, and its room not mistaken for that
// of the next one.
func TestReleasedDocument(t *testing.T) {
	first, err := fhir.ReadDocument([]byte(`[{"resourceType":"Patient","id":"a","x":[1]}]`))
	if err != nil {
		t.Fatal(err)
	}
	var r fhir.Resource
	for n := range first.Values() {
		r, _ = n.Resource()
	}
	text := first.Release()
	if len(text) == 0 || text[0] != '[' || first.Release() != nil {
		t.Errorf("%q", text)
	}
	second, err := fhir.ReadDocument(append(text[:0], `[{"resourceType":"Patient","id":"b"}]`...))
	if err != nil || second.Len() != 1 {
		t.Fatal(err)
	}
	for name, look := range map[string]func(){
		"kind": func() { first.Kind() }, "JSON": func() { r.JSON() }, "root": func() { r.Root().Kind() }, "tree": func() { r.Tree() }, "meta": func() { r.VersionID() },
		"members": func() { _, _ = r.Members() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of what was released is told", name)
				}
			}()
			look()
		}()
	}
	if r.ID() != "a" || r.Type() != "Patient" {
		t.Error(r.Reference())
	}
	if (fhir.Node{}).Release() != nil {
		t.Error("no value was released")
	}
	alone, _ := fhir.ParseResource([]byte(`{"resourceType":"Patient"}`))
	if alone.Root().Release() != nil || alone.Root().Kind() != '{' {
		t.Error("a resource that stands alone was released")
	}
}
