package compartment

import "github.com/emberlatch/emberlatch/fhir"

//go:generate go run ./internal/generate -definitions ../../../shared/data/definitions

// closedMembers are in the R4 patient compartment and hold lists of other
// patients, or the audit of others: closed by default.
var closedMembers = set("Group", "Person", "AuditEvent")

// additions are types that R4 leaves out of the patient compartment although
// they name a patient; US Core needs Device, later releases add Task.
var additions = map[fhir.ResourceType][]string{"Device": {"patient"}, "Task": {"patient"}}

// members are the parameters of the R4 patient compartment, type by type.
var members = func() map[fhir.ResourceType][]string {
	m := map[fhir.ResourceType][]string{"Patient": {"link"}}
	for t, codes := range otherRoots["Patient"] {
		if !closedMembers[t] && DerivationOf(t) == None {
			m[t] = codes
		}
	}
	for t, codes := range additions {
		m[t] = codes
	}
	return m
}()

// otherPrimary names the primary parameter where it is neither patient nor
// subject.
var otherPrimary = map[fhir.ResourceType][]string{
	"Coverage": {"beneficiary"}, "Appointment": {"actor"}, "AppointmentResponse": {"actor"},
	"Schedule": {"actor"}, "ResearchSubject": {"individual"}, "Patient": nil,
}

// primary are the parameters that say whom a resource is about. subject comes
// before patient, because patient leaves out values that are not patients.
var primary = func() map[fhir.ResourceType][]string {
	m := map[fhir.ResourceType][]string{}
	for t := range members {
		if codes, ok := otherPrimary[t]; ok {
			m[t] = codes
		} else if hasParameter(t, "subject") {
			m[t] = []string{"subject"}
		} else if hasParameter(t, "patient") {
			m[t] = []string{"patient"}
		}
	}
	return m
}()
