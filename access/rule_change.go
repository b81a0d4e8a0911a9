package access

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/smart"
)

// Possible reports whether a scope of a level, with a permission on a type, can
// let anything be done at all, whoever has it. What is not possible is neither
// granted nor shown to anybody for approval (SCOPE-16).
func Possible(l smart.Level, t fhir.ResourceType, permission byte) bool {
	switch t {
	case smart.AnyType:
		return true
	case trailType:
		return l == smart.LevelPatient && (permission == 'r' || permission == 's')
	}
	switch compartment.ClassOf(t) {
	case compartment.Closed:
		return false
	case compartment.Shared:
		_, stands := sharedRule(permission)
		return stands
	}
	return permission == 'r' || permission == 's' || changeable(l, t, permission)
}

// policyTypes are what is read to find out who reaches whom, now or by a rule that
// an operator may add. An app that could write one could let itself or others in
// (design law of access, row 73). internal/reach has a test that it reads no others.
var policyTypes = map[fhir.ResourceType]bool{
	"CareTeam": true, "Consent": true, "Encounter": true, "Group": true, "Person": true, "PractitionerRole": true, "RelatedPerson": true,
}

// policyElements are the same, in types that apps may change otherwise.
var policyElements = map[fhir.ResourceType][]string{"Patient": {"generalPractitioner", "managingOrganization", "link"}}

// lastingElements are set with the resource and stay, where ages lead (Facts.AgeLeads): how
// long a parent stands for a child goes by the birth date.
var lastingElements = map[fhir.ResourceType][]string{"Patient": {"birthDate"}}

// IsPolicySource reports whether a type, or an element of one, says who reaches
// whom. An empty element asks for the whole type.
func IsPolicySource(t fhir.ResourceType, element string) bool {
	if policyTypes[t] {
		return true
	}
	return slices.Contains(policyElements[t], element) || slices.Contains(lastingElements[t], element)
}

// changeable: what apps create, change and delete among the types that are about
// patients. A patient is never deleted, since others' reach goes by that record;
// and made only by who reaches everybody, for a new patient is within nobody's
// reach (C.3 of the design).
func changeable(l smart.Level, t fhir.ResourceType, permission byte) bool {
	switch {
	case policyTypes[t]:
		return false
	case t == "Patient" && permission == 'd':
		return false
	case t == "Patient" && permission == 'c':
		return l == smart.LevelSystem
	}
	return true
}

// neverChanged says why no app does what a permission means for a type; empty: some
// may.
func neverChanged(t fhir.ResourceType, permission byte) string {
	if permission == 'r' || permission == 's' {
		return ""
	}
	switch {
	case compartment.ClassOf(t) == compartment.Shared:
		return "No app changes resources of the type " + string(t) + "."
	case policyTypes[t]:
		return "No app changes resources of the type " + string(t) + ": they say who reaches whom."
	case t == "Patient" && permission == 'd':
		return "No app deletes a Patient."
	}
	return ""
}
