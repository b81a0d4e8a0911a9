package fhir_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Each resource of a document keeps its bytes; one that is none is told, and the next
// one is read all the same. What two readers would read differently ends the whole.
func TestDocument(t *testing.T) {
	document := `[ {"resourceType":"Patient","id":"a","x": 1.50} ,
 7, {"resourceType":"Nothing"}, null ,{"resourceType":"Patient","id":"../b"},{ "resourceType":"Observation" }]`
	dec := fhir.NewDocument([]byte(document))
	if _, err := dec.ReadToken(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for dec.PeekKind() != ']' {
		r, inOrder, err := dec.Resource()
		var parse *fhir.ParseError
		switch {
		case !inOrder:
			t.Fatal(err)
		case errors.As(err, &parse):
			got = append(got, "-")
		default:
			got = append(got, string(r.JSON()))
		}
	}
	want := `{"resourceType":"Patient","id":"a","x": 1.50} - - - - { "resourceType":"Observation" }`
	if text := strings.Join(got, " "); text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	for _, document := range []string{`{"a":1,"a":2}`, `{"a":`, `{"a":"` + "\xff" + `"}`, strings.Repeat("[", 70) + strings.Repeat("]", 70), `{"a":"\u0000"}`} {
		dec := fhir.NewDocument([]byte(document))
		if _, inOrder, err := dec.Resource(); inOrder || err == nil {
			t.Errorf("%.40s: in order: %v, %v", document, inOrder, err)
		}
	}
}
