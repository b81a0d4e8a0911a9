package access

import "github.com/emberlatch/emberlatch/fhir"

// patientRule: a patient/ scope means something when a patient is in context
// (SMART App Launch 2.2, scopes: patient-specific; SCOPE-19), and never makes
// another patient (C.3 of the design). It reaches the record of that patient
// while the user behind the token still does (row 112 of the leak catalogue).
func (k *known) patientRule(t fhir.ResourceType, permission byte) (ground, bool) {
	if k.facts.Patient == "" || t == "Patient" && permission == 'c' {
		return ground{}, false
	}
	return k.inContext, true
}
