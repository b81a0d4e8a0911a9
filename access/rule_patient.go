package access

// patientRule: a patient/ scope means something when a patient is in context
// (SMART App Launch 2.2, scopes: patient-specific; SCOPE-19). It reaches the record
// of that patient while the user behind the token still does (row 112 of the leak
// catalogue).
func (k *known) patientRule() (ground, bool) {
	if k.facts.Patient == "" {
		return ground{}, false
	}
	return k.inContext, true
}
