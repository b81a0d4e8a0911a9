package search

import (
	"iter"

	"github.com/emberlatch/emberlatch/fhir"
)

// Around is what lies around a resource: what its joins are evaluated over. It yields
// what is visible and nothing else.
type Around interface {
	// Each yields the resources of a type, with whom they are about.
	Each(t fhir.ResourceType) iter.Seq2[fhir.Resource, Owners]
}

// MatchAmong is Match with joins, over what lies around. Without any, joins match
// nothing.
func MatchAmong(e Expr, r fhir.Resource, owners Owners, base string, around Around) bool {
	switch e := e.(type) {
	case And:
		for _, part := range e {
			if !MatchAmong(part, r, owners, base, around) {
				return false
			}
		}
		return true
	case Or:
		for _, part := range e {
			if MatchAmong(part, r, owners, base, around) {
				return true
			}
		}
		return false
	case Not:
		return e.Expr != nil && !MatchAmong(e.Expr, r, owners, base, around)
	case Chain:
		return around != nil && some(around.Each(e.Target), func(other fhir.Resource, theirs Owners) bool {
			return refers(e.Parameter, r, other, base) && MatchAmong(e.That, other, theirs, base, around)
		})
	case Has:
		return around != nil && some(around.Each(e.Parameter.Base), func(other fhir.Resource, theirs Owners) bool {
			return r.Type() == e.Target && refers(e.Parameter, other, r, base) && MatchAmong(e.That, other, theirs, base, around)
		})
	}
	return matchOne(e, r, owners, base)
}

func some(all iter.Seq2[fhir.Resource, Owners], good func(fhir.Resource, Owners) bool) bool {
	for r, owners := range all {
		if good(r, owners) {
			return true
		}
	}
	return false
}

// refers reports whether one resource points to another by a parameter.
func refers(p Parameter, from, to fhir.Resource, base string) bool {
	for _, v := range p.Extract(from, base) {
		if v.Reference.ID != "" && v.Reference.Type == to.Type() && v.Reference.ID == to.ID() {
			return true
		}
	}
	return false
}
