package upstream

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// within is a set of patients, or no limit. The zero value is nobody.
type within struct {
	anybody bool
	ids     search.IDSet
}

func (w within) nobody() bool { return !w.anybody && w.ids.Len() == 0 }

func (w within) and(v within) within {
	switch {
	case w.anybody:
		return v
	case v.anybody:
		return w
	}
	var both []string
	for _, id := range w.ids.List() {
		if v.ids.Contains(id) {
			both = append(both, id)
		}
	}
	return within{ids: search.NewIDSet(both...)}
}

func (w within) or(v within) within {
	if w.anybody || v.anybody {
		return within{anybody: true}
	}
	return within{ids: search.NewIDSet(slices.Concat(w.ids.List(), v.ids.List())...)}
}

// boundOf are the patients whom the matches of an expression are about at most.
func boundOf(e search.Expr) within {
	switch e := e.(type) {
	case nil:
		return within{}
	case search.OwnedBy:
		return within{ids: e.Patients}
	case search.IsResource:
		if e.Reference.Type == "Patient" {
			return within{ids: search.NewIDSet(e.Reference.ID)}
		}
	case search.And:
		all := within{anybody: true}
		for _, part := range e {
			all = all.and(boundOf(part))
		}
		return all
	case search.Or:
		var some within
		for _, part := range e {
			some = some.or(boundOf(part))
		}
		return some
	}
	return within{anybody: true}
}

// conditions are the clauses of an expression besides its patients that a query can say:
// it joins its parameters by AND. whole: they are all that the expression says.
func conditions(e search.Expr) (list []search.Clause, whole bool) {
	switch e := e.(type) {
	case search.OwnedBy:
		return nil, true
	case search.Holds:
		return []search.Clause{e.Clause}, true
	case search.And:
		whole = true
		for _, part := range e {
			more, ok := conditions(part)
			whole = whole && ok
			list = append(list, more...)
		}
		return list, whole
	case search.Or:
		if len(e) == 1 {
			return conditions(e[0])
		}
	}
	return nil, false
}

// severalPrimaries are the types of which one resource may be about several patients:
// one parameter does not say that all of them are granted.
var severalPrimaries = map[fhir.ResourceType]bool{"Account": true, "Appointment": true, "Schedule": true}

// parameterOf is the parameter by which the upstream finds what is about patients:
// the primary element, in the narrowest spelling that it declares. false: it has none.
func parameterOf(s *statement, t fhir.ResourceType) (code string, ok bool) {
	for _, code := range spellings(t) {
		if s.declares(t, code) {
			return code, true
		}
	}
	return "", false
}

// spellings are the parameters on the element that says whom a resource is about.
func spellings(t fhir.ResourceType) []string {
	if t == "Patient" {
		return []string{"_id"}
	}
	var codes []string
	primary := compartment.PrimaryParameters(t)
	if _, found := search.Lookup(t, "patient"); found && len(primary) > 0 {
		codes = append(codes, "patient")
	}
	for _, p := range primary {
		if p.Code != "patient" {
			codes = append(codes, p.Code)
		}
	}
	return codes
}

// namedBy are the patients whom a clause on the primary element names; what is not a
// patient of this server names nobody (rows 21 to 24). false: the clause means more
// than a list of names, and cannot be verified by one.
func namedBy(c search.Clause) (within, bool) {
	if c.Modifier != "" {
		return within{}, false
	}
	var ids []string
	for _, o := range c.Operands {
		switch {
		case c.Parameter.Type == search.TypeToken: // _id
			if !o.HasSystem || o.System == "" {
				ids = append(ids, o.Code)
			}
		case o.URL == "" && (o.Reference.Type == "" || o.Reference.Type == "Patient"):
			ids = append(ids, o.Reference.ID)
		}
	}
	return within{ids: search.NewIDSet(ids...)}, true
}
