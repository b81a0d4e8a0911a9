package fhirsql

import (
	"context"
	"slices"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// permit has a new state judged. Order: whom content is about by itself is told
// before its references are looked up; what derives its owners from references is
// judged when all of them are known to be visible, so that neither answer depends
// on what is hidden.
func (c *changes) permit(ctx context.Context, d access.Decision, before access.State, content fhir.Resource) (access.Change, error) {
	after := access.State{Resource: content}
	if c.store.states(content.Type()) {
		after.Owners = compartment.Owners(content, c.store.base)
		if err := c.referencesVisible(ctx, d, before, after); err != nil {
			return access.Change{}, err
		}
		var err error
		if after.Owners.Sensitivity, err = c.stated(ctx, content); err != nil {
			return access.Change{}, err
		}
	} else if compartment.DerivationOf(content.Type()) != compartment.None {
		// A patient whom such content may be about is known; whom it is about is not yet.
		after.Owners = fhirstore.MayBeAbout(d, content, c.look(content), c.store.base)
		if err := c.referencesVisible(ctx, d, before, after); err != nil {
			return access.Change{}, err
		}
		owners, err := c.derivedOwners(ctx, content)
		if err != nil {
			return access.Change{}, err
		}
		after.Owners = owners
	} else {
		after.Owners = compartment.Owners(content, c.store.base)
		after.Owners.Sensitivity = c.look(content)
	}
	change, err := d.Change(before, after)
	if err != nil {
		return access.Change{}, hidden(err)
	}
	return change, c.referencesVisible(ctx, d, before, after)
}

// referencesVisible: every local reference that was not there before is to
// something visible, or created here (row 61 of the leak catalogue).
func (c *changes) referencesVisible(ctx context.Context, d access.Decision, before, after access.State) error {
	for t, ids := range fhirstore.NewReferences(d, before, after, c.store.base) {
		ids = slices.DeleteFunc(ids, func(id string) bool { return c.made[fhir.Reference{Type: t, ID: id}] })
		if len(ids) == 0 {
			continue
		}
		q := c.store.newQuery()
		q.add("SELECT count(*)")
		q.from(includeView(d), t, "m")
		q.add(" AND m.id")
		q.among(ids)
		var n int64
		if err := c.tx.QueryRow(ctx, q.String(), q.args...).Scan(&n); err != nil {
			return err
		}
		if n < int64(len(ids)) {
			return fhirstore.ErrReference
		}
	}
	return nil
}

// derivedOwners says beforehand what derive says afterwards, when it is compared.
func (c *changes) derivedOwners(ctx context.Context, r fhir.Resource) (search.Owners, error) {
	q := c.store.newQuery()
	q.add("SELECT t.type, t.owner, COALESCE(o.patient, ''), t.sensitive FROM fhir_resource t LEFT JOIN fhir_owner o ON o.rid = t.rid WHERE ")
	secured := securityContextOf(r, c.store.base)
	switch {
	case compartment.DerivationOf(r.Type()) == compartment.FromTargets:
		target, _ := search.Lookup(r.Type(), "target")
		q.add("(1=0")
		for _, v := range target.Extract(r, c.store.base) {
			q.named(v.Reference)
		}
		q.add(")")
	case secured.ID != "":
		q.add("(1=0")
		q.named(secured)
		q.add(")")
	default:
		q.add("t.rid IN (SELECT a.rid FROM fhir_attachment a WHERE a.binary_id = ")
		q.arg(r.ID())
		q.add(")")
	}
	return c.ownersTogether(ctx, q, c.look(r))
}

// named writes that t is a resource, if there is such a one.
func (q *query) named(ref fhir.Reference) {
	q.add(" OR t.type = ")
	q.arg(string(ref.Type))
	q.add(" AND t.id = ")
	q.arg(ref.ID)
}

// ownersTogether: shared types say nothing of owners, and what is in nobody's record leaves
// nobody. What is sensitive in any of them is, and so is what the resource holds itself.
func (c *changes) ownersTogether(ctx context.Context, q *query, held search.Sensitivity) (search.Owners, error) {
	rows, err := c.tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return search.Owners{}, err
	}
	defer rows.Close()
	var ids []string
	nobody := false
	for rows.Next() {
		var kind, single, one, sensitive string
		if err := rows.Scan(&kind, &single, &one, &sensitive); err != nil {
			return search.Owners{}, err
		}
		held = held.And(search.ReadSensitivity(sensitive))
		switch {
		case compartment.ClassOf(fhir.ResourceType(kind)) == compartment.Shared:
		case single != "":
			ids = append(ids, single)
		case one != "":
			ids = append(ids, one)
		default:
			nobody = true
		}
	}
	if nobody {
		ids = nil
	}
	return search.Owners{Required: search.NewIDSet(ids...).List(), Sensitivity: held}, rows.Err()
}
