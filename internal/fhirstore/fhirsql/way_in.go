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

// wayIn is a condition of a search whose index leads to its resources: one of s.Where
// or one of s.Joins; neither: that is the view's own, or the resource's.
type wayIn struct{ clause, join *int }

// leading finds the way into a search.
func leading(view search.Expr, s search.Query) (best wayIn) {
	most := leadsNothing
	if all, ok := view.(search.And); ok && len(all) == 2 {
		if _, clears := all[1].(search.Cleared); clears { // leads nowhere
			view = all[0]
		}
	}
	if owned, single := view.(search.OwnedBy); single {
		switch n := owned.Patients.Len(); {
		case n <= 1:
			return wayIn{}
		case n <= maxLeading:
			most = leadsPanel
		}
	}
	for i, c := range s.Where {
		if c.Parameter.Code == "_id" && c.Modifier == "" {
			return wayIn{}
		}
		if n := leads(c); n > most {
			best, most = wayIn{clause: &i}, n
		}
	}
	for i, j := range s.Joins {
		if n := joinLeads(j.Expr()); n > most {
			best, most = wayIn{join: &i}, n
		}
	}
	return best
}

// joinLeads says how far a chain leads: as far as the condition at its end.
func joinLeads(e search.Expr) int {
	switch e := e.(type) {
	case search.Chain:
		return joinLeads(e.That)
	case search.Has:
		return joinLeads(e.That)
	case search.Holds:
		if e.Clause.Parameter.Code == "_id" && e.Clause.Modifier == "" {
			return leadsOne
		}
		return leads(e.Clause)
	case search.Or: // the types of one link
		least := leadsOne
		for _, part := range e {
			least = min(least, joinLeads(part))
		}
		return least
	}
	return leadsNothing
}

// leads says how far the index of a clause's parameter leads.
func leads(c search.Clause) int {
	switch {
	case leadsToElements(c):
		return leadsSome
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
	s.Where = simpler(s.Where)
	lead := leading(v(s.Type), s)
	switch {
	case lead.clause != nil:
		q.fromClause(v, s, alias, *lead.clause)
	case lead.join != nil:
		q.fromJoin(v, s, alias, *lead.join)
	default:
		x := q.from(v, s.Type, alias)
		q.add(" AND ")
		q.condition(x, s.Expr())
	}
}

// ridAmong writes that the rid is one of those that a selection finds, which follows.
func (q *query) ridAmong(x variable, selection func()) {
	before, after := " IN (", ")"
	if q.dialect == db.PostgreSQL { // an array is made once, before anything is joined
		before, after = " = ANY(ARRAY(", "))"
	}
	q.add(x.alias, ".rid", before)
	selection()
	q.add(after)
}

// fromClause comes by the index of a parameter.
func (q *query) fromClause(v view, s search.Query, alias string, lead int) {
	x := variable{alias: alias, kind: s.Type, view: v, led: true}
	clause := s.Where[lead].Asked()
	q.add(" FROM fhir_resource ", alias, " WHERE ")
	q.ridAmong(x, func() {
		if leadsToElements(clause) {
			q.ofElements(clause)
			return
		}
		q.add("SELECT v.rid")
		q.values("v.param", clause, tables[clause.Parameter.Type])
	})
	s.Where = slices.Delete(slices.Clone(s.Where), lead, lead+1) // it leads, so it holds
	q.rest(x, q.aside(x, "type"), s)
}

// fromJoin comes from what is at the other end of a join.
func (q *query) fromJoin(v view, s search.Query, alias string, lead int) {
	x := variable{alias: alias, kind: s.Type, view: v, led: true}
	q.add(" FROM fhir_resource ", alias, " WHERE ")
	join := s.Joins[lead].Expr()
	q.condition(x, join)
	s.Joins = slices.Delete(slices.Clone(s.Joins), lead, lead+1)
	kind := q.aside(x, "type")
	if _, reverse := join.(search.Has); reverse { // leads to ids, whose index has the type
		kind = alias + ".type"
	}
	q.rest(x, kind, s)
}

// rest writes what else holds of a variable that an index leads to: its type, the view
// and the query.
func (q *query) rest(x variable, kind string, s search.Query) {
	q.add(" AND ", kind, " = ")
	q.arg(string(s.Type))
	q.add(" AND ", x.alias, ".deleted = 0 AND ")
	q.condition(x, x.view(s.Type))
	q.add(" AND ")
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
