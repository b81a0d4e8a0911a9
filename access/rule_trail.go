package access

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// trailType is what the server records of who looked at whose record. It is closed, and
// no view of a store ever shows it; one rule opens the record that the server keeps by
// itself.
const trailType fhir.ResourceType = "AuditEvent"

// trailRule: a patient/ scope that names AuditEvent reads and finds what was recorded
// about the patient in context, while who logged in is that patient or stands for them.
// People at work have no such right by a scope, and a wildcard does not open it (AUD-15).
func (k *known) trailRule() (ground, bool) {
	stands := k.facts.FHIRUser.Type == "Patient" || k.facts.FHIRUser.Type == "RelatedPerson"
	if !k.facts.HasUser || !stands {
		return ground{}, false
	}
	return k.patientRule()
}

// namesTrail reports whether a scope could open a trail, for somebody.
func (k *known) namesTrail() bool {
	return k != nil && slices.ContainsFunc(k.ofType[trailType], func(place int) bool {
		return k.facts.Scopes.Clinical()[place].Level() == smart.LevelPatient
	})
}

// ofTrail is the gate of the type: scopes that name it, and no others.
func (k *known) ofTrail() (g gate) {
	for _, place := range k.ofType[trailType] {
		scope := k.facts.Scopes.Clinical()[place]
		g.open(place, scope, func(permission byte) bool {
			_, stands := k.rule(scope.Level(), trailType, 0, permission)
			return stands
		})
	}
	return g
}

// opensTrail reports whether a scope is about the type, which a wildcard is not.
func opensTrail(scope smart.Scope, t fhir.ResourceType) bool {
	return t == trailType && scope.Type() == trailType
}

// Trail is whose trail a decision opens, and the condition that an event about them
// fulfils to be shown; a nil Expr matches nothing, and an empty patient is nobody.
func (d Decision) Trail() (patient string, view search.Expr) {
	if !d.allowed || d.reason != OwnTrail {
		return "", nil
	}
	u := &union{}
	for _, place := range d.known.ofType[trailType] {
		scope := d.known.facts.Scopes.Clinical()[place]
		if g, stands := d.known.rule(scope.Level(), trailType, 0, d.permission); stands && scope.Allows(d.permission) {
			u.add(g, conditions(scope, trailType))
		}
	}
	return d.known.facts.Patient, d.known.cleared(compartment.Record, u.expr())
}
