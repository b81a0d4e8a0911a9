package audit

import (
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	dcm        = "http://dicom.nema.org/resources/ontology/DCM"
	ownKinds   = "urn:emberlatch:event"
	entityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	objectRole = "http://terminology.hl7.org/CodeSystem/object-role"
)

// recorded is an instant with its offset (AUD-02).
const recorded = "2006-01-02T15:04:05.000Z07:00"

// meaning is what a kind of event is in DICOM (PS3.16 CID 400 to 402), and which
// action of AuditEvent.
type meaning struct {
	typ     coding
	subtype *coding
	action  string
}

var (
	authentication = coding{dcm, "110114", "User Authentication"}
	attributes     = coding{dcm, "110137", "User Security Attributes Changed"}
	rights         = coding{dcm, "110136", "Security Roles Changed"}
	configuration  = coding{dcm, "110131", "Security Configuration"}
	application    = coding{dcm, "110100", "Application Activity"}
	auditUsed      = coding{dcm, "110101", "Audit Log Used"}
	imported       = coding{dcm, "110107", "Import"}
)

// meanings by the first word of the kind, or by all of it where that says more.
var meanings = map[string]meaning{
	"login":              {authentication, &coding{dcm, "110122", "Login"}, "E"},
	"logout":             {authentication, &coding{dcm, "110123", "Logout"}, "E"},
	"sessions":           {authentication, &coding{dcm, "110123", "Logout"}, "E"},
	"enrol":              {attributes, nil, "C"},
	"user":               {attributes, nil, "U"},
	"user.added":         {attributes, nil, "C"},
	"password":           {attributes, nil, "U"},
	"grant":              {rights, nil, "D"},
	"client":             {configuration, nil, "U"},
	"client.added":       {configuration, nil, "C"},
	"client.registered":  {configuration, nil, "C"},
	"client.removed":     {configuration, nil, "D"},
	"client.exported":    {configuration, nil, "R"},
	"registration-token": {configuration, nil, "U"},
	"keys":               {configuration, nil, "U"},
	"data":               {imported, nil, "C"},
	"access":             {auditUsed, nil, "R"},
	"audit":              {auditUsed, nil, "R"},
}

func meaningOf(kind string) meaning {
	first, _, _ := strings.Cut(kind, ".")
	for _, name := range []string{kind, first} {
		if m, ok := meanings[name]; ok {
			return m
		}
	}
	return meaning{application, nil, "E"}
}

// auditEvent says an event in FHIR (R4 AuditEvent).
func auditEvent(e store.KeptEvent) AuditEvent {
	m := meaningOf(e.Kind)
	a := AuditEvent{
		ResourceType: "AuditEvent", ID: "event-" + strconv.FormatInt(e.Seq, 10), Type: m.typ, Action: m.action,
		Recorded: e.At.UTC().Format(recorded), Outcome: "0", OutcomeDesc: e.Detail,
		Source: source{reference{Display: "Emberlatch"}},
	}
	if m.subtype != nil {
		a.Subtype = append(a.Subtype, *m.subtype)
	}
	a.Subtype = append(a.Subtype, coding{System: ownKinds, Code: e.Kind})
	if e.Outcome != "ok" { // AUD-13
		a.Outcome = "4"
	}
	a.Agent, a.Entity = agents(e), entities(e)
	return a
}

// agents are who did it, and the app through which it was done.
func agents(e store.KeptEvent) []agent {
	actor := reference{Display: "not known"}
	if e.Actor != "" {
		actor = reference{Identifier: &identifier{e.Actor}}
	}
	all := []agent{{Who: actor, Requestor: true}}
	if e.ClientID != "" && string(e.ClientID) != e.Actor {
		all = append(all, agent{Who: reference{Identifier: &identifier{string(e.ClientID)}}, Type: &concept{[]coding{{dcm, "110150", "Application"}}}})
	}
	return all
}

// entities are whose record it is about, and the access.
func entities(e store.KeptEvent) []element {
	var all []element
	if e.Patient != "" {
		all = append(all, element{reference{Reference: "Patient/" + e.Patient}, coding{entityType, "1", "Person"}, coding{objectRole, "1", "Patient"}})
	}
	if e.GrantID != "" {
		all = append(all, element{reference{Identifier: &identifier{string(e.GrantID)}}, coding{entityType, "2", "System Object"}, coding{objectRole, "13", "Security Resource"}})
	}
	return all
}
