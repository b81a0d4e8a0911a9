package sensitive

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// medicine is the type of what statements about medicines refer to. It is about no
// patient, but what it is says what somebody takes: its codes count.
const medicine fhir.ResourceType = "Medication"

// statements name a medicine by a code, or refer to it by this parameter.
var statements = func() map[fhir.ResourceType]search.Parameter {
	m := map[fhir.ResourceType]search.Parameter{}
	for _, t := range StatementTypes() {
		if p, ok := search.Lookup(t, "medication"); ok {
			m[t] = p
		}
	}
	return m
}()

// StatementTypes are the types that state that somebody takes a medicine.
func StatementTypes() []fhir.ResourceType {
	return []fhir.ResourceType{"MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement"}
}

// Medicine is the parameter by which a resource of a type refers to the medicine that it
// is about, and whose codes are as good as its own. false: it does not.
func Medicine(t fhir.ResourceType) (search.Parameter, bool) {
	p, ok := statements[t]
	return p, ok
}
