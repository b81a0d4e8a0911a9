package fhirapi

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Whatever is sent as a patch of either kind, nothing panics, and what comes of it was
// read as strictly as a body.
func FuzzPatch(f *testing.F) {
	resources := []string{
		`{"resourceType":"Patient","id":"a","active":true,"name":[{"given":["A",null],"_given":[null,{"id":"x"}]}],"contact":[{"gender":"male"}]}`,
		`{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"valueQuantity":{"value":5.40}}`,
	}
	for n, body := range []string{
		`[{"op":"test","path":"/name/0/given","value":["A",null]},{"op":"add","path":"/name/0/given/-","value":null}]`,
		`[{"op":"move","from":"/name/0","path":"/contact"},{"op":"copy","from":"/valueQuantity","path":"/a~1b"},{"op":"replace","path":"/code","value":{}}]`,
		`[{"op":"test","path":"","value":{}},{"op":"remove","path":"/valueQuantity/value"}]`,
		`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.name.given[1].id"}]}]}`,
		`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Observation"},{"name":"name","valueString":"note"},{"name":"value","valueAnnotation":{"text":"x"}}]}]}`,
	} {
		f.Add(uint8(n), []byte(body))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		current, err := fhir.ParseResource([]byte(resources[int(which)%len(resources)]))
		if err != nil {
			t.Fatal(err)
		}
		for _, read := range []func([]byte) (edit, error){jsonPatch, pathPatch} {
			apply, err := read(body)
			if err != nil {
				continue
			}
			changed, err := apply(current)
			if err == nil && changed.IsZero() {
				t.Fatal("neither a resource nor an error")
			}
			if err != nil && !changed.IsZero() {
				t.Fatal("both a resource and an error")
			}
		}
	})
}
