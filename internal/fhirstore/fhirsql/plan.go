package fhirsql

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// planned is a write with all its names resolved: Ref has an id, and Content refers
// to what is there, or will be.
type planned struct {
	fhirstore.Write
	found row               // what makes a creation needless; zero: nothing
	names map[string]string // of all writes: what a patch may bring
}

// plan resolves criteria, names and references of all writes before any is made. Ids
// are random: they tell nothing about the store (row 79 of the leak catalogue).
func (c *changes) plan(ctx context.Context, writes []fhirstore.Write) ([]planned, error) {
	list, names, seen := make([]planned, len(writes)), map[string]string{}, map[fhir.Reference]bool{}
	for i, w := range writes {
		p, err := c.resolve(ctx, w)
		if err == nil && seen[p.Ref] {
			err = fhirstore.ErrTwice
		}
		if err != nil {
			return nil, &fhirstore.WriteError{At: i, Err: err}
		}
		seen[p.Ref] = true
		if p.FullURL != "" {
			names[p.FullURL] = p.Ref.String()
		}
		list[i] = p
	}
	for i := range list {
		list[i].names = names
		if err := c.rename(ctx, &list[i], names); err != nil {
			return nil, &fhirstore.WriteError{At: i, Err: err}
		}
	}
	return list, nil
}

// resolve finds out what a write is about.
func (c *changes) resolve(ctx context.Context, w fhirstore.Write) (planned, error) {
	p := planned{Write: w}
	var found string
	if w.Where != nil {
		var err error
		if found, err = c.only(ctx, *w.Where); err != nil {
			return p, err
		}
		if p.Ref.ID = found; found == "" && w.Code != fhir.Create {
			return p, fhirstore.ErrNotFound
		}
	}
	switch {
	case w.Code != fhir.Create:
		return p, nil
	case found != "":
		q := c.store.lastQuery(matchView(w.Where.Decision), p.Ref)
		var err error
		p.found, err = c.store.lastRow(ctx, c.tx, c.tx.QueryRow(ctx, q.String(), q.args...), p.Ref)
		return p, err
	}
	p.Ref.ID = strings.ToLower(rand.Text())
	c.made[p.Ref] = true
	return p, nil
}

// only is the id of the one resource in the view that fulfils a condition; empty:
// none does.
func (c *changes) only(ctx context.Context, condition fhirstore.Condition) (string, error) {
	q := c.store.newQuery()
	q.add("SELECT m.id")
	q.fromSearch(matchView(condition.Decision), condition.Query, "m")
	q.add(" ORDER BY m.id LIMIT 2")
	rows, err := c.tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return "", err
		}
		ids = append(ids, id)
	}
	switch {
	case rows.Err() != nil || len(ids) == 0:
		return "", rows.Err()
	case len(ids) > 1:
		return "", fhirstore.ErrMany
	}
	return ids[0], nil
}

// rename puts references in place of the names of other writes, and of conditions:
// none and several are told alike (row 83 of the leak catalogue).
func (c *changes) rename(ctx context.Context, p *planned, names map[string]string) error {
	if p.Content.IsZero() || len(names)+len(p.References) == 0 {
		return nil
	}
	all := map[string]string{}
	for text, condition := range p.References {
		id, err := c.only(ctx, condition)
		if err == fhirstore.ErrMany || err == nil && id == "" { //nolint:errorlint // only returns it bare
			return fhirstore.ErrReference
		}
		if err != nil {
			return err
		}
		all[text] = fhir.Reference{Type: condition.Query.Type, ID: id}.String()
	}
	for name, ref := range names {
		all[name] = ref
	}
	content, err := p.Content.Renamed(all)
	p.Content = content
	return err
}

// inOrder: deletions first, as FHIR has it (R4 http §3.1.0.11.2); what derives its
// owners comes after what it may derive them from.
func inOrder(plan []planned) []int {
	rank := func(i int) int {
		switch p := plan[i]; {
		case p.Code == fhir.Delete:
			return 0
		case compartment.DerivationOf(p.Ref.Type) == compartment.None:
			return 1
		case compartment.DerivationOf(p.Ref.Type) == compartment.FromSecurityContextOrAttachers:
			return 2
		}
		return 3
	}
	order := make([]int, len(plan))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank(a) - rank(b) })
	return order
}
