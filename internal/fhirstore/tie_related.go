package fhirstore

import (
	"math"
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
)

// relatedTies: a RelatedPerson leads to the patient, by a relationship that the operator
// named. It must say that it is active: who stands for a patient is not guessed.
func (t TieRules) relatedTies(r fhir.Resource, base string) []Tie {
	related := r.Tree()
	span, readable := periodOf(related["period"])
	patient, ok := localReference(related["patient"], base)
	if related["active"] != true || !readable || !ok || patient.Type != "Patient" {
		return nil
	}
	own := fhir.Reference{Type: "RelatedPerson", ID: r.ID()}
	switch {
	case names(related["relationship"], t.Standing), t.Majority == 0 && names(related["relationship"], t.Parents):
		return []Tie{{own, patient, span}}
	case names(related["relationship"], t.Parents):
		return []Tie{{own, Minor(patient.ID), span}}
	}
	return nil
}

// minorTies: until the birthday on which a patient comes of age. Of a birth date that is
// not exact the first day counts; without one nobody is a minor.
func (t TieRules) minorTies(r fhir.Resource) []Tie {
	text, _ := r.Tree()["birthDate"].(string)
	born, _, known := moments(text)
	if len(t.Parents) == 0 || t.Majority == 0 || !known {
		return nil
	}
	ofAge := born.AddDate(t.Majority, 0, 0)
	return []Tie{{Minor(r.ID()), fhir.Reference{Type: "Patient", ID: r.ID()}, Span{math.MinInt64, ofAge.UnixMilli() - 1}}}
}

// names reports whether one of some concepts has one of some codes.
func names(concepts any, codes []Code) bool {
	for _, concept := range objects(concepts) {
		for _, coding := range objects(concept["coding"]) {
			system, _ := coding["system"].(string)
			code, _ := coding["code"].(string)
			if slices.Contains(codes, Code{system, code}) {
				return true
			}
		}
	}
	return false
}
