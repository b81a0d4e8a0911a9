package access

import "github.com/emberlatch/emberlatch/fhir/search"

// patientGround: a patient/ scope reaches the record of the patient in context,
// while the user behind the token still reaches that patient (SMART App Launch
// 2.2, scopes: patient-specific; SCOPE-19, row 112 of the leak catalogue).
func (s Subject) patientGround() ground {
	if !s.reachesPatient {
		return ground{}
	}
	return ground{patients: search.NewIDSet(s.facts.Patient)}
}
