package access

import "slices"

// Ways are why a user reaches a patient: which rules lead there. No way is no reason; it
// is never a right by itself.
type Ways uint16

// The ways.
const (
	BySelf                Ways = 1 << iota // it is their own record
	ByRepresentation                       // their account stands for the patient
	ByRelatedPerson                        // a RelatedPerson of theirs stands for the patient
	ByPanel                                // a Group of patients that they manage
	ByGeneralPractitioner                  // the patient names them
	ByCareTeam                             // they take part in a care team
	ByVisit                                // they take part in a visit, or did not long ago
	ByOrganization                         // the patient's Organization is theirs
	ByRole                                 // a role of theirs reaches everybody
	ByEmergency                            // they have opened the record in an emergency
)

// wayNames are in the order of the ways. Records name them; a published one keeps its meaning.
var wayNames = [...]string{"self", "representation", "related-person", "panel", "general-practitioner", "care-team", "visit", "organization", "role", "emergency"}

// List names the ways.
func (w Ways) List() []string {
	var names []string
	for i, name := range wayNames {
		if w&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// ParseWays reads what List names; a name that is not known is no way.
func ParseWays(names []string) Ways {
	var w Ways
	for i, name := range wayNames {
		if slices.Contains(names, name) {
			w |= 1 << i
		}
	}
	return w
}
