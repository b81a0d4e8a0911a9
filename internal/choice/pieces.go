package choice

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/smart"
)

// piece is one choice of a person.
type piece struct {
	value  string // the scope that it grants
	kind   fhir.ResourceType
	writes bool
	parts  []part // granting some of these in its place
}

// part is a sub-resource of a piece (CONS-04).
type part struct{ value, label string }

// cut is a requested scope with its pieces.
type cut struct {
	scope  smart.Scope
	pieces []piece
}

// listed are the types that a wildcard is shown as. What else a wildcard covers is
// granted when everything is left ticked.
var listed = []fhir.ResourceType{
	"Patient", "AllergyIntolerance", "Condition", "MedicationRequest", "MedicationDispense", "MedicationStatement",
	"MedicationAdministration", "Medication", "Immunization", "Observation", "DiagnosticReport", "Procedure", "Encounter",
	"DocumentReference", "Binary", "CarePlan", "CareTeam", "Goal", "ServiceRequest", "Coverage", "ExplanationOfBenefit",
	"Device", "QuestionnaireResponse", "RelatedPerson", "FamilyMemberHistory", "Specimen", "ImagingStudy", "Media", "Task",
	"Provenance", "Practitioner", "PractitionerRole", "Organization", "Location",
}

// categories are the sub-resources that people may choose (HTI-1; the code systems
// are those of the requirement rows' appendix A).
var categories = map[fhir.ResourceType][]struct{ system, code string }{
	"Condition": {
		{"http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis"},
		{"http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"},
		{"http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern"},
	},
	"Observation": {
		{"http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"},
		{"http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs"},
		{"http://terminology.hl7.org/CodeSystem/observation-category", "social-history"},
		{"http://terminology.hl7.org/CodeSystem/observation-category", "survey"},
		{"http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "sdoh"},
		{"http://terminology.hl7.org/CodeSystem/observation-category", "procedure"},
	},
}

// Choices are the pieces of what was asked for. The zero value offers nothing.
type Choices struct{ cuts []cut }

// Of cuts the clinical scopes of a request.
func Of(requested []string) Choices {
	var cuts []cut
	for _, scope := range smart.NewScopeSet(requested).Clinical() {
		c := cut{scope: scope}
		types := []fhir.ResourceType{scope.Type()}
		if scope.Type() == smart.AnyType && len(scope.Query()) == 0 {
			types = listed
		}
		for _, t := range types {
			c.pieces = append(c.pieces, piecesOf(scope, t)...)
		}
		cuts = append(cuts, c)
	}
	return Choices{withoutDoubles(cuts)}
}

// None reports whether there is nothing to choose.
func (c Choices) None() bool { return len(c.cuts) == 0 }

// withoutDoubles takes away parts that the app asked for by themselves: they are
// choices of their own, and ticking them narrows nothing.
func withoutDoubles(cuts []cut) []cut {
	own := map[string]bool{}
	for _, c := range cuts {
		for _, p := range c.pieces {
			own[p.value] = true
		}
	}
	for i := range cuts {
		for j := range cuts[i].pieces {
			p := &cuts[i].pieces[j]
			p.parts = slices.DeleteFunc(p.parts, func(part part) bool { return own[part.value] })
		}
	}
	return cuts
}

// piecesOf cuts a scope for one type into reading and writing.
func piecesOf(scope smart.Scope, t fhir.ResourceType) []piece {
	reads, writes := split(scope, t)
	var list []piece
	if reads != "" {
		p := piece{value: compose(scope, t, reads), kind: t}
		if len(scope.Query()) == 0 {
			p.parts = partsOf(scope, t, reads)
		}
		list = append(list, p)
	}
	if writes != "" {
		list = append(list, piece{value: compose(scope, t, writes), kind: t, writes: true})
	}
	return list
}

// split tells reading from writing. What no scope can do for the type is no choice:
// a wildcard that writes does not write what says who reaches whom.
func split(scope smart.Scope, t fhir.ResourceType) (reads, writes string) {
	for _, p := range []byte(scope.Permissions()) {
		switch {
		case !access.Possible(scope.Level(), t, p):
		case p == 'r' || p == 's':
			reads += string(p)
		default:
			writes += string(p)
		}
	}
	return reads, writes
}

// compose says a piece in the words of the scope that it was cut from.
func compose(scope smart.Scope, t fhir.ResourceType, permissions string) string {
	if t == scope.Type() && permissions == scope.Permissions() {
		return scope.String()
	}
	text := smart.Compose(scope.Level(), t, permissions, scope.Version1())
	if _, query, constrained := strings.Cut(scope.String(), "?"); constrained {
		text += "?" + query
	}
	return text
}

func partsOf(scope smart.Scope, t fhir.ResourceType, reads string) []part {
	var list []part
	for _, c := range categories[t] {
		list = append(list, part{
			value: smart.Compose(scope.Level(), t, reads, false) + "?category=" + c.system + "|" + c.code,
			label: "part." + c.code,
		})
	}
	return list
}

// Approved turns ticked values into the scopes to grant: whole when nothing of a
// scope was left out, else what was ticked. A ticked part takes the place of its
// piece (CONS-05). Values that are no piece of the request count for nothing.
func (c Choices) Approved(ticked []string) []string {
	// Parts first: a narrowed type stays narrowed whichever scope it came from.
	narrowed := map[string][]string{}
	for _, cut := range c.cuts {
		for _, p := range cut.pieces {
			for _, part := range p.parts {
				if slices.Contains(ticked, part.value) {
					key := string(cut.scope.Level()) + "/" + string(p.kind)
					if !slices.Contains(narrowed[key], part.value) {
						narrowed[key] = append(narrowed[key], part.value)
					}
				}
			}
		}
	}
	var granted []string
	add := func(values ...string) {
		for _, v := range values {
			if !slices.Contains(granted, v) {
				granted = append(granted, v)
			}
		}
	}
	for _, cut := range c.cuts {
		whole := true
		var some []string
		for _, p := range cut.pieces {
			parts := narrowed[string(cut.scope.Level())+"/"+string(p.kind)]
			switch {
			case !p.writes && len(parts) > 0:
				whole = false
				some = append(some, parts...)
			case slices.Contains(ticked, p.value):
				some = append(some, p.value)
			default:
				whole = false
			}
		}
		if whole {
			add(cut.scope.String())
		} else {
			add(some...)
		}
	}
	return granted
}
