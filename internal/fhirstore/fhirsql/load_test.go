package fhirsql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// One resource that cannot be stored is one failure that says where it stood; all
// others of the load are stored, those of the same portion too.
func TestFailuresOfSingleResources(t *testing.T) {
	bad := []string{
		`{"resourceType":"Patient","id":"x","meta":"text"}`, `{"resourceType":"Patient","id":"x","meta":["tag","x"]}`,
		`{"resourceType":"Patient","id":"x","meta":["tag"]}`, `{"resourceType":"Patient","id":"x","meta":[]}`,
		`{"resourceType":"Patient","id":"x","meta":[{"tag":[]}]}`, `{"resourceType":"Patient","id":"x","meta":5}`,
		`{"resourceType":"Patient","id":"x","meta":null}`, `{"resourceType":"Patient","id":"x","meta":true}`,
		`{"resourceType":"Patient","id":"x","name":[{"family":"a\u0000b"}]}`,
		`{"resourceType":"Patient","id":"x","gender":"\u0000"}`, `{"resourceType":"Patient","id":"x","meta":{"source":"urn:\u0000"}}`,
		`{"resourceType":"Patient","id":"a b"}`, `{"resourceType":"Patient"}`, `{`, ``,
	}
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			resources := func(yield func(fhirstore.Incoming) bool) {
				for i, text := range bad {
					good := fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","meta":{"source":"urn:x"}}`, i)
					if !yield(fhirstore.Incoming{JSON: []byte(good), Origin: fmt.Sprint("good:", i)}) ||
						!yield(fhirstore.Incoming{JSON: []byte(text), Origin: fmt.Sprint("bad:", i)}) {
						return
					}
				}
			}
			report, err := s.Load(context.Background(), resources, nil)
			if err != nil {
				t.Fatalf("the load ended: %v", err)
			}
			if report.Stored["Patient"] != len(bad) || len(report.Failures) != len(bad) {
				t.Errorf("stored %d, failed %d, want %d each", report.Stored["Patient"], len(report.Failures), len(bad))
			}
			for i, f := range report.Failures {
				if f.Origin != fmt.Sprint("bad:", i) || f.Reason == "" || strings.Contains(f.Reason, "SQL") {
					t.Errorf("failure %d: %+v", i, f)
				}
			}
			last := fhir.Reference{Type: "Patient", ID: fmt.Sprint("p", len(bad)-1)}
			if !reads(t, s, patientToken(last.ID), last) {
				t.Errorf("%s was not stored", last)
			}
			if reads(t, s, patientToken("x"), fhir.Reference{Type: "Patient", ID: "x"}) {
				t.Error("a failure was stored")
			}
		})
	}
}
