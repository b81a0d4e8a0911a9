package audit

import (
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

// recorded is an instant with its offset (AUD-02).
const recorded = "2006-01-02T15:04:05.000Z07:00"

func meaningOf(kind string) meaning {
	first, _, _ := strings.Cut(kind, ".")
	for _, name := range []string{kind, first} {
		if m, ok := meanings[name]; ok {
			return m
		}
	}
	return meaning{activity, nil, "E"}
}

// plainID names an event that is not a sheet.
const plainID = "event-"

// event says an event that is not a sheet in FHIR (R4 AuditEvent).
func (t Teller) event(e store.KeptEvent) AuditEvent {
	m := meaningOf(e.Kind)
	a := AuditEvent{
		ResourceType: "AuditEvent", ID: plainID + strconv.FormatInt(e.Seq, 10), Type: m.typ, Action: m.action,
		Recorded: e.At.UTC().Format(recorded), Outcome: "0", OutcomeDesc: t.stated(e.Kind, e.Detail),
		Source: observed(),
	}
	if m.subtype != nil {
		a.Subtype = append(a.Subtype, *m.subtype)
	}
	a.Subtype = append(a.Subtype, coding{System: ownKinds, Code: e.Kind})
	if e.Outcome != "ok" { // AUD-13
		a.Outcome = "4"
	}
	a.Agent, a.Entity = t.actors(e), entities(e)
	if strings.HasPrefix(e.Kind, ofEmergency) {
		a.inEmergency()
	}
	return a
}

func observed() source { return source{reference{Display: "Emberlatch"}, []coding{webServer}} }

// actors are who did it, and the app through which it was done.
func (t Teller) actors(e store.KeptEvent) []agent {
	actor := reference{Display: "not known"}
	switch {
	case e.Actor != "" && t.Patient == "":
		actor = identified(e.Actor)
	case e.Actor != "" && e.Actor == string(e.ClientID):
		actor = t.client(e.Actor)
	case e.Actor != "":
		actor = reference{Display: "not told"}
	}
	all := []agent{{Who: actor, Requestor: true}}
	if e.ClientID != "" && string(e.ClientID) != e.Actor {
		all = append(all, agent{Who: t.client(string(e.ClientID)), Type: typed(application)})
	}
	return all
}

// entities are whose record it is about, and the access.
func entities(e store.KeptEvent) []element {
	var all []element
	if e.Patient != "" {
		all = append(all, about(e.Patient))
	}
	if e.GrantID != "" {
		what := identified(string(e.GrantID))
		all = append(all, element{What: &what, Type: systemObject, Role: &securityRole})
	}
	return all
}

func about(patient string) element {
	return element{What: &reference{Reference: "Patient/" + patient}, Type: person, Role: &patientRole}
}
