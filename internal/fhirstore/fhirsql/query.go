package fhirsql

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// query is a statement under construction: text with $n and its arguments.
type query struct {
	strings.Builder
	args    []any
	dialect db.Dialect
	// variables counts those of joins.
	variables int
}

func (s *Store) newQuery() *query { return &query{dialect: s.db.Dialect()} }

// add writes text.
func (q *query) add(parts ...string) {
	for _, p := range parts {
		q.WriteString(p)
	}
}

// arg writes a placeholder for a value.
func (q *query) arg(v any) {
	q.args = append(q.args, v)
	q.WriteByte('$')
	q.WriteString(strconv.Itoa(len(q.args)))
}

// among writes that what stands before it is one of the values.
func (q *query) among(values any) { q.add(q.set(values)) }

// set binds values, which are texts or numbers of ours, and returns the words for
// being one of them. However many, they are one argument, and may be asked for
// more than once: databases take some ten thousand arguments a statement.
func (q *query) set(values any) string {
	before, after := " = ANY($", ")"
	if q.dialect == db.SQLite {
		list, err := json.Marshal(values)
		if err != nil { // texts and numbers always marshal
			list = []byte("[]")
		}
		values, before, after = string(list), " IN (SELECT j.value FROM json_each($", ") j)"
	}
	q.args = append(q.args, values)
	return before + strconv.Itoa(len(q.args)) + after
}

// view is a decision's condition for matches or for includes.
type view func(t fhir.ResourceType) search.Expr

func matchView(d access.Decision) view   { return d.View }
func includeView(d access.Decision) view { return d.IncludeView }
func targetView(d access.Decision) view  { return d.TargetView }

// reader is the database, or a transaction that sees its own changes.
type reader interface {
	Query(ctx context.Context, stmt string, args ...any) (db.Rows, error)
}

// variable is a resource variable of a query: only from makes one, and it stands
// under a view.
type variable struct {
	alias string
	kind  fhir.ResourceType
	// view is what it stands under, and what it is joined with.
	view view
	// led: the index of a parameter is the way in, so no other is.
	led bool
}

// from writes FROM and WHERE for a variable of a type under a view.
func (q *query) from(v view, t fhir.ResourceType, alias string) variable {
	x := q.fromEver(v, t, alias)
	q.add(" AND ", alias, ".deleted = 0")
	return x
}

// fromEver is from with what was deleted, which is judged by its last version: its
// owners and index rows are kept.
func (q *query) fromEver(v view, t fhir.ResourceType, alias string) variable {
	x := variable{alias: alias, kind: t, view: v}
	q.add(" FROM fhir_resource ", alias, " WHERE ", alias, ".type = ")
	q.arg(string(t))
	q.add(" AND ")
	q.condition(x, v(t))
	return x
}

// condition writes an Expr over a variable; it says what search.Match says.
func (q *query) condition(x variable, e search.Expr) {
	switch e := e.(type) {
	case search.And:
		q.join(x, e, " AND ", "1=1")
	case search.Or:
		q.join(x, e, " OR ", "1=0")
	case search.Not:
		if e.Expr == nil {
			q.add("1=0")
			return
		}
		q.add("NOT (")
		q.condition(x, e.Expr)
		q.add(")")
	case search.Holds:
		q.clause(x, e.Clause)
	case search.Chain:
		q.chain(x, e)
	case search.Has:
		q.has(x, e)
	case search.OwnedBy:
		q.ownedBy(x, e.Patients)
	case search.Cleared:
		q.cleared(x, e)
	case search.IsResource:
		if e.Reference.Type != x.kind || e.Reference.ID == "" {
			q.add("1=0")
			return
		}
		q.add(x.alias, ".id = ")
		q.arg(e.Reference.ID)
	default:
		q.add("1=0")
	}
}

func (q *query) join(x variable, parts []search.Expr, word, empty string) {
	if len(parts) == 0 {
		q.add(empty)
		return
	}
	q.add("(")
	for i, p := range parts {
		if i > 0 {
			q.add(word)
		}
		q.condition(x, p)
	}
	q.add(")")
}

// ownedBy: the owners are known and all of them are in the set.
func (q *query) ownedBy(x variable, set search.IDSet) {
	ids := set.List()
	switch len(ids) {
	case 0:
		q.add("1=0")
		return
	case 1: // a resource with several owners is not within one patient
		q.add(q.aside(x, "owner"), " = ")
		q.arg(ids[0])
		return
	}
	within := q.set(ids)
	q.add("(", q.aside(x, "owner"), within, " OR (", q.aside(x, "owner"), " = '' AND EXISTS (SELECT 1 FROM fhir_owner o WHERE o.rid = ",
		x.alias, ".rid) AND NOT EXISTS (SELECT 1 FROM fhir_owner o WHERE o.rid = ", x.alias, ".rid AND NOT (o.patient", within, "))))")
}
