package access

import (
	"github.com/emberlatch/emberlatch/fhir/search"
)

// reach orders grounds of one subject: what a wider one holds, a narrower one
// does not add to. The patient in context is among those whom the user reaches,
// or patient/ reaches nothing. A client of its own has no user, so that ground never
// meets the two before it.
type reach int

const (
	nothing    reach = iota
	inContext        // the record of the patient in context
	ofUser           // the records of all patients whom the user reaches
	ofClient         // the records of the patients whom a client reaches by itself
	everything       // all of a type
	reaches          // how many there are
)

// ground is what a level reaches of a class, before any constraint of a scope.
type ground struct {
	reach    reach
	patients search.IDSet // resources about these patients and nobody else
}

func aboutPatients(r reach, patients search.IDSet) ground {
	if patients.Len() == 0 {
		return ground{}
	}
	return ground{r, patients}
}

// union gathers what scopes cover and says it in as few words as it can: a
// backend is quickest with a single OwnedBy.
type union struct {
	grounds [reaches]ground
	whole   reach                      // the widest ground that is covered without constraint
	some    [reaches][][]search.Clause // constrained, by ground
	one     search.Expr                // a resource by itself; nil: none
}

// add adds a ground under conditions that must all hold.
func (u *union) add(g ground, conditions []search.Clause) {
	if g.reach == nothing {
		return
	}
	u.grounds[g.reach] = g
	if len(conditions) == 0 {
		u.whole = max(u.whole, g.reach)
		return
	}
	u.some[g.reach] = append(u.some[g.reach], conditions)
}

// or adds a resource by itself; nil adds nothing.
func (u *union) or(one search.Expr) *union {
	u.one = one
	return u
}

func (u *union) expr() search.Expr {
	if u.whole == everything {
		return search.And{}
	}
	var parts search.Or
	if u.whole != nothing {
		parts = append(parts, search.OwnedBy{Patients: u.grounds[u.whole].patients})
	}
	// What is constrained and inside of what is not adds nothing (RSG-13).
	for r := u.whole + 1; r < reaches; r++ {
		if len(u.some[r]) > 0 {
			parts = append(parts, constrained(u.grounds[r], u.some[r]))
		}
	}
	if u.one != nil && !u.holdsSelf() {
		parts = append(parts, u.one)
	}
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	return parts
}

// holdsSelf: the record of a patient is about that patient, so it needs no word
// of its own when the patient is reached anyway.
func (u *union) holdsSelf() bool {
	own, _ := u.one.(search.IsResource)
	return own.Reference.Type == "Patient" && u.grounds[u.whole].patients.Contains(own.Reference.ID)
}

// constrained is a ground under any of some lists of conditions.
func constrained(g ground, lists [][]search.Clause) search.Expr {
	all := search.And{}
	if g.reach != everything {
		all = append(all, search.OwnedBy{Patients: g.patients})
	}
	anyOf := either(lists)
	if len(anyOf) > 1 {
		return append(all, anyOf)
	}
	if list, ok := anyOf[0].(search.And); ok {
		return append(all, list...)
	}
	return append(all, anyOf[0])
}

// either says that some list of conditions holds. Single conditions on one
// parameter become one condition with all their alternatives.
func either(lists [][]search.Clause) search.Or {
	var single []search.Clause
	var anyOf search.Or
next:
	for _, list := range lists {
		if len(list) > 1 {
			anyOf = append(anyOf, allOf(list))
			continue
		}
		for i, c := range single {
			if joined, ok := c.Either(list[0]); ok {
				single[i] = joined
				continue next
			}
		}
		single = append(single, list[0])
	}
	for _, c := range single {
		anyOf = append(anyOf, search.Holds{Clause: c})
	}
	return anyOf
}

func allOf(list []search.Clause) search.And {
	all := make(search.And, 0, len(list)+1)
	for _, c := range list {
		all = append(all, search.Holds{Clause: c})
	}
	return all
}
