package fhirsql

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// maxLeading is up to how many patients the owner index is taken as the way in.
const maxLeading = 50

// How few resources a condition usually leaves; the best one leads. Nothing but
// speed depends on it: every condition is asked of every resource all the same.
const (
	leadsNothing = iota
	leadsSome    // a code, a number, an instant
	leadsPanel   // the owners of a panel
	leadsFew     // names, URLs
	leadsOne     // what points to one resource, or names it
)

// leading finds the condition of s.Where whose index is the way into a search; ok is
// false when that is the view's own, or the resource's.
func leading(view search.Expr, s search.Query) (best int, ok bool) {
	most := leadsNothing
	if owned, single := view.(search.OwnedBy); single {
		switch n := owned.Patients.Len(); {
		case n <= 1:
			return 0, false
		case n <= maxLeading:
			most = leadsPanel
		}
	}
	for i, c := range s.Where {
		if c.Parameter.Code == "_id" && c.Modifier == "" {
			return 0, false
		}
		if n := leads(c); n > most {
			best, ok, most = i, true, n
		}
	}
	return best, ok
}

// leads says how far the index of a clause's parameter leads.
func leads(c search.Clause) int {
	switch {
	case c.Negated() || c.Modifier == "missing" || c.Modifier == "contains" || tables[c.Parameter.Type] == "" || len(c.Operands) == 0:
		return leadsNothing
	case c.Parameter.Type == search.TypeReference || c.Parameter.Code == "identifier":
		return leadsOne
	case c.Parameter.Type == search.TypeString || c.Parameter.Type == search.TypeURI:
		return leadsFew
	}
	return leadsSome
}

// fromSearch writes FROM and WHERE of a search: the view, the way in, and every
// condition of the query.
func (q *query) fromSearch(v view, s search.Query, alias string) {
	lead, ok := leading(v(s.Type), s)
	if !ok {
		x := q.from(v, s.Type, alias)
		q.add(" AND ")
		q.condition(x, s.Expr())
		return
	}
	x := variable{alias: alias, kind: s.Type, led: true}
	before, after := " IN (", ")"
	if q.dialect == db.PostgreSQL { // an array is made once, before anything is joined
		before, after = " = ANY(ARRAY(", "))"
	}
	q.add(" FROM fhir_resource ", alias, " WHERE ", alias, ".rid", before, "SELECT v.rid")
	clause := s.Where[lead]
	q.values("v.param", clause, tables[clause.Parameter.Type])
	q.add(after, " AND ", q.aside(x, "type"), " = ")
	q.arg(string(s.Type))
	q.add(" AND ", alias, ".deleted = 0 AND ")
	q.condition(x, v(s.Type))
	q.add(" AND ")
	s.Where = slices.Delete(slices.Clone(s.Where), lead, lead+1) // it leads, so it holds
	q.condition(x, s.Expr())
}

// aside names a column whose index is not the way in: SQLite keeps no figures of our
// tables, and PostgreSQL would read the whole panel's part of the index beside it.
func (q *query) aside(x variable, column string) string {
	switch {
	case !x.led:
		return x.alias + "." + column
	case q.dialect == db.SQLite:
		return "+" + x.alias + "." + column
	}
	return "(" + x.alias + "." + column + " || '')"
}
