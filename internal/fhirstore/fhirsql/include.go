package fhirsql

import (
	"context"
	"fmt"
	"sort"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// maxIncluded bounds the resources that come along with one page.
const maxIncluded = 2000

// includes finds what _include and _revinclude add to a page. Every one of them
// stands under the view for includes of its own type (design law of access, rows
// 42 to 44).
func (s *Store) includes(ctx context.Context, d access.Decision, q search.Query, rows []row) ([]fhirstore.Record, error) {
	if len(rows) == 0 || len(q.Include)+len(q.RevInclude) == 0 {
		return nil, nil
	}
	set := included{seen: map[fhir.Reference]bool{}}
	for _, v := range rows {
		set.seen[v.record.Resource.Reference()] = true // a match is not included once more
	}
	for _, step := range steps(q, false) {
		if err := s.follow(ctx, d, step, rows, &set); err != nil {
			return nil, err
		}
	}
	if err := s.iterate(ctx, d, steps(q, true), rows, &set); err != nil {
		return nil, err
	}
	if err := s.addOwners(ctx, s.db, set.rows); err != nil {
		return nil, err
	}
	return set.sorted(), nil
}

// included gathers resources without doubles.
type included struct {
	seen map[fhir.Reference]bool
	rows []row
}

func (i *included) sorted() []fhirstore.Record {
	list := make([]fhirstore.Record, len(i.rows))
	for n, v := range i.rows {
		list[n] = v.record
	}
	sort.Slice(list, func(a, b int) bool {
		x, y := list[a].Resource.Reference(), list[b].Resource.Reference()
		return x.Type < y.Type || x.Type == y.Type && x.ID < y.ID
	})
	return list
}

// include follows references of the resources.
func (s *Store) include(ctx context.Context, d access.Decision, i search.Include, rows []row, set *included) error {
	var rids []int64
	for _, v := range rows {
		if v.record.Resource.Type() == i.Source {
			rids = append(rids, v.rid)
		}
	}
	if len(rids) == 0 {
		return nil
	}
	q := s.newQuery()
	q.add("SELECT DISTINCT v.ref_type, v.ref_id FROM fhir_reference v WHERE v.param")
	q.among(parameterIDs(i))
	q.add(" AND v.ref_id <> '' AND v.rid")
	q.among(rids)
	if i.Target != "" {
		q.add(" AND v.ref_type = ")
		q.arg(string(i.Target))
	}
	targets, err := s.references(ctx, q)
	if err != nil {
		return err
	}
	for t, ids := range targets {
		c := s.newQuery()
		c.add("SELECT ", columns("m"))
		c.from(includeView(d), t, "m")
		c.add(" AND m.id")
		c.among(ids)
		if err := s.collect(ctx, c, t, set); err != nil {
			return err
		}
	}
	return nil
}

// references reads pairs of type and id.
func (s *Store) references(ctx context.Context, q *query) (map[fhir.ResourceType][]string, error) {
	found, err := s.db.Query(ctx, q.String(), q.args...)
	if err != nil {
		return nil, fmt.Errorf("following references: %w", err)
	}
	defer found.Close()
	targets := map[fhir.ResourceType][]string{}
	for n := 0; found.Next(); n++ {
		var t, id string
		if err := found.Scan(&t, &id); err != nil {
			return nil, err
		}
		if n >= maxIncluded {
			return nil, fhirstore.ErrTooCostly
		}
		targets[fhir.ResourceType(t)] = append(targets[fhir.ResourceType(t)], id)
	}
	return targets, found.Err()
}

// revInclude finds what points to the resources.
func (s *Store) revInclude(ctx context.Context, d access.Decision, i search.Include, rows []row, set *included) error {
	var refs []fhir.Reference
	for _, v := range rows {
		if t := v.record.Resource.Type(); i.Target == "" || i.Target == t {
			refs = append(refs, v.record.Resource.Reference())
		}
	}
	for t, ids := range idsByType(refs) {
		q := s.newQuery()
		q.add("SELECT ", columns("m"))
		q.from(includeView(d), i.Source, "m")
		q.add(" AND m.rid IN (SELECT v.rid FROM fhir_reference v WHERE v.param")
		q.among(parameterIDs(i))
		q.add(" AND v.ref_type = ")
		q.arg(string(t))
		q.add(" AND v.ref_id")
		q.among(ids)
		q.add(") ORDER BY m.id LIMIT ")
		q.arg(int64(maxIncluded + 1))
		if err := s.collect(ctx, q, i.Source, set); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) collect(ctx context.Context, q *query, t fhir.ResourceType, set *included) error {
	found, err := s.db.Query(ctx, q.String(), q.args...)
	if err != nil {
		return fmt.Errorf("reading includes: %w", err)
	}
	defer found.Close()
	for found.Next() {
		v, err := scanRow(found, t)
		if err != nil {
			return err
		}
		ref := v.record.Resource.Reference()
		if set.seen[ref] {
			continue
		}
		set.seen[ref] = true
		if set.rows = append(set.rows, v); len(set.rows) > maxIncluded {
			return fhirstore.ErrTooCostly
		}
	}
	return found.Err()
}
