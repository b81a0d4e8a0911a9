package app

import "github.com/emberlatch/emberlatch/smart"

// usCoreTypes have resource-level scopes (US Core 7, SMART scopes: SHALL and MAY).
var usCoreTypes = []string{
	"AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Coverage", "Device", "DiagnosticReport", "DocumentReference",
	"Encounter", "Goal", "Immunization", "Location", "Medication", "MedicationDispense", "MedicationRequest", "Observation",
	"Organization", "Patient", "Practitioner", "PractitionerRole", "Procedure", "Provenance", "QuestionnaireResponse",
	"RelatedPerson", "ServiceRequest", "Specimen",
}

// usCoreCategories have granular scopes (HTI-1; US Core 7, SMART scopes).
var usCoreCategories = []string{
	"Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
	"Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
	"Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
	"Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
	"Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history",
	"Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey",
	"Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
	"Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|procedure",
	"Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh",
	"DocumentReference.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note",
}

// advertisedScopes are worth naming in discovery; others may be granted as well
// (DISC-17, DISC-18).
func advertisedScopes() []string {
	list := []string{
		smart.OpenID, smart.FHIRUser, smart.Profile, smart.Launch, smart.LaunchPatient, smart.LaunchEncounter, smart.OfflineAccess, smart.OnlineAccess,
		"patient/*.rs", "patient/*.read", "user/*.rs", "user/*.read", "system/*.rs", "system/*.read",
	}
	for _, level := range []string{"patient/", "user/"} {
		for _, t := range usCoreTypes {
			list = append(list, level+t+".rs")
		}
		for _, c := range usCoreCategories {
			list = append(list, level+c)
		}
	}
	return list
}
