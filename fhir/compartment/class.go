package compartment

import "github.com/emberlatch/emberlatch/fhir"

// Class says how a type may be reached at all. The zero value is Closed.
type Class int

// The classes of types.
const (
	Closed Class = iota // nobody's: no app reaches it
	Record              // about patients: reached through its owners
	Shared              // about nobody: directories and definitions; read and search
)

// String names the class.
func (c Class) String() string { return [...]string{"closed", "record", "shared"}[c] }

// ClassOf returns the class of a type; types that are not listed are Closed.
func ClassOf(t fhir.ResourceType) Class {
	if _, ok := members[t]; ok {
		return Record
	}
	if shared[t] {
		return Shared
	}
	if DerivationOf(t) != None {
		return Record
	}
	return Closed
}

// shared types hold no patient data. A scope that covers one reads it whoever
// the patient is (SMART App Launch 2.2, scopes; US Core needs the directories).
var shared = set(
	"Practitioner", "PractitionerRole", "Organization", "OrganizationAffiliation", "Location", "HealthcareService",
	"Endpoint", "Medication", "MedicationKnowledge", "Substance", "InsurancePlan",
	"ActivityDefinition", "CodeSystem", "ConceptMap", "DeviceDefinition", "Library", "Measure", "NamingSystem",
	"ObservationDefinition", "OperationDefinition", "PlanDefinition", "Questionnaire", "SearchParameter",
	"SpecimenDefinition", "StructureDefinition", "StructureMap", "ValueSet",
)

func set(names ...fhir.ResourceType) map[fhir.ResourceType]bool {
	m := map[fhir.ResourceType]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

// Derivation tells where the owners of a type come from.
type Derivation int

// Own content, the targets of a Provenance, or the security context of a Binary
// and else everything that attaches it.
const (
	None Derivation = iota
	FromTargets
	FromSecurityContextOrAttachers
)

// DerivationOf returns how the owners of a type are found.
func DerivationOf(t fhir.ResourceType) Derivation {
	switch t {
	case "Provenance":
		return FromTargets
	case "Binary":
		return FromSecurityContextOrAttachers
	}
	return None
}
