package fhirsql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// fromExport writes FROM and WHERE for what may be part of an export: in the view and
// in the record now; by the filter too, if it is as it was at the moment. What has
// changed since was there before, and is judged by what it was (asOf).
func (q *query) fromExport(d access.Decision, e fhirstore.ExportQuery) {
	x := q.from(matchView(d), e.Type, "m")
	q.add(" AND ")
	q.condition(x, e.Within)
	if e.OfSomebody {
		q.add(" AND (m.owner <> '' OR EXISTS (SELECT 1 FROM fhir_owner o WHERE o.rid = m.rid))")
	}
	q.add(" AND (")
	q.compare("(m.updated", " <= ", e.At.UnixMilli())
	q.add(" AND ")
	q.condition(x, e.Filter)
	q.compare(") OR (m.updated", " > ", e.At.UnixMilli())
	q.compare(" AND EXISTS (SELECT 1 FROM fhir_version h WHERE h.type = m.type AND h.id = m.id AND h.updated", " <= ", e.At.UnixMilli())
	q.add(")))")
	if e.After != "" {
		q.compare(" AND m.id", " > ", e.After)
	}
	if e.Until != "" {
		q.compare(" AND m.id", " <= ", e.Until)
	}
	q.add(" ORDER BY m.id LIMIT ")
	q.arg(int64(e.Count))
}

// CountExport implements fhirstore.Exports. Resources that have changed since the
// moment are counted whatever they were.
func (s *Store) CountExport(ctx context.Context, d access.Decision, e fhirstore.ExportQuery) (int, string, error) {
	q := s.newQuery()
	q.add("SELECT count(*), COALESCE(max(id), '') FROM (SELECT m.id AS id")
	q.fromExport(d, e)
	q.add(") p")
	var (
		n    int64
		last string
	)
	if err := s.db.QueryRow(ctx, q.String(), q.args...).Scan(&n, &last); err != nil {
		return 0, "", fmt.Errorf("counting an export: %w", err)
	}
	return int(n), last, nil
}

// ReadExport implements fhirstore.Exports.
func (s *Store) ReadExport(ctx context.Context, d access.Decision, e fhirstore.ExportQuery) ([]fhirstore.Record, string, error) {
	q := s.newQuery()
	q.add("SELECT ", columns("m"))
	q.fromExport(d, e)
	rows, _, err := s.readMatches(ctx, q, search.Query{Type: e.Type})
	if err != nil {
		return nil, "", err
	}
	if err := s.addOwners(ctx, s.db, rows); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) == e.Count {
		next = rows[len(rows)-1].record.Resource.ID()
	}
	list := make([]fhirstore.Record, 0, len(rows))
	for _, v := range rows {
		record, err := s.asOf(ctx, v.record, e.At)
		if errors.Is(err, db.ErrNoRow) {
			continue
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading a version: %w", err)
		}
		if record.Version == v.record.Version || fulfils(d, e, record) {
			list = append(list, record)
		}
	}
	return list, next, nil
}

// asOf returns what a resource was at a moment. ErrNoRow: it was not there.
func (s *Store) asOf(ctx context.Context, now fhirstore.Record, at time.Time) (fhirstore.Record, error) {
	if !now.UpdatedAt.After(at) {
		return now, nil
	}
	var (
		version, updated, deleted int64
		owners, sensitive         string
		body                      []byte
	)
	ref := now.Resource.Reference()
	err := s.db.Find(ctx, `SELECT version, updated, deleted, owners, sensitive, body FROM fhir_version WHERE type = $1 AND id = $2 AND updated <= $3
 ORDER BY version DESC LIMIT 1`, string(ref.Type), ref.ID, at.UnixMilli()).Scan(&version, &updated, &deleted, &owners, &sensitive, &body)
	switch {
	case err != nil:
		return fhirstore.Record{}, err
	case deleted != 0:
		return fhirstore.Record{}, db.ErrNoRow
	}
	r := fhirstore.Record{Resource: fhir.Stored(ref.Type, ref.ID, body), Version: version, UpdatedAt: time.UnixMilli(updated).UTC()}
	r.Owners.Sensitivity = search.ReadSensitivity(sensitive)
	return r, json.Unmarshal([]byte(owners), &r.Owners.Required)
}

// fulfils judges a former version as fromExport does what is there now.
func fulfils(d access.Decision, e fhirstore.ExportQuery, r fhirstore.Record) bool {
	return d.Admits(r.Resource, r.Owners) && (!e.OfSomebody || len(r.Owners.Required) > 0) &&
		search.Match(e.Within, r.Resource, r.Owners, d.Base()) && search.Match(e.Filter, r.Resource, r.Owners, d.Base())
}
