package fhirapi

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Each is a date of a type of the record.
func TestCareDatesAreDates(t *testing.T) {
	for kind, code := range careDates {
		if p, known := search.Lookup(kind, code); !known || p.Type != search.TypeDate || compartment.ClassOf(kind) != compartment.Record {
			t.Errorf("%s.%s is no date", kind, code)
		}
	}
	if len(cared("Encounter", "2020", "2021")) != 2 || cared("AllergyIntolerance", "2020", "2021") != nil {
		t.Error("a range has two ends, where there are dates")
	}
}
