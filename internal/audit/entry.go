package audit

import (
	"github.com/emberlatch/emberlatch/internal/trail"
)

// pattern is how BALP has an interaction recorded: who sends and who receives is the
// profile's word, which has the client send a query.
type pattern struct {
	profile, action      string
	client, server, user coding
}

// patterns by FHIR interaction.
var patterns = map[string]pattern{
	"read": reading, "vread": reading, "history-instance": {"", "R", receiver, sender, recipient},
	"search-type": query, "search-system": query, "history-type": query.unnamed(), "history-system": query.unnamed(),
	"create": {"BasicAudit.*Create", "C", sender, receiver, author},
	"update": updating, "patch": updating,
	"delete": {"BasicAudit.*Delete", "D", application, custodian, author},
}

var (
	reading    = pattern{"BasicAudit.*Read", "R", receiver, sender, recipient}
	query      = pattern{"BasicAudit.*Query", "E", sender, receiver, recipient}
	updating   = pattern{"BasicAudit.*Update", "U", sender, receiver, author}
	issuing    = pattern{"IUA.71", "E", application, tokenServer, recipient}
	disclosing = pattern{"BasicAudit.PrivacyDisclosure.Source", "R", receiver, sender, recipient}
	consents   = pattern{"BasicAudit.AuthZconsent", "E", application, authorizer, recipient}
)

// unnamed is the same where BALP has no profile.
func (p pattern) unnamed() pattern {
	p.profile = ""
	return p
}

// access says one entry, about one patient or none, in FHIR.
func (t Teller) access(id string, a trail.Entry, patient string) AuditEvent {
	e := AuditEvent{
		ResourceType: "AuditEvent", ID: id, Recorded: a.At.UTC().Format(recorded), Outcome: outcome(a), OutcomeDesc: describe(a), Source: observed(),
	}
	var p pattern
	switch a.Kind {
	case trail.CodeIssued:
		p, e.Type, e.Subtype = consents, alert, []coding{byConsent}
	case trail.TokenIssued, trail.TokenRefused:
		p, e.Type, e.Subtype = issuing, authentication, []coding{getToken}
	case trail.LoginBlocked:
		p, e.Type, e.Subtype = issuing, authentication, []coding{loggedIn, {System: ownKinds, Code: string(a.Kind)}}
	case trail.FHIR:
		p = patternOf(a.Code)
		e.Type, e.Subtype = rest, restful(a.Code)
		if discloses(a) {
			p, e.Type, e.Subtype = disclosing, exported, []coding{disclose}
		}
	}
	e.Action = p.action
	e.Agent = t.agents(a, p)
	e.Entity = t.touched(a, patient)
	if a.InEmergency(patient) {
		e.inEmergency()
	}
	if name := profileOf(p, a, patient); name != "" && t.Patient == "" {
		e.Meta = &meta{[]string{profiles + name}}
	}
	return e
}

// discloses: a part of a bulk export, in which records of patients left (AUD-11).
func discloses(a trail.Entry) bool { return a.Code == "$export" && len(a.Patients) > 0 }

func patternOf(code string) pattern {
	if p, known := patterns[code]; known {
		return p
	}
	return query.unnamed() // an operation, and what was not understood
}

// restful is the subtype of a request; of one that was not understood, a word of ours.
func restful(code string) []coding {
	switch {
	case code == "":
		return []coding{{System: ownKinds, Code: "request"}}
	case code[0] == '$':
		code = "operation"
	}
	return []coding{{interaction, code, code}}
}

// outcome is 0, 4 when the request was refused, and 8 when the server failed (AUD-13).
func outcome(a trail.Entry) string {
	switch {
	case a.Failed():
		return "8"
	case a.Refused():
		return "4"
	}
	return "0"
}
