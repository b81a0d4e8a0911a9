package fhirsql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Write implements fhirstore.Keeper. Writers follow one another, so that what was
// judged is what is there when it is written.
func (s *Store) Write(ctx context.Context, writes []fhirstore.Write) (done []fhirstore.Written, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		last, looks, err := s.begin(ctx, tx)
		if err != nil {
			return err
		}
		c := changes{store: s, tx: tx, last: last, looks: looks, now: s.now().UTC().Truncate(time.Millisecond), made: map[fhir.Reference]bool{}}
		plan, err := c.plan(ctx, writes)
		if err != nil {
			return err
		}
		done = make([]fhirstore.Written, len(writes))
		for _, i := range inOrder(plan) {
			if done[i], err = c.make(ctx, plan[i]); err != nil {
				return &fhirstore.WriteError{At: i, Err: err}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// changes are those of one transaction.
type changes struct {
	store *Store
	tx    *db.Tx
	last  int64 // highest rid
	looks bool  // what is written is classified
	now   time.Time
	made  map[fhir.Reference]bool // created here
}

func (c *changes) make(ctx context.Context, w planned) (fhirstore.Written, error) {
	switch w.Code {
	case fhir.Create:
		if w.found.rid != 0 {
			return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: w.found.record}, Found: true}, nil
		}
		return c.create(ctx, w)
	case fhir.Update, fhir.Patch:
		return c.update(ctx, w)
	case fhir.Delete:
		return c.delete(ctx, w)
	}
	return fhirstore.Written{}, fmt.Errorf("fhirsql: %s is no write", w.Code)
}

func (c *changes) create(ctx context.Context, w planned) (fhirstore.Written, error) {
	c.last++
	new := existing{rid: c.last}
	content, err := c.writer().stamp(w.Content, w.Ref.ID, new)
	if err != nil {
		return fhirstore.Written{}, err
	}
	change, err := c.permit(ctx, w.Decision, access.State{}, content)
	if err != nil {
		return fhirstore.Written{}, err
	}
	return c.apply(ctx, change, new)
}

func (c *changes) update(ctx context.Context, w planned) (fhirstore.Written, error) {
	current, err := c.current(ctx, w)
	if err != nil {
		return fhirstore.Written{}, err
	}
	if current.deleted { // an update does not create (row 64)
		return fhirstore.Written{}, fhirstore.ErrGone
	}
	before := access.State{Resource: current.record.Resource, Owners: current.record.Owners}
	content := w.Content
	if id := content.ID(); w.Where != nil && id != "" && id != w.Ref.ID {
		return fhirstore.Written{}, fhir.NewOutcome("error", "invalid", "The resource has another id than the one that the criteria find.")
	}
	if w.Code == fhir.Patch {
		if content, err = edited(w, before); err != nil {
			return fhirstore.Written{}, err
		}
	}
	if content, err = content.WithLabelsOf(before.Resource); err != nil {
		return fhirstore.Written{}, err
	}
	old := current.existing()
	if content, err = c.writer().stamp(content, w.Ref.ID, old); err != nil {
		return fhirstore.Written{}, err
	}
	change, err := c.permit(ctx, w.Decision, before, content)
	if err != nil {
		return fhirstore.Written{}, err
	}
	return c.apply(ctx, change, old)
}

// edited is what a patch makes of the old state, for those who may read it.
func edited(w planned, before access.State) (fhir.Resource, error) {
	if err := w.Decision.Edits(before); err != nil {
		return fhir.Resource{}, err
	}
	content, err := w.Edit(before.Resource)
	if err != nil || len(w.names) == 0 {
		return content, err
	}
	return content.Renamed(w.names)
}

func (c *changes) delete(ctx context.Context, w planned) (fhirstore.Written, error) {
	current, err := c.current(ctx, w)
	if err != nil {
		return fhirstore.Written{}, err
	}
	change, err := w.Decision.Change(access.State{Resource: current.record.Resource, Owners: current.record.Owners}, access.State{})
	switch {
	case err != nil:
		return fhirstore.Written{}, hidden(err)
	case current.deleted: // deleting twice is deleting (FHIR R4 http §3.1.0.7)
		return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: current.record, Deleted: true}}, nil
	}
	return c.remove(ctx, change, current)
}

// current finds what a write names, and its version if one is expected.
func (c *changes) current(ctx context.Context, w planned) (row, error) {
	q := c.store.lastQuery(targetView(w.Decision), w.Ref)
	current, err := c.store.lastRow(ctx, c.tx, c.tx.QueryRow(ctx, q.String(), q.args...), w.Ref)
	if err == nil && w.IfMatch != "" && w.IfMatch != current.record.VersionName() {
		return row{}, fhirstore.ErrVersion
	}
	return current, err
}

func (r row) existing() existing {
	return existing{rid: r.rid, version: r.record.Version, updated: r.record.UpdatedAt.UnixMilli()}
}

func (c *changes) writer() *writer { return &writer{now: c.now} }

// apply writes what was permitted. Order: nothing else may have other owners
// afterwards, and what derives its own has those that were judged.
func (c *changes) apply(ctx context.Context, change access.Change, old existing) (fhirstore.Written, error) {
	if change.IsZero() || change.Deletes() {
		return fhirstore.Written{}, errors.New("fhirsql: nothing was permitted")
	}
	after := change.After()
	p := c.store.index(after.Resource)
	p.owners, p.source, p.classified = after.Owners, []byte{}, c.look(after.Resource)
	w := c.writer()
	if !change.Creates() {
		w.reindex(old)
	}
	if err := w.put(p, old); err != nil {
		return fhirstore.Written{}, err
	}
	if err := c.tx.Batch(ctx, w.statements); err != nil {
		return fhirstore.Written{}, err
	}
	moved, err := c.store.derive(ctx, c.tx, []fhir.Reference{p.ref})
	if err == nil && moved > 0 {
		err = fhirstore.ErrOwners
	}
	record := fhirstore.Record{Resource: after.Resource, Owners: after.Owners, Version: old.version + 1, UpdatedAt: w.at(old)}
	return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: record, Created: change.Creates()}}, err
}

// remove deletes: the last content stays for its history, its owners and index rows
// for judging who may know of it.
func (c *changes) remove(ctx context.Context, change access.Change, current row) (fhirstore.Written, error) {
	if !change.Deletes() {
		return fhirstore.Written{}, errors.New("fhirsql: nothing was permitted")
	}
	w, old, record := c.writer(), current.existing(), current.record
	record.Version, record.UpdatedAt = old.version+1, w.at(old)
	w.add(`UPDATE fhir_resource SET version = $2, updated = $3, deleted = 1, source = $4 WHERE rid = $1`,
		old.rid, record.Version, record.UpdatedAt.UnixMilli(), []byte{})
	owners, err := ownerList(record.Owners)
	if err != nil {
		return fhirstore.Written{}, err
	}
	ref := record.Resource.Reference()
	w.add(`INSERT INTO fhir_version (type, id, version, updated, deleted, owners, body, sensitive) VALUES ($1, $2, $3, $4, 1, $5, $6, $7)`,
		string(ref.Type), ref.ID, record.Version, record.UpdatedAt.UnixMilli(), owners, record.Resource.JSON(), record.Owners.Sensitivity.String())
	err = c.tx.Batch(ctx, w.statements)
	return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: record, Deleted: true}}, err
}

// hidden tells what is not in the view as what is not there.
func hidden(err error) error {
	if errors.Is(err, access.ErrHidden) {
		return fhirstore.ErrNotFound
	}
	return err
}
