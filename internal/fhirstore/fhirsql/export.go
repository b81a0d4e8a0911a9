package fhirsql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// BeginExport implements fhirstore.Exports. Order: writers are kept out while the
// moment is taken, so that whatever is stamped up to then is committed.
func (s *Store) BeginExport(ctx context.Context, e fhirstore.Export, life time.Duration, limits fhirstore.ExportLimits) (fhirstore.Export, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, _, err := s.begin(ctx, tx); err != nil {
			return err
		}
		e.At = s.now().UTC().Truncate(time.Millisecond)
		e.Expires = e.At.Add(life)
		var all, counting int64
		if err := tx.QueryRow(ctx, `SELECT count(*), COALESCE(sum(1 - counted), 0) FROM fhir_export WHERE client = $1 AND expires > $2`,
			e.Client, e.At.UnixMilli()).Scan(&all, &counting); err != nil {
			return err
		}
		if int(all) >= limits.All || int(counting) >= limits.Counting {
			return fhirstore.ErrExports
		}
		asked, progress, err := exportTexts(e)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO fhir_export (id, client, at, expires, revision, counted, asked, progress) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			e.ID, e.Client, e.At.UnixMilli(), e.Expires.UnixMilli(), e.Revision, flag(e.Counted()), asked, progress)
		return err
	})
	return e, err
}

func exportTexts(e fhirstore.Export) (asked, progress string, err error) {
	a, err := json.Marshal(e.Asked)
	if err != nil {
		return "", "", err
	}
	p, err := json.Marshal(e.Progress)
	return string(a), string(p), err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Export implements fhirstore.Exports.
func (s *Store) Export(ctx context.Context, client, id string) (fhirstore.Export, error) {
	e := fhirstore.Export{ID: id, Client: client}
	var (
		at, expires     int64
		asked, progress string
	)
	err := s.db.Find(ctx, `SELECT at, expires, revision, asked, progress FROM fhir_export WHERE id = $1 AND client = $2 AND expires > $3`,
		id, client, s.now().UnixMilli()).Scan(&at, &expires, &e.Revision, &asked, &progress)
	if errors.Is(err, db.ErrNoRow) {
		return fhirstore.Export{}, fhirstore.ErrNotFound
	}
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(asked), &e.Asked), json.Unmarshal([]byte(progress), &e.Progress))
	}
	if err != nil {
		return fhirstore.Export{}, fmt.Errorf("reading an export: %w", err)
	}
	e.At, e.Expires = time.UnixMilli(at).UTC(), time.UnixMilli(expires).UTC()
	return e, nil
}

// AdvanceExport implements fhirstore.Exports.
func (s *Store) AdvanceExport(ctx context.Context, e fhirstore.Export) error {
	_, progress, err := exportTexts(e)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `UPDATE fhir_export SET progress = $1, counted = $2, revision = revision + 1 WHERE id = $3 AND revision = $4`,
		progress, flag(e.Counted()), e.ID, e.Revision)
	if err == nil && n == 0 {
		return fhirstore.ErrMoved
	}
	return err
}

// CancelExport implements fhirstore.Exports.
func (s *Store) CancelExport(ctx context.Context, client, id string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM fhir_export WHERE id = $1 AND client = $2 AND expires > $3`, id, client, s.now().UnixMilli())
	if err == nil && n == 0 {
		return fhirstore.ErrNotFound
	}
	return err
}
