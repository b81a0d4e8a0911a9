package fhirsql

import (
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// chain: the variable refers to a resource under the same view (row 40 of the leak
// catalogue). What is at the far end is found by itself, from its own best index, and
// the references lead back.
//
//	x.rid ◀─ fhir_reference ◀─ j: view, condition
func (q *query) chain(x variable, c search.Chain) {
	q.ridAmong(x, func() {
		q.add("SELECT v.rid FROM fhir_reference v WHERE v.param = ")
		q.arg(parameterID(c.Parameter))
		q.add(" AND v.ref_type = ")
		q.arg(string(c.Target))
		q.add(" AND v.ref_id IN (")
		q.others(x, "id", c.Target, c.That)
		q.add(")")
	})
}

// has: a resource under the same view refers to the variable (row 41).
//
//	x.id ◀─ fhir_reference ◀─ j: view, condition
func (q *query) has(x variable, h search.Has) {
	if h.Target != x.kind {
		q.add("1=0")
		return
	}
	q.add(x.alias, ".id IN (SELECT v.ref_id FROM fhir_reference v WHERE v.param = ")
	q.arg(parameterID(h.Parameter))
	q.add(" AND v.ref_type = ")
	q.arg(string(x.kind))
	q.add(" AND v.rid IN (")
	q.others(x, "rid", h.Parameter.Base, h.That)
	q.add("))")
}

// others selects a column of the resources of a type that fulfil a condition, under
// the view of x.
func (q *query) others(x variable, column string, t fhir.ResourceType, that search.Expr) {
	if that == nil {
		that = search.Or{}
	}
	s := search.Query{Type: t}
	if last, ok := that.(search.Holds); ok {
		s.Where = []search.Clause{last.Clause} // its index may be the way in
	} else {
		s.Within = that
	}
	q.variables++
	alias := "j" + strconv.Itoa(q.variables)
	q.add("SELECT ", alias, ".", column)
	q.fromSearch(x.view, s, alias)
}
