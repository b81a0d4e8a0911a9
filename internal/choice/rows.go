package choice

import (
	"slices"
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// groups are the plain words that types are shown under, in the order of the page.
var groups = []struct {
	key   string
	types []fhir.ResourceType
}{
	{"everything", []fhir.ResourceType{smart.AnyType}},
	{"patient", []fhir.ResourceType{"Patient"}},
	{"allergies", []fhir.ResourceType{"AllergyIntolerance"}},
	{"problems", []fhir.ResourceType{"Condition"}},
	{"medicines", []fhir.ResourceType{"MedicationRequest", "MedicationDispense", "MedicationStatement", "MedicationAdministration", "Medication"}},
	{"vaccines", []fhir.ResourceType{"Immunization", "ImmunizationRecommendation"}},
	{"observations", []fhir.ResourceType{"Observation"}},
	{"reports", []fhir.ResourceType{"DiagnosticReport", "ImagingStudy", "Media"}},
	{"procedures", []fhir.ResourceType{"Procedure"}},
	{"visits", []fhir.ResourceType{"Encounter", "Appointment", "EpisodeOfCare"}},
	{"documents", []fhir.ResourceType{"DocumentReference", "Binary", "Composition"}},
	{"care", []fhir.ResourceType{"CarePlan", "CareTeam", "Goal", "ServiceRequest", "Task", "NutritionOrder", "DeviceRequest"}},
	{"insurance", []fhir.ResourceType{"Coverage", "ExplanationOfBenefit", "Claim", "ClaimResponse"}},
	{"devices", []fhir.ResourceType{"Device", "DeviceUseStatement"}},
	{"answers", []fhir.ResourceType{"QuestionnaireResponse"}},
	{"family", []fhir.ResourceType{"RelatedPerson", "FamilyMemberHistory"}},
	{"specimens", []fhir.ResourceType{"Specimen"}},
	{"accesses", []fhir.ResourceType{"AuditEvent"}},
	{"origin", []fhir.ResourceType{"Provenance", "Practitioner", "PractitionerRole", "Organization", "Location"}},
}

// GroupOf is the group of a type; "other" for the rest, which is named by its type.
func GroupOf(t fhir.ResourceType) string {
	_, group := order(t)
	return group
}

// order of a type on the page, and its group; the rest comes last under its name.
func order(t fhir.ResourceType) (int, string) {
	for i, g := range groups {
		if slices.Contains(g.types, t) {
			return i, g.key
		}
	}
	return len(groups), "other"
}

// Rows makes what the approval page shows. before is the last choice; its zero value
// says that there was none.
func (c Choices) Rows(before store.RememberedConsent) (read, write []page.ScopeRow) {
	b := builder{before: before, known: smart.NewScopeSet(before.Requested), chosen: smart.NewScopeSet(before.Approved)}
	for _, cut := range c.cuts {
		for _, p := range cut.pieces {
			b.add(cut, p)
		}
	}
	return sorted(b.read), sorted(b.write)
}

// Shown makes what a page shows of scopes that were granted: every kind of information
// once, and a wildcard as the one kind that it is.
func Shown(granted []string) (read, write []page.ScopeRow) {
	var rest []string
	all := smart.NewScopeSet(granted)
	wild := all.Without(func(text string) bool {
		scope, err := smart.ParseScope(text)
		return err != nil || scope.Type() != smart.AnyType || len(scope.Query()) > 0
	})
	for _, scope := range all.Clinical() {
		if !wild.Has(scope.String()) {
			if !wild.Covers(scope) {
				rest = append(rest, scope.String())
			}
			continue
		}
		reads, writes := split(scope, smart.AnyType)
		if reads != "" {
			read = append(read, everything(scope, reads))
		}
		if writes != "" {
			write = append(write, everything(scope, writes))
		}
	}
	r, w := Of(rest).Rows(store.RememberedConsent{})
	return append(read, r...), append(write, w...)
}

// everything is the row of a wildcard.
func everything(scope smart.Scope, permissions string) page.ScopeRow {
	return page.ScopeRow{Group: "everything", Type: string(smart.AnyType), Choices: []page.ScopeChoice{{
		Value: smart.Compose(scope.Level(), smart.AnyType, permissions, scope.Version1()),
	}}}
}

// builder gathers rows by group and gives inputs their ids.
type builder struct {
	before        store.RememberedConsent
	known, chosen smart.ScopeSet
	read, write   []page.ScopeRow
	seen          []string
	inputs        int
}

func (b *builder) id() string {
	b.inputs++
	return "scope-" + strconv.Itoa(b.inputs)
}

// add shows a piece once, however many scopes it was cut from.
func (b *builder) add(c cut, p piece) {
	if slices.Contains(b.seen, p.value) {
		return
	}
	b.seen = append(b.seen, p.value)
	_, group := order(p.kind)
	choice := page.ScopeChoice{ID: b.id(), Value: p.value, Ticked: b.ticked(p)}
	for _, q := range p.parts {
		choice.Parts = append(choice.Parts, page.ScopeChoice{ID: b.id(), Value: q.value, Label: q.label, Ticked: b.chosen.Has(q.value)})
	}
	rows := &b.read
	if p.writes {
		rows = &b.write
		choice.Label = actions(c.scope)
	} else if len(groupTypes(group)) > 1 || len(c.scope.Query()) > 0 {
		choice.Label = "type." + string(p.kind)
		if len(c.scope.Query()) > 0 {
			choice.Label = constraintLabel(c.scope)
		}
	}
	isNew := len(b.before.Requested) > 0 && !b.known.Has(c.scope.String())
	*rows = append(*rows, page.ScopeRow{Group: group, Type: string(p.kind), Choices: []page.ScopeChoice{choice}, New: isNew})
}

// ticked: what was asked for, unless the last choice left it out (CONS-14,
// CONS-16). Parts of it that were chosen are ticked in its place.
func (b *builder) ticked(p piece) bool {
	scope, err := smart.ParseScope(p.value)
	if err != nil {
		return false
	}
	if !b.known.Covers(scope) { // not asked for before
		return true
	}
	return b.chosen.Covers(scope)
}

func groupTypes(key string) []fhir.ResourceType {
	for _, g := range groups {
		if g.key == key {
			return g.types
		}
	}
	return nil
}

// constraintLabel names a granular scope by its category when it has a known one,
// else by its own words.
func constraintLabel(s smart.Scope) string {
	for _, q := range s.Query() {
		for _, c := range categories[s.Type()] {
			if q.String() == "category="+c.system+"|"+c.code {
				return "part." + c.code
			}
		}
	}
	return s.String()
}

func actions(s smart.Scope) string {
	switch {
	case s.Allows('d'):
		return "access.delete"
	case s.Allows('u'):
		return "access.update"
	}
	return "access.create"
}

func sorted(list []page.ScopeRow) []page.ScopeRow {
	slices.SortStableFunc(list, func(a, b page.ScopeRow) int {
		x, _ := order(fhir.ResourceType(a.Type))
		y, _ := order(fhir.ResourceType(b.Type))
		return x - y
	})
	return list
}
