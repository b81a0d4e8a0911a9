package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/smart"
)

// Decide judges an interaction by the subject and the request line alone; what
// data there is changes nothing of the answer (design law of access, rows 2 and
// 45). The order of the rules is here and nowhere else.
func Decide(s Subject, i fhir.Interaction) Decision {
	d := Decision{subject: s, permission: i.Letter()}
	if d.permission == 0 {
		return d.refuse(Refusal{Text: "This server does not offer the " + string(i.Code) + " interaction to apps."})
	}
	// Order: a closed type is refused before scopes are looked at; a wildcard does
	// not open it.
	if i.Type != "" && compartment.ClassOf(i.Type) == compartment.Closed {
		return d.refuse(Refusal{Text: "No app reaches resources of the type " + string(i.Type) + "."})
	}
	if scope := s.scopeFor(i.Type, d.permission); !scope.IsZero() {
		d.reasons = []string{"scope " + scope.String()}
		d.allowed = true
		return d
	}
	if s.isSelf(i) {
		d.reasons = []string{"self"}
		d.allowed = true
		return d
	}
	return d.refuse(Refusal{InsufficientScope: true,
		Text: "The access token has no scope for " + describe(i) + "."})
}

func describe(i fhir.Interaction) string {
	if i.Type == "" {
		return "the " + string(i.Code) + " interaction"
	}
	return "the " + string(i.Code) + " interaction on " + string(i.Type)
}

// scopeFor returns a scope that lets the interaction be tried; zero: none.
func (s Subject) scopeFor(t fhir.ResourceType, permission byte) smart.Scope {
	for _, scope := range s.facts.Scopes.Clinical() {
		if scope.Allows(permission) && (t == "" || scope.Concerns(t)) && s.levelStands(scope, t, permission) {
			return scope
		}
	}
	return smart.Scope{}
}

// levelStands reports whether the level of a scope means anything for this
// subject: a missing claim is never "no limit" (design law of access, row 110).
func (s Subject) levelStands(scope smart.Scope, t fhir.ResourceType, permission byte) bool {
	if t != "" && compartment.ClassOf(t) == compartment.Shared && !sharedAllows(permission) {
		return false
	}
	switch scope.Level() {
	case smart.LevelPatient:
		return s.facts.Patient != ""
	case smart.LevelUser:
		return s.facts.HasUser
	}
	return systemStands()
}

// System sees everything, for the server's own work such as finding out who
// reaches whom. reason stands in the record; base is the FHIR base.
func System(reason, base string) Decision {
	return Decision{allowed: true, system: true, reasons: []string{"system: " + reason}, subject: Subject{facts: Facts{Base: base}}}
}
