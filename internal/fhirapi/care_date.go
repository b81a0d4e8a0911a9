package fhirapi

import (
	"net/url"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// careDates are the parameters that say when care took place. What is of no time
// (an allergy, a device, a coverage) is not among them.
var careDates = map[fhir.ResourceType]string{
	"Appointment": "date", "CarePlan": "date", "ClinicalImpression": "date", "Communication": "sent", "Composition": "date", "Condition": "onset-date",
	"DiagnosticReport": "date", "DocumentReference": "date", "Encounter": "date", "EpisodeOfCare": "date", "ImagingStudy": "started", "Immunization": "date",
	"MedicationAdministration": "effective-time", "MedicationDispense": "whenhandedover", "MedicationRequest": "authoredon", "MedicationStatement": "effective",
	"Observation": "date", "Procedure": "date", "QuestionnaireResponse": "authored", "RiskAssessment": "date", "ServiceRequest": "authored", "Specimen": "collected",
}

// cared is the condition that care took place in a range of dates, either end of which
// may be empty: some of it did, or none of it did before or after. So what does not say
// when it took place is kept: to leave it out would hide what may matter.
func cared(t fhir.ResourceType, start, end string) search.And {
	var all search.And
	code, known := careDates[t]
	if known && start != "" {
		all = append(all, search.Or{clauses(t, code, "ge", start), search.Not{Expr: clauses(t, code, "eb", start)}})
	}
	if known && end != "" {
		all = append(all, search.Or{clauses(t, code, "le", end), search.Not{Expr: clauses(t, code, "sa", end)}})
	}
	return all
}

// clauses is name=prefix+value as a condition of a type; nothing without a value.
func clauses(t fhir.ResourceType, name, prefix, value string) search.And {
	if value == "" {
		return nil
	}
	q, err := search.Parse(t, url.Values{name: {prefix + value}}, "")
	if err != nil { // dates were checked as they came
		return search.And{search.Or{}}
	}
	return search.And{q.Expr()}
}
