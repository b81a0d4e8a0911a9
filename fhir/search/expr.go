package search

import (
	"slices"
	"sort"

	"github.com/emberlatch/emberlatch/fhir"
)

// Expr is a boolean tree over one resource. A query's conditions and the view
// of an access decision are both Exprs; a backend compiles them, Match evaluates
// them. A nil Expr is nothing: it matches no resource.
type Expr interface{ isExpr() }

// And matches when every part does; And{} matches everything.
type And []Expr

// Or matches when some part does; Or{} matches nothing.
type Or []Expr

// Not matches what its part does not.
type Not struct{ Expr Expr }

// Holds matches resources that fulfil a clause.
type Holds struct{ Clause Clause }

// OwnedBy matches resources about these patients and nobody else: the owners
// are known and all of them are in the set.
type OwnedBy struct{ Patients IDSet }

// IsResource matches exactly one resource.
type IsResource struct{ Reference fhir.Reference }

func (And) isExpr()        {}
func (Or) isExpr()         {}
func (Not) isExpr()        {}
func (Holds) isExpr()      {}
func (OwnedBy) isExpr()    {}
func (IsResource) isExpr() {}

// IDSet is a set of logical ids. The zero value is empty.
type IDSet struct{ ids []string } // sorted, unique

// NewIDSet makes a set.
func NewIDSet(ids ...string) IDSet {
	list := slices.Clone(ids)
	sort.Strings(list)
	return IDSet{slices.Compact(list)}
}

// Contains reports membership.
func (s IDSet) Contains(id string) bool {
	_, found := slices.BinarySearch(s.ids, id)
	return found
}

// Len is the number of ids.
func (s IDSet) Len() int { return len(s.ids) }

// List returns the ids, sorted; do not change it.
func (s IDSet) List() []string { return s.ids }

// Owners are the patients that a resource is about: all of them must be granted
// to see it. Empty: it is in nobody's record.
type Owners struct {
	Required []string
	// Sensitivity is what of theirs must be granted besides. The zero value is granted
	// to nobody from whom anything is withheld.
	Sensitivity Sensitivity
}

// Within reports whether the owners are known and all in the set.
func (o Owners) Within(s IDSet) bool {
	if len(o.Required) == 0 {
		return false
	}
	for _, id := range o.Required {
		if !s.Contains(id) {
			return false
		}
	}
	return true
}

// Match evaluates e for one resource. base is the FHIR base whose absolute
// references count as local. What one resource cannot tell (Chain, Has) does not
// match: see MatchAmong.
func Match(e Expr, r fhir.Resource, owners Owners, base string) bool {
	return MatchAmong(e, r, owners, base, nil)
}

// matchOne decides what is said of the resource alone.
func matchOne(e Expr, r fhir.Resource, owners Owners, base string) bool {
	switch e := e.(type) {
	case Holds:
		return e.Clause.matches(r, base)
	case OwnedBy:
		return owners.Within(e.Patients)
	case Cleared:
		return e.clears(owners)
	case IsResource:
		return r.Type() == e.Reference.Type && r.ID() == e.Reference.ID && r.ID() != ""
	}
	return false
}
