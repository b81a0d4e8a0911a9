package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Own is whose records a client reaches by rights of its own, with nobody behind
// it: what the operator said. The zero value is nobody's.
type Own struct {
	// All: everybody's records, and those that are about nobody.
	All bool
	// Patients are those whose records are reached.
	Patients search.IDSet
	// Groups are those whose members are among the patients: it may be told who
	// belongs to them.
	Groups search.IDSet
}

// systemRule: a system/ scope means something when a client acts for itself and the
// operator has said whose records it reaches (SMART App Launch 2.2,
// backend-services; C.1 of the design: base(system), by default nothing). A token
// with a user or a patient behind it has no system rights, whatever its scopes say.
// A new patient is nobody whom it reaches, unless it reaches everybody.
func (k *known) systemRule(t fhir.ResourceType, permission byte) (ground, bool) {
	f := k.facts
	switch {
	case f.HasUser || f.Patient != "" || f.UserID != "":
		return ground{}, false
	case f.Own.All:
		return ground{reach: everything}, true
	case t == "Patient" && permission == 'c':
		return ground{}, false
	}
	return aboutPatients(ofClient, f.Own.Patients), f.Own.Patients.Len() > 0
}
