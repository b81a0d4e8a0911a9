package fhirsql

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// medicines number the parameters by which statements refer to medicines.
var medicines = func() (list []int64) {
	for _, t := range sensitive.StatementTypes() {
		if p, ok := sensitive.Medicine(t); ok {
			list = append(list, parameterID(p))
		}
	}
	return list
}()

// states: resources of the type derive what is sensitive from a medicine.
func (s *Store) states(t fhir.ResourceType) bool {
	_, ok := sensitive.Medicine(t)
	return ok && s.sensitive != nil
}

// stating: a statement that refers to one of these medicines.
func stating(q *query, t fhir.ResourceType, ids []string) {
	q.add("m.rid IN (SELECT v.rid FROM fhir_reference v WHERE v.param")
	q.among(medicines)
	q.add(" AND v.ref_type = ")
	q.arg(string(t))
	q.add(" AND v.ref_id")
	q.among(ids)
	q.add(")")
}

// stated is what a statement holds by itself and by its medicine.
func (c *changes) stated(ctx context.Context, r fhir.Resource) (search.Sensitivity, error) {
	held := c.look(r)
	p, _ := sensitive.Medicine(r.Type())
	q := c.store.newQuery()
	q.add("SELECT t.type, t.owner, '', t.sensitive FROM fhir_resource t WHERE (1=0")
	for _, v := range p.Extract(r, c.store.base) {
		q.named(v.Reference)
	}
	q.add(")")
	owners, err := c.ownersTogether(ctx, q, held)
	return owners.Sensitivity, err
}

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
