package access

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// permissions in their order.
const permissions = "cruds"

// gate says by permission which scope lets an interaction be tried: its place in
// the set plus one; 0: none.
type gate [len(permissions)]int32

// open notes a scope for each permission that it has, that stands, and that no
// scope before it had.
func (g *gate) open(place int, scope smart.Scope, stands func(permission byte) bool) {
	for at := range permissions {
		if g[at] == 0 && scope.Allows(permissions[at]) && stands(permissions[at]) {
			g[at] = int32(place + 1)
		}
	}
}

// scope returns the place of the scope for a permission; false: none.
func (g gate) scope(permission byte) (int, bool) {
	at := strings.IndexByte(permissions, permission)
	if at < 0 || g[at] == 0 {
		return 0, false
	}
	return int(g[at]) - 1, true
}

// covered is what the scopes of a subject come to for one type.
type covered struct {
	class compartment.Class // the zero value is closed
	gate  gate
	// read, find and include are the views of r, s, and both by reference.
	read, find, include search.Expr
}

// cover works out a type that is not closed.
func (k *known) cover(t fhir.ResourceType, class compartment.Class) *covered {
	c := &covered{class: class}
	for _, place := range k.concerning(t) {
		scope := k.facts.Scopes.Clinical()[place]
		c.gate.open(place, scope, func(permission byte) bool {
			_, stands := k.rule(scope.Level(), t, class, permission)
			return stands
		})
	}
	c.read = k.cleared(class, k.union(t, class, "r").or(k.self(t)).expr())
	c.find = k.cleared(class, k.union(t, class, "s").expr())
	c.include = k.cleared(class, k.union(t, class, "rs").expr())
	return c
}

// ofSystem: an interaction without a type may be tried with a scope on any
// type that is not closed; the view of each type decides about the rest (RSX-03,
// RSX-13).
func (k *known) ofSystem() gate {
	var g gate
	if k == nil {
		return g
	}
	for place, scope := range k.facts.Scopes.Clinical() {
		class := compartment.ClassOf(scope.Type())
		if scope.Type() == smart.AnyType {
			class = compartment.Record
		}
		g.open(place, scope, func(permission byte) bool {
			_, stands := k.rule(scope.Level(), scope.Type(), class, permission)
			return stands && class != compartment.Closed
		})
	}
	return g
}

// concerning returns the places of the scopes that name a type, then of those on
// the wildcard.
func (k *known) concerning(t fhir.ResourceType) []int { return slices.Concat(k.ofType[t], k.anyType) }

// rule says what a scope of a level comes to (C.1 of the design: base). stands:
// the level means anything for this subject, so that the gate opens; a missing
// claim is never "no limit" (design law of access, row 110). The ground is what
// is reached then, which may be nothing.
func (k *known) rule(l smart.Level, t fhir.ResourceType, class compartment.Class, permission byte) (g ground, stands bool) {
	if !Possible(l, t, permission) {
		return ground{}, false
	}
	if t == trailType {
		return k.trailRule()
	}
	switch l {
	case smart.LevelPatient:
		g, stands = k.patientRule()
	case smart.LevelUser:
		g, stands = k.userRule()
	default:
		g, stands = k.systemRule(t, permission)
	}
	if stands && class == compartment.Shared {
		return sharedRule(permission)
	}
	return g, stands
}

// union is what the scopes with one of the letters cover of a type.
func (k *known) union(t fhir.ResourceType, class compartment.Class, letters string) *union {
	u := &union{}
	for _, place := range k.concerning(t) {
		scope := k.facts.Scopes.Clinical()[place]
		for i := range letters {
			if g, stands := k.rule(scope.Level(), t, class, letters[i]); stands && scope.Allows(letters[i]) {
				u.add(g, conditions(scope, t))
				break
			}
		}
	}
	return u
}

// conditions are those of a scope's query, for a type; nil: none.
func conditions(scope smart.Scope, t fhir.ResourceType) []search.Clause {
	query := scope.Query()
	if scope.Type() != smart.AnyType || len(query) == 0 {
		return query
	}
	own := make([]search.Clause, len(query))
	for i, c := range query {
		c.Parameter, _ = search.Lookup(t, c.Parameter.Code) // common to all types
		own[i] = c
	}
	return own
}
