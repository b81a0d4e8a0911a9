package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// ground is what a level reaches of a class, before any constraint of a scope.
type ground struct {
	all      bool         // every resource of the type
	patients search.IDSet // resources about these patients and nobody else
}

func (g ground) empty() bool { return !g.all && g.patients.Len() == 0 }

func (g ground) expr() search.Expr {
	if g.all {
		return search.And{}
	}
	return search.OwnedBy{Patients: g.patients}
}

// base says what a level reaches (C.1 of the design: base).
func (s Subject) base(l smart.Level, class compartment.Class) ground {
	if class == compartment.Shared {
		return sharedGround()
	}
	switch l {
	case smart.LevelPatient:
		return s.patientGround()
	case smart.LevelUser:
		return s.userGround()
	}
	return systemGround()
}

// constraint is the condition of a scope's query for a type; nil: none.
func constraint(scope smart.Scope, t fhir.ResourceType) search.Expr {
	query := scope.Query()
	if len(query) == 0 {
		return nil
	}
	all := make(search.And, 0, len(query))
	for _, c := range query {
		if p, ok := search.Lookup(t, c.Parameter.Code); ok {
			c.Parameter = p // a wildcard's parameter is common to all types
			all = append(all, search.Holds{Clause: c})
		} else {
			return search.Or{} // the type has no such parameter: nothing matches
		}
	}
	return all
}

// union gathers parts and says their union in as few words as it can.
type union struct {
	all      bool
	patients []string
	parts    search.Or
}

func (u *union) add(g ground, condition search.Expr) {
	switch {
	case g.empty():
	case condition != nil:
		u.parts = append(u.parts, search.And{g.expr(), condition})
	case g.all:
		u.all = true
	default:
		u.patients = append(u.patients, g.patients.List()...)
	}
}

func (u *union) expr() search.Expr {
	if u.all {
		return search.And{}
	}
	parts := u.parts
	if len(u.patients) > 0 {
		owned := search.OwnedBy{Patients: search.NewIDSet(u.patients...)}
		if len(parts) == 0 {
			return owned
		}
		parts = append(search.Or{owned}, parts...)
	}
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	return parts
}
