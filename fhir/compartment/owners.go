package compartment

import (
	"sync"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Owners returns the patients that a resource is about by its own content; base
// is the FHIR base whose absolute references count as local. For derived types
// (DerivationOf) it is empty: the store knows better.
func Owners(r fhir.Resource, base string) search.Owners {
	if r.Type() == "Patient" {
		if r.ID() == "" {
			return search.Owners{}
		}
		return search.Owners{Required: []string{r.ID()}}
	}
	about, strange := patients(r, primaryOf()[r.Type()], base)
	if strange {
		return search.Owners{}
	}
	if len(about) == 0 {
		about, _ = patients(r, membersOf()[r.Type()], base)
	}
	if len(about) == 1 {
		return search.Owners{Required: about}
	}
	return search.Owners{Required: search.NewIDSet(about...).List()}
}

// patients collects the local patients that the parameters name. strange: a
// value names something else than a local patient and none of the values is one,
// or the only values are of another kind.
func patients(r fhir.Resource, list []search.Parameter, base string) (ids []string, strange bool) {
	for i := range list {
		list[i].References(r, base, func(ref fhir.Reference) {
			if ref.Type == "Patient" {
				ids = append(ids, ref.ID)
			} else {
				strange = true
			}
		})
	}
	return ids, strange && len(ids) == 0
}

// primaryOf and membersOf are the tables with their parameters looked up.
var primaryOf, membersOf = sync.OnceValue(lookedUp(primary)), sync.OnceValue(lookedUp(members))

func lookedUp(table map[fhir.ResourceType][]string) func() map[fhir.ResourceType][]search.Parameter {
	return func() map[fhir.ResourceType][]search.Parameter {
		all := map[fhir.ResourceType][]search.Parameter{}
		for t, codes := range table {
			all[t] = parameters(t, codes)
		}
		return all
	}
}

// MemberParameters are the parameters that make a resource of the type a member
// of the R4 patient compartment.
func MemberParameters(t fhir.ResourceType) []search.Parameter { return parameters(t, members[t]) }

// PrimaryParameters are those of them that say whom the resource is about.
func PrimaryParameters(t fhir.ResourceType) []search.Parameter { return parameters(t, primary[t]) }

func parameters(t fhir.ResourceType, codes []string) []search.Parameter {
	var list []search.Parameter
	for _, code := range codes {
		if p, ok := search.Lookup(t, code); ok {
			list = append(list, p)
		}
	}
	return list
}

// Within is the condition of a compartment search, root/T: for a patient the
// record of that patient alone (what is about others as well is found by a plain
// search), for other roots the references of the CompartmentDefinition. Types
// outside of the compartment match nothing.
func Within(root fhir.Reference, t fhir.ResourceType, _ string) search.Expr {
	if root.Type == "Patient" {
		if ClassOf(t) != Record {
			return search.Or{}
		}
		return search.OwnedBy{Patients: search.NewIDSet(root.ID)}
	}
	members := search.Or{}
	if root.Type == t {
		members = append(members, search.IsResource{Reference: root})
	}
	for _, code := range otherRoots[root.Type][t] {
		if c, err := search.NewReferenceClause(t, code, root); err == nil {
			members = append(members, search.Holds{Clause: c})
		}
	}
	return members
}

func hasParameter(t fhir.ResourceType, code string) bool {
	_, ok := search.Lookup(t, code)
	return ok
}
