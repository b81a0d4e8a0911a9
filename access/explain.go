package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// Finding is what one scope of the token comes to for an interaction: for
// operators, who are told more than callers.
type Finding struct {
	Scope string
	// Concerns: it is about the type. Allows: it has the permission. Stands: its level
	// means something for this token.
	Concerns, Allows, Stands bool
	// Reaches says whom: nobody, patient-in-context, patients-of-user,
	// patients-of-client, everything.
	Reaches string
	// Patients is how many, unless everything is reached.
	Patients int
	// Conditions: its query narrows what it reaches.
	Conditions bool
}

// Covers reports whether the scope lets the interaction be tried.
func (f Finding) Covers() bool { return f.Concerns && f.Allows && f.Stands }

// Explain replays what Decide makes of each clinical scope, by the same rules.
func Explain(s Subject, i fhir.Interaction) []Finding {
	if s.known == nil {
		return nil
	}
	var all []Finding
	for _, scope := range s.known.facts.Scopes.Clinical() {
		all = append(all, s.known.finding(scope, i))
	}
	return all
}

func (k *known) finding(scope smart.Scope, i fhir.Interaction) Finding {
	t := i.Type
	if t == "" { // RSX-13: any type that is not closed
		t = scope.Type()
	}
	class := compartment.ClassOf(t)
	if t == smart.AnyType {
		class = compartment.Record
	}
	f := Finding{
		Scope: scope.String(), Conditions: len(scope.Query()) > 0, Reaches: nothing.name(),
		Concerns: opensTrail(scope, t) || class != compartment.Closed && (scope.Type() == smart.AnyType || scope.Type() == t),
		Allows:   i.Letter() != 0 && scope.Allows(i.Letter()),
	}
	g, stands := k.rule(scope.Level(), t, class, i.Letter())
	if f.Stands = stands && (opensTrail(scope, t) || class != compartment.Closed); f.Stands {
		f.Reaches, f.Patients = g.reach.name(), g.patients.Len()
	}
	return f
}

func (r reach) name() string {
	return [...]string{"nobody", "patient-in-context", "patients-of-user", "patients-of-client", "everything"}[r]
}

// Row says why a resource is seen or not. It admits exactly what Admits admits.
func (d Decision) Row(r fhir.Resource, owners search.Owners) Reason {
	switch {
	case !d.allowed || r.IsZero():
		return d.Reason()
	case d.Admits(r, owners):
		return RowInView
	}
	plain := d.known.union(r.Type(), compartment.ClassOf(r.Type()), string(d.permission))
	if d.permission == 'r' {
		plain.or(d.known.self(r.Type()))
	}
	if search.Match(plain.expr(), r, owners, d.Base()) {
		return RowWithheld
	}
	// What is not admitted is looked at as if no scope had a query.
	someone := false
	for _, place := range d.known.concerning(r.Type()) {
		scope := d.known.facts.Scopes.Clinical()[place]
		g, stands := d.known.rule(scope.Level(), r.Type(), compartment.ClassOf(r.Type()), d.permission)
		if !stands || !scope.Allows(d.permission) || g.reach == nothing {
			continue
		}
		if someone = true; g.reach == everything || owners.Within(g.patients) {
			return RowNotMatching
		}
	}
	switch {
	case !someone:
		return NobodyIsReached
	case len(owners.Required) == 0:
		return RowOfNobody
	}
	return RowOfOthers
}
