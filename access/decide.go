package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
)

// Decide judges an interaction by the subject and the request line alone; what
// data there is changes nothing of the answer (design law of access, rows 2 and
// 45). The order of the rules is here and nowhere else.
func Decide(s Subject, i fhir.Interaction) Decision {
	k, permission := s.known, i.Letter()
	d := Decision{known: k, permission: permission}
	if permission == 0 {
		return d.refuse(NotOffered, Refusal{Text: "This server does not offer the " + string(i.Code) + " interaction to apps."})
	}
	// Order: a closed type is refused before scopes are looked at; a wildcard does
	// not open it.
	g := gate{}
	never := neverChanged(i.Type, permission)
	switch class := compartment.ClassOf(i.Type); {
	case i.Type == "":
		g = k.ofSystem()
	case i.Type == trailType && k.namesTrail():
		g = k.ofTrail()
	case class == compartment.Closed:
		return d.refuse(TypeClosed, Refusal{Text: "No app reaches resources of the type " + string(i.Type) + "."})
	case never != "":
		return d.refuse(TypeNotChanged, Refusal{Text: never})
	default:
		g = k.of(i.Type).gate
	}
	if place, ok := g.scope(permission); ok {
		scope := k.facts.Scopes.Clinical()[place]
		return d.allow(reasonFor(scope), "scope ", scope.String())
	}
	if k.isSelf(i) {
		return d.allow(OwnRecord, "self", "")
	}
	return d.refuse(whyNoScope(s, i), Refusal{InsufficientScope: true, Text: "The access token has no scope for " + describe(i) + "."})
}

// whyNoScope tells a token without the scope from one whose scope means nothing
// for it: patient/ without a patient in context, user/ without a user.
func whyNoScope(s Subject, i fhir.Interaction) Reason {
	for _, f := range Explain(s, i) {
		if f.Concerns && f.Allows {
			return ScopeWithoutEffect
		}
	}
	return ScopeMissing
}

func describe(i fhir.Interaction) string {
	if i.Type == "" {
		return "the " + string(i.Code) + " interaction"
	}
	return "the " + string(i.Code) + " interaction on " + string(i.Type)
}

// System sees everything, for the server's own work such as finding out who
// reaches whom. reason stands in the record; base is the FHIR base.
func System(reason, base string) Decision {
	return Decision{system: true, base: base}.allow(ServerItself, "system: ", reason)
}
