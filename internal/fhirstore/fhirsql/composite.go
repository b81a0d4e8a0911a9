package fhirsql

import (
	"strconv"

	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// Elements that composites look at have index rows of their own, in the same tables:
// their rid is negative, and made of the resource's and of their number. So an element
// is asked like a resource, and what is asked of resources never finds one.
//
//	element n of rid  =  -(rid * elements + n)
const elements = 1 << 20

func elementRID(rid int64, n int) int64 { return -(rid*elements + int64(n)) }

// elementTables hold rows of elements.
var elementTables = []string{"fhir_token", "fhir_reference", "fhir_number"}

// replaceElements forgets the index rows of the elements of a resource.
func (w *writer) replaceElements(rid int64) {
	for _, table := range elementTables {
		w.add("DELETE FROM "+table+" WHERE rid BETWEEN $1 AND $2", elementRID(rid, elements-1), elementRID(rid, 0))
	}
}

// composite: some alternative holds at some place.
func (q *query) composite(x variable, c search.Clause) {
	q.add("(")
	for i, t := range c.Composed {
		if i > 0 {
			q.add(" OR ")
		}
		q.together(x, t)
	}
	q.add(")")
}

// together: all parts hold, those of an element of the same one.
func (q *query) together(x variable, t search.Together) {
	q.add("(1=1")
	for _, c := range t.Resource {
		q.add(" AND ")
		q.clause(x, c)
	}
	if len(t.Element) > 0 {
		q.add(" AND EXISTS (")
		q.sameElement(t, x.alias+".rid")
		q.add(")")
	}
	q.add(")")
}

// sameElement selects the elements that fulfil all parts: of one resource, or without
// a rid of all of them.
func (q *query) sameElement(t search.Together, rid string) {
	for i, c := range t.Element {
		if i > 0 {
			q.add(" INTERSECT ")
		}
		param, table := "v.param", tables[c.Parameter.Type]
		if rid != "" && q.dialect == db.PostgreSQL { // see holds
			param += " + 0"
		}
		q.add("SELECT v.rid")
		q.values(param, c, table)
		if rid != "" {
			n := strconv.Itoa(elements)
			q.add(" AND v.rid BETWEEN -(", rid, " * ", n, " + ", n, " - 1) AND -(", rid, " * ", n, ")")
		}
	}
}

// simpler puts the parts of composites in the place of those that look at the resource
// itself and have one alternative: they mean the same, and their indexes may lead.
func simpler(where []search.Clause) []search.Clause {
	var list []search.Clause
	for _, c := range where {
		if len(c.Composed) == 1 && len(c.Composed[0].Element) == 0 {
			list = append(list, c.Composed[0].Resource...)
		} else {
			list = append(list, c)
		}
	}
	return list
}

// leadsToElements: the only alternative is about elements, whose rids tell the
// resources.
func leadsToElements(c search.Clause) bool {
	return len(c.Composed) == 1 && len(c.Composed[0].Element) > 0 && len(c.Composed[0].Resource) == 0
}

// ofElements selects the rids of the resources whose elements fulfil a composite.
func (q *query) ofElements(c search.Clause) {
	q.add("SELECT -(e.rid) / ", strconv.Itoa(elements), " FROM (")
	q.sameElement(c.Composed[0], "")
	q.add(") e")
}
