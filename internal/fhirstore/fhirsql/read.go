package fhirsql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// columns of a resource variable that scanRow reads.
func columns(x string) string {
	return x + ".rid, " + x + ".id, " + x + ".version, " + x + ".updated, " + x + ".owner, " + x + ".sensitive, " + x + ".body"
}

// row is a resource as it came out of the database.
type row struct {
	rid     int64
	record  fhirstore.Record
	owner   string
	deleted bool
}

func scanRow(r db.Row, t fhir.ResourceType, more ...any) (row, error) {
	var (
		v                row
		id               string
		updated, version int64
		sensitive        string
		body             []byte
	)
	err := r.Scan(append([]any{&v.rid, &id, &version, &updated, &v.owner, &sensitive, &body}, more...)...)
	if err != nil {
		return row{}, err
	}
	v.record = fhirstore.Record{
		Resource: fhir.Stored(t, id, body), Version: version, UpdatedAt: time.UnixMilli(updated).UTC(),
	}
	if v.owner != "" {
		v.record.Owners.Required = []string{v.owner}
	}
	v.record.Owners.Sensitivity = search.ReadSensitivity(sensitive)
	return v, nil
}

// Read implements fhirstore.Backend: one query, the same for hidden and missing.
func (s *Store) Read(ctx context.Context, d access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	v, err := s.last(ctx, d, ref)
	if err == nil && v.deleted {
		return fhirstore.Record{}, fhirstore.ErrGone
	}
	return v.record, err
}

// last finds a resource as it is, or as it was when it was deleted.
func (s *Store) last(ctx context.Context, d access.Decision, ref fhir.Reference) (row, error) {
	q := s.lastQuery(matchView(d), ref)
	return s.lastRow(ctx, s.db, s.db.Find(ctx, q.String(), q.args...), ref)
}

func (s *Store) lastQuery(v view, ref fhir.Reference) *query {
	q := s.newQuery()
	q.add("SELECT ", columns("m"), ", m.deleted")
	q.fromEver(v, ref.Type, "m")
	q.add(" AND m.id = ")
	q.arg(ref.ID)
	return q
}

func (s *Store) lastRow(ctx context.Context, from reader, found db.Row, ref fhir.Reference) (row, error) {
	var deleted int64
	v, err := scanRow(found, ref.Type, &deleted)
	if errors.Is(err, db.ErrNoRow) {
		return row{}, fhirstore.ErrNotFound
	}
	if err != nil {
		return row{}, fmt.Errorf("reading a resource: %w", err)
	}
	v.deleted = deleted != 0
	rows := []row{v}
	if err := s.addOwners(ctx, from, rows); err != nil {
		return row{}, err
	}
	return rows[0], nil
}

// VRead implements fhirstore.Backend.
func (s *Store) VRead(ctx context.Context, d access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	// Order: the current version first; who may not see it sees none (design law of
	// access, row 4).
	current, err := s.last(ctx, d, ref)
	if err != nil {
		return fhirstore.Record{}, err
	}
	version, err := strconv.ParseInt(ref.Version, 10, 64)
	if err != nil || version < 1 {
		return fhirstore.Record{}, fhirstore.ErrNotFound
	}
	if version == current.record.Version && !current.deleted {
		return current.record, nil
	}
	var (
		updated, deleted int64
		owners, held     string
		body             []byte
	)
	err = s.db.Find(ctx, `SELECT updated, deleted, owners, sensitive, body FROM fhir_version WHERE type = $1 AND id = $2 AND version = $3`,
		string(ref.Type), ref.ID, version).Scan(&updated, &deleted, &owners, &held, &body)
	if errors.Is(err, db.ErrNoRow) {
		return fhirstore.Record{}, fhirstore.ErrNotFound
	}
	if err != nil {
		return fhirstore.Record{}, fmt.Errorf("reading a version: %w", err)
	}
	r := fhirstore.Record{Resource: fhir.Stored(ref.Type, ref.ID, body), Version: version, UpdatedAt: time.UnixMilli(updated).UTC()}
	if err := json.Unmarshal([]byte(owners), &r.Owners.Required); err != nil {
		return fhirstore.Record{}, fmt.Errorf("reading the owners of a version: %w", err)
	}
	r.Owners.Sensitivity = search.ReadSensitivity(held)
	switch {
	case !d.Admits(r.Resource, r.Owners):
		return fhirstore.Record{}, fhirstore.ErrNotFound
	case deleted != 0:
		return fhirstore.Record{}, fhirstore.ErrGone
	}
	return r, nil
}

// addOwners completes rows that belong to several patients, or to none. Types that
// are not about patients have no owners to ask for.
func (s *Store) addOwners(ctx context.Context, from reader, rows []row) error {
	var rids []int64
	at := map[int64]int{}
	for i, v := range rows {
		if v.owner == "" && compartment.ClassOf(v.record.Resource.Type()) == compartment.Record {
			rids = append(rids, v.rid)
			at[v.rid] = i
		}
	}
	if len(rids) == 0 {
		return nil
	}
	q := s.newQuery()
	q.add("SELECT rid, patient FROM fhir_owner WHERE rid")
	q.among(rids)
	q.add(" ORDER BY rid, patient")
	found, err := from.Query(ctx, q.String(), q.args...)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var (
			rid     int64
			patient string
		)
		if err := found.Scan(&rid, &patient); err != nil {
			return err
		}
		r := &rows[at[rid]].record
		r.Owners.Required = append(r.Owners.Required, patient)
	}
	return found.Err()
}
