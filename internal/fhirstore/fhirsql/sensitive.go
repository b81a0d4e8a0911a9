package fhirsql

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// look classifies content, unless other processes classify by another configuration: then
// nobody has looked, until the store is classified as a whole (classify.go).
func (c *changes) look(content fhir.Resource) search.Sensitivity {
	if !c.looks {
		return search.Sensitivity{}
	}
	return c.store.sensitive.Of(content)
}

// cleared says what search.Cleared says.
func (q *query) cleared(x variable, e search.Cleared) {
	if e.Own == "" {
		q.free(x, e.Withheld)
		return
	}
	for i, part := range []struct {
		word string
		of   search.Categories
	}{{" = ", e.OwnWithheld}, {" <> ", e.Withheld}} {
		q.add([]string{"((", " OR ("}[i])
		q.compare(q.aside(x, "owner"), part.word, e.Own)
		q.add(" AND ")
		q.free(x, part.of)
		q.add(")")
	}
	q.add(")")
}

// free: somebody has looked, and found none of some categories. Most resources hold none.
func (q *query) free(x variable, of search.Categories) {
	if of.Len() == 0 {
		q.add("1=1")
		return
	}
	find := "strpos("
	if q.dialect == db.SQLite {
		find = "instr("
	}
	held := x.alias + ".sensitive"
	q.add("(", held, " = '' OR ")
	q.compare(held, " <> ", search.Sensitivity{}.String())
	for _, name := range of.List() {
		q.add(" AND ", find, held, ", ")
		q.arg(search.Classified(name).String())
		q.add(") = 0")
	}
	q.add(")")
}
