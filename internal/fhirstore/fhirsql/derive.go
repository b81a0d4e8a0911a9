package fhirsql

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// provenanceTarget numbers the parameter that Provenance derives its owners from.
var provenanceTarget = func() int64 {
	p, _ := search.Lookup("Provenance", "target")
	return parameterID(p)
}()

// securityContext numbers the security context of a Binary in fhir_reference. R4
// has no search parameter for it; 0 is no parameter's number.
const securityContext int64 = 0

// derive computes the owners of every Provenance and Binary anew that depends on
// what has changed, over any number of steps, and says how many have other ones now.
//
//	changed ─▶ dependents, theirs, … ─▶ what each derives from ─▶ settle ─▶ owners
func (s *Store) derive(ctx context.Context, tx *db.Tx, changed []fhir.Reference) (moved int, err error) {
	d := derivation{s, tx, map[fhir.Reference]*derived{}}
	if err := d.gather(ctx, changed); err != nil || len(d.found) == 0 {
		return 0, err
	}
	if err := d.connect(ctx); err != nil {
		return 0, err
	}
	d.settle()
	return d.write(ctx)
}

// derivation is one computation: everything that may have other owners now.
type derivation struct {
	store *Store
	tx    *db.Tx
	found map[fhir.Reference]*derived
}

// derived is a resource whose owners follow from others.
type derived struct {
	rid     int64
	ref     fhir.Reference
	version int64
	before  []string // its owners as they are stored
	// was is its sensitivity as it is stored; sensitivity that of its own content, and then
	// of all that it derives from.
	was, sensitivity search.Sensitivity
	// states: its owners are its own; it derives what is sensitive from its medicine.
	states bool
	// secured: a Binary with a security context, which alone decides.
	secured bool
	// owners of all that it derives from; nobody: some of that is in nobody's
	// record, so nobody may see this either.
	owners map[string]bool
	nobody bool
	// dependents derive from it, and are in the same derivation.
	dependents []*derived
}

// gather finds what derives from a change, and from that in turn. Every resource
// is taken once, so that circles end.
func (d derivation) gather(ctx context.Context, changed []fhir.Reference) error {
	next, err := d.themselves(ctx, changed)
	if err != nil {
		return err
	}
	for next = append(next, changed...); len(next) > 0; {
		var more []fhir.Reference
		for t, ids := range idsByType(next) {
			asks := []func(*query, fhir.ResourceType, []string){referring, attachedBy}
			if t == "Medication" && d.store.sensitive != nil {
				asks = append(asks, stating)
			}
			for _, ask := range asks {
				q := d.store.newQuery()
				q.add(derivedColumns, " FROM fhir_resource m WHERE ")
				ask(q, t, ids)
				found, err := d.take(ctx, q)
				if err != nil {
					return err
				}
				more = append(more, found...)
			}
		}
		next = more
	}
	return nil
}

// themselves takes the changed ones that derive their owners.
func (d derivation) themselves(ctx context.Context, changed []fhir.Reference) ([]fhir.Reference, error) {
	var all []fhir.Reference
	for t, ids := range idsByType(changed) {
		if compartment.DerivationOf(t) == compartment.None && !d.store.states(t) {
			continue
		}
		q := d.store.newQuery()
		q.add(derivedColumns, " FROM fhir_resource m WHERE m.type = ")
		q.arg(string(t))
		q.add(" AND m.id")
		q.among(ids)
		found, err := d.take(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// referring: a Provenance that targets one of these, a Binary that one of them
// secures.
func referring(q *query, t fhir.ResourceType, ids []string) {
	q.add("m.rid IN (SELECT v.rid FROM fhir_reference v WHERE v.param IN (")
	q.arg(provenanceTarget)
	q.add(", ")
	q.arg(securityContext)
	q.add(") AND v.ref_type = ")
	q.arg(string(t))
	q.add(" AND v.ref_id")
	q.among(ids)
	q.add(")")
}

// attachedBy: a Binary that one of these attaches.
func attachedBy(q *query, t fhir.ResourceType, ids []string) {
	q.add("m.type = 'Binary' AND m.id IN (SELECT a.binary_id FROM fhir_attachment a JOIN fhir_resource f ON f.rid = a.rid WHERE f.type = ")
	q.arg(string(t))
	q.add(" AND f.id")
	q.among(ids)
	q.add(")")
}

// derivedColumns are what take reads.
const derivedColumns = "SELECT m.rid, m.type, m.id, m.version, m.owner, m.classified, m.sensitive"

// take adds what a query names and returns what was new.
func (d derivation) take(ctx context.Context, q *query) ([]fhir.Reference, error) {
	rows, err := d.tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var fresh []fhir.Reference
	for rows.Next() {
		n := derived{owners: map[string]bool{}}
		var kind, owner, classified, sensitive string
		if err := rows.Scan(&n.rid, &kind, &n.ref.ID, &n.version, &owner, &classified, &sensitive); err != nil {
			return nil, err
		}
		n.sensitivity, n.was = search.ReadSensitivity(classified), search.ReadSensitivity(sensitive)
		if owner != "" {
			n.before = []string{owner}
		}
		n.ref.Type = fhir.ResourceType(kind)
		n.states = compartment.DerivationOf(n.ref.Type) == compartment.None
		if d.found[n.ref] == nil {
			d.found[n.ref] = &n
			fresh = append(fresh, n.ref)
		}
	}
	return fresh, rows.Err()
}

func idsByType(refs []fhir.Reference) map[fhir.ResourceType][]string {
	m := map[fhir.ResourceType][]string{}
	for _, r := range refs {
		m[r.Type] = append(m[r.Type], r.ID)
	}
	return m
}

// settle spreads owners, and what is sensitive, to dependents until nothing changes: sets only grow, so
// circles end. Order: what has no owner at all is known when all are spread;
// then it hides what derives from it.
func (d derivation) settle() {
	var next, without []*derived
	for _, n := range d.found {
		next = append(next, n)
	}
	for ; len(next) > 0; next = next[1:] {
		for _, dependent := range next[0].dependents {
			before := len(dependent.owners)
			for patient := range next[0].owners {
				dependent.owners[patient] = true
			}
			held := dependent.sensitivity
			dependent.sensitivity = held.And(next[0].sensitivity)
			if len(dependent.owners) > before || !held.Equal(dependent.sensitivity) {
				next = append(next, dependent)
			}
		}
	}
	for _, n := range d.found {
		if n.nobody = n.nobody || len(n.owners) == 0; n.nobody {
			without = append(without, n)
		}
	}
	for ; len(without) > 0; without = without[1:] {
		for _, dependent := range without[0].dependents {
			if !dependent.nobody {
				dependent.nobody = true
				without = append(without, dependent)
			}
		}
	}
}
