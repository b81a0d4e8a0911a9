package fhirsql

import (
	"context"
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// source is what a resource derives its owners from.
type source struct {
	rid   int64
	ref   fhir.Reference
	owner string // the only one; empty: several or none
	held  search.Sensitivity
}

// connect finds what the resources derive from and notes its owners: those of
// all targets for a Provenance; for a Binary those of its security context, or
// else of everything that attaches it.
func (d derivation) connect(ctx context.Context) error {
	several := map[int64][]*derived{} // by the rid of a source without a single owner
	note := func(n *derived, from source) {
		if d.found[from.ref] == nil {
			n.sensitivity = n.sensitivity.And(from.held)
		}
		switch inner := d.found[from.ref]; {
		case n.states:
		case inner != nil:
			inner.dependents = append(inner.dependents, n)
		case compartment.ClassOf(from.ref.Type) == compartment.Shared: // about nobody, and says nothing
		case from.owner != "":
			n.owners[from.owner] = true
		default:
			several[from.rid] = append(several[from.rid], n)
		}
	}
	if err := d.references(ctx, note); err != nil {
		return err
	}
	if err := d.attachers(ctx, note); err != nil {
		return err
	}
	if err := d.several(ctx, several); err != nil {
		return err
	}
	for _, n := range d.found {
		for _, patient := range n.before {
			if n.states {
				n.owners[patient] = true
			}
		}
	}
	return nil
}

// references follows targets and security contexts. What was never here has no
// owners to add, and what was deleted still has those it had: a deletion lets
// nobody see more. A security context decides alone.
func (d derivation) references(ctx context.Context, note func(*derived, source)) error {
	byRID := map[int64]*derived{}
	rids := make([]int64, 0, len(d.found))
	for _, n := range d.found {
		byRID[n.rid] = n
		rids = append(rids, n.rid)
	}
	q := d.store.newQuery()
	q.add(`SELECT v.rid, v.param, COALESCE(t.rid, 0), COALESCE(t.type, ''), COALESCE(t.id, ''), COALESCE(t.owner, ''), COALESCE(t.sensitive, '')
FROM fhir_reference v LEFT JOIN fhir_resource t ON t.type = v.ref_type AND t.id = v.ref_id WHERE v.param IN (`)
	q.arg(provenanceTarget)
	q.add(", ")
	q.arg(securityContext)
	for _, param := range medicines {
		q.add(", ")
		q.arg(param)
	}
	q.add(") AND v.rid")
	q.among(rids)
	rows, err := d.tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			rid, param int64
			from       source
			kind, held string
		)
		if err := rows.Scan(&rid, &param, &from.rid, &kind, &from.ref.ID, &from.owner, &held); err != nil {
			return err
		}
		from.held = search.ReadSensitivity(held)
		n := byRID[rid]
		n.secured = n.secured || param == securityContext
		if from.ref.Type = fhir.ResourceType(kind); kind != "" {
			note(n, from)
		}
	}
	return rows.Err()
}

// attachers are what attaches a Binary that has no security context.
func (d derivation) attachers(ctx context.Context, note func(*derived, source)) error {
	var ids []string
	for ref, n := range d.found {
		if ref.Type == "Binary" && !n.secured {
			ids = append(ids, ref.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	q := d.store.newQuery()
	q.add(`SELECT a.binary_id, t.rid, t.type, t.id, t.owner, t.sensitive FROM fhir_attachment a
JOIN fhir_resource t ON t.rid = a.rid WHERE a.binary_id`)
	q.among(ids)
	rows, err := d.tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			id, kind, held string
			from           source
		)
		if err := rows.Scan(&id, &from.rid, &kind, &from.ref.ID, &from.owner, &held); err != nil {
			return err
		}
		from.held = search.ReadSensitivity(held)
		from.ref.Type = fhir.ResourceType(kind)
		note(d.found[fhir.Reference{Type: "Binary", ID: id}], from)
	}
	return rows.Err()
}

// several notes the owners of sources that have more than one, and of what is
// derived itself, as it was before. A source without any is in nobody's record,
// and nobody sees what derives from it (rows 14 and 44 of the leak catalogue: all
// of it must be visible).
func (d derivation) several(ctx context.Context, by map[int64][]*derived) error {
	own := map[int64]*derived{}
	rids := make([]int64, 0, len(by))
	for rid := range by {
		rids = append(rids, rid)
	}
	for _, n := range d.found {
		if n.before == nil {
			own[n.rid] = n
			rids = append(rids, n.rid)
		}
	}
	q := d.store.newQuery()
	q.add("SELECT rid, patient FROM fhir_owner WHERE rid")
	q.among(rids)
	q.add(" ORDER BY rid, patient")
	rows, err := d.tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	owned := map[int64]bool{}
	for rows.Next() {
		var (
			rid     int64
			patient string
		)
		if err := rows.Scan(&rid, &patient); err != nil {
			return err
		}
		if n := own[rid]; n != nil {
			n.before = append(n.before, patient)
		}
		owned[rid] = true
		for _, n := range by[rid] {
			n.owners[patient] = true
		}
	}
	for rid, dependents := range by {
		for _, n := range dependents {
			n.nobody = n.nobody || !owned[rid]
		}
	}
	return rows.Err()
}

// required are the owners as they are stored, sorted.
func (n *derived) required() []string {
	if n.nobody {
		return nil
	}
	ids := make([]string, 0, len(n.owners))
	for id := range n.owners {
		ids = append(ids, id)
	}
	return search.NewIDSet(ids...).List()
}

// write gives their owners, and what is sensitive, to the resources and to their current
// versions, where they are other ones now; moved counts those with other owners.
func (d derivation) write(ctx context.Context) (moved int, err error) {
	w := writer{}
	for ref, n := range d.found {
		owners := n.required()
		if !n.sensitivity.Equal(n.was) {
			held := n.sensitivity.String()
			w.add(`UPDATE fhir_resource SET sensitive = $2 WHERE rid = $1`, n.rid, held)
			w.add(`UPDATE fhir_version SET sensitive = $4 WHERE type = $1 AND id = $2 AND version = $3`, string(ref.Type), ref.ID, n.version, held)
		}
		if slices.Equal(owners, n.before) {
			continue
		}
		list, err := ownerList(search.Owners{Required: owners})
		if err != nil {
			return 0, err
		}
		moved++
		single := ""
		if len(owners) == 1 {
			single = owners[0]
		}
		w.add(`UPDATE fhir_resource SET owner = $2 WHERE rid = $1`, n.rid, single)
		w.add(`DELETE FROM fhir_owner WHERE rid = $1`, n.rid)
		w.owners(n.rid, search.Owners{Required: owners})
		w.add(`UPDATE fhir_version SET owners = $4 WHERE type = $1 AND id = $2 AND version = $3`,
			string(ref.Type), ref.ID, n.version, list)
	}
	return moved, d.tx.Batch(ctx, w.statements)
}
