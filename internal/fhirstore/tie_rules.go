package fhirstore

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
)

// TieRules say which ties there are. Care teams, Groups, general practitioners and roles
// tie always; the zero value adds nothing.
type TieRules struct {
	// Visits is how long after its end a visit leads those who took part in it to the
	// patient; while it goes on it does as well. Zero: visits lead nobody.
	Visits time.Duration
	// Organizations: who has a role at an Organization is led to all patients whom it
	// manages (Patient.managingOrganization).
	Organizations bool
	// Roles are codes of PractitionerRole: who has such a role is led to everybody.
	Roles []Code
	// Standing are relationships of RelatedPersons who stand for the patient as long as
	// they are active; Parents are those that end when the patient comes of age, at
	// Majority years; 0: never. Other relationships lead nobody.
	Standing, Parents []Code
	Majority          int
}

// Code is a code of a code system. Both count.
type Code struct{ System, Code string }

// String names the rules: ties that were kept by others are found anew.
func (t TieRules) String() string {
	return fmt.Sprintf("visits=%s organizations=%t roles=%q standing=%q parents=%q majority=%d",
		t.Visits, t.Organizations, t.Roles, t.Standing, t.Parents, t.Majority)
}

// TyingTypes are the types of which resources can tie.
func TyingTypes() []fhir.ResourceType {
	return []fhir.ResourceType{"CareTeam", "Encounter", "Group", "Patient", "PractitionerRole", "RelatedPerson"}
}

// Ties returns what a resource ties. References that are not local tie nobody.
func (t TieRules) Ties(r fhir.Resource, base string) []Tie {
	var list []Tie
	switch r.Type() {
	case "CareTeam":
		list = careTeamTies(r, base)
	case "Encounter":
		list = t.visitTies(r, base)
	case "Group":
		list = groupTies(r, base)
	case "Patient":
		list = slices.Concat(patientTies(r, base), t.managedTies(r, base), t.minorTies(r))
	case "PractitionerRole":
		list = slices.Concat(roleTies(r, base), t.workTies(r, base), t.everybodyTies(r, base))
	case "RelatedPerson":
		list = t.relatedTies(r, base)
	}
	held := list[:0]
	for _, tie := range list {
		if tie.Since <= tie.Until {
			held = append(held, tie)
		}
	}
	return held
}

// carer is a reference to who may care for a patient.
func carer(v any, base string) (fhir.Reference, bool) {
	ref, ok := localReference(v, base)
	return ref, ok && (ref.Type == "Practitioner" || ref.Type == "PractitionerRole")
}

// going are the states of a visit that goes on, and over that of one that took place.
var going, over = map[any]bool{"arrived": true, "triaged": true, "in-progress": true, "onleave": true}, "finished"

// visitTies: who takes part in a visit, from its beginning until some time after its
// end. Without a beginning, and when it is over without an end, nobody knows when.
func (t TieRules) visitTies(r fhir.Resource, base string) []Tie {
	visit := r.Tree()
	span, readable := periodOf(visit["period"])
	subject, ok := localReference(visit["subject"], base)
	ended := span.Until != math.MaxInt64
	took := going[visit["status"]] || visit["status"] == over && ended
	if t.Visits <= 0 || !took || !readable || span.Since == math.MinInt64 || !ok || subject.Type != "Patient" {
		return nil
	}
	if ended {
		span.Until += t.Visits.Milliseconds()
	}
	var list []Tie
	for _, p := range objects(visit["participant"]) {
		taking, readable := periodOf(p["period"])
		if taking.Until != math.MaxInt64 {
			taking.Until += t.Visits.Milliseconds()
		}
		if agent, ok := carer(p["individual"], base); ok && readable {
			list = append(list, Tie{agent, subject, span.Within(taking)})
		}
	}
	return list
}

// managedTies: the Organization that manages a patient.
func (t TieRules) managedTies(r fhir.Resource, base string) []Tie {
	managing, ok := localReference(r.Tree()["managingOrganization"], base)
	if !t.Organizations || !ok || managing.Type != "Organization" {
		return nil
	}
	return []Tie{{managing, fhir.Reference{Type: "Patient", ID: r.ID()}, always}}
}

// workTies: the Organization for which a role stands, for who has the role and for the
// role itself.
func (t TieRules) workTies(r fhir.Resource, base string) []Tie {
	at, ok := localReference(r.Tree()["organization"], base)
	if !t.Organizations || !ok || at.Type != "Organization" {
		return nil
	}
	var list []Tie
	for _, tie := range roleTies(r, base) {
		list = append(list, Tie{tie.Agent, at, tie.Span}, Tie{tie.LeadsTo, at, tie.Span})
	}
	return list
}

// everybodyTies: a role with a code that the operator named, for who has it and for the
// role itself.
func (t TieRules) everybodyTies(r fhir.Resource, base string) []Tie {
	if !names(r.Tree()["code"], t.Roles) {
		return nil
	}
	var list []Tie
	for _, tie := range roleTies(r, base) {
		list = append(list, Tie{tie.Agent, Everybody, tie.Span}, Tie{tie.LeadsTo, Everybody, tie.Span})
	}
	return list
}

// roleTies: a role that is active leads from its practitioner.
func roleTies(r fhir.Resource, base string) []Tie {
	role := r.Tree()
	span, readable := periodOf(role["period"])
	practitioner, ok := localReference(role["practitioner"], base)
	if role["active"] == false || !readable || !ok || practitioner.Type != "Practitioner" {
		return nil
	}
	return []Tie{{practitioner, fhir.Reference{Type: "PractitionerRole", ID: r.ID()}, span}}
}

// patientTies: whom a patient names as their general practitioner.
func patientTies(r fhir.Resource, base string) []Tie {
	var list []Tie
	for _, named := range listOf(r.Tree()["generalPractitioner"]) {
		if agent, ok := carer(named, base); ok {
			list = append(list, Tie{agent, fhir.Reference{Type: "Patient", ID: r.ID()}, always})
		}
	}
	return list
}

// careTeamTies: the participants of an active care team, and its subject.
func careTeamTies(r fhir.Resource, base string) []Tie {
	team := r.Tree()
	span, readable := periodOf(team["period"])
	subject, ok := localReference(team["subject"], base)
	if team["status"] != "active" || !readable || !ok || subject.Type != "Patient" {
		return nil
	}
	var list []Tie
	for _, p := range objects(team["participant"]) {
		taking, readable := periodOf(p["period"])
		if agent, ok := carer(p["member"], base); ok && readable {
			list = append(list, Tie{agent, subject, span.Within(taking)})
		}
	}
	return list
}

// groupTies: who manages a Group of persons, and its active members.
func groupTies(r fhir.Resource, base string) []Tie {
	agent, ok := carer(r.Tree()["managingEntity"], base)
	if !ok {
		return nil
	}
	var list []Tie
	for _, m := range Members(r, base) {
		list = append(list, Tie{agent, m.Patient, m.Span})
	}
	return list
}

// Member is a patient in a Group, and when.
type Member struct {
	Patient fhir.Reference
	Span
}

// Members returns the active members of a Group of persons who are patients.
func Members(r fhir.Resource, base string) []Member {
	group := r.Tree()
	if group["active"] == false || group["type"] != "person" {
		return nil
	}
	var list []Member
	for _, m := range objects(group["member"]) {
		span, readable := periodOf(m["period"])
		patient, ok := localReference(m["entity"], base)
		if m["inactive"] != true && readable && ok && patient.Type == "Patient" {
			list = append(list, Member{patient, span})
		}
	}
	return list
}
