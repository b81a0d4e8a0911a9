package fhirsql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// reaches: a tie leads to the patient now, from the practitioner or related person, or from
// whom another tie leads to from them, and what says so is not deleted. Ties of a patient
// are few; they are looked at first.
const reaches = `EXISTS (SELECT 1 FROM fhir_tie t JOIN fhir_resource tr ON tr.rid = t.rid AND tr.deleted = 0
  WHERE t.leads_to = 'Patient/' || %PATIENT% AND t.since <= %NOW% AND t.until >= %NOW%
  AND (t.agent = %OWN% OR EXISTS (SELECT 1 FROM fhir_tie r JOIN fhir_resource rr ON rr.rid = r.rid AND rr.deleted = 0
    WHERE r.leads_to = t.agent AND r.agent = %OWN% AND r.since <= %NOW% AND r.until >= %NOW%)))`

// everybody: a tie leads the practitioner to everybody now.
const everybody = `EXISTS (SELECT 1 FROM fhir_tie e JOIN fhir_resource er ON er.rid = e.rid AND er.deleted = 0
  WHERE e.leads_to = '%EVERYBODY%' AND e.agent = %OWN% AND e.since <= %NOW% AND e.until >= %NOW%)`

// Reaches is the condition, in SQL, that a practitioner, a role or a related person reaches
// a patient at a moment; its arguments are SQL as well. It is what package reach finds by
// searching, for one patient.
func (s *Store) Reaches(own, patient, now string) string {
	condition := reaches
	if len(s.tied.Roles) > 0 {
		condition = "(" + reaches + " OR " + everybody + ")"
	}
	return strings.NewReplacer("%OWN%", own, "%PATIENT%", patient, "%NOW%", now, "%EVERYBODY%", fhirstore.Everybody.String()).Replace(condition)
}

// untied is a resource of before ties were kept.
type untied struct {
	rid  int64
	ties []fhirstore.Tie
}

// Complete brings what was stored by earlier versions up to date: the ties of resources
// of before ties were kept, or were made by other rules, and index rows of before there were as many. It is to be
// called before anything is answered; when all is done it reads two empty tables.
func (s *Store) Complete(ctx context.Context) error {
	if err := s.retie(ctx); err != nil {
		return fmt.Errorf("bringing records up to date: %w", err)
	}
	for left := true; left; {
		err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			// Order: nobody stores another version between reading and writing.
			if err := s.lock(ctx, tx); err != nil {
				return err
			}
			list, err := s.untied(ctx, tx)
			if err != nil {
				return err
			}
			if left, err = s.reindex(ctx, tx); err != nil {
				return err
			}
			if left = left || len(list) > 0; !left {
				return nil
			}
			w := writer{}
			for _, u := range list {
				w.add(`DELETE FROM fhir_tie WHERE rid = $1`, u.rid)
				w.ties(u.rid, u.ties)
				w.add(`DELETE FROM fhir_untied WHERE rid = $1`, u.rid)
			}
			return tx.Batch(ctx, w.statements)
		})
		if err != nil {
			return fmt.Errorf("bringing records up to date: %w", err)
		}
	}
	return nil
}

// retie has all ties found anew when the rules are others than they were.
func (s *Store) retie(ctx context.Context) error {
	rules := s.tied.String()
	var before string
	err := s.db.Find(ctx, `SELECT rules FROM fhir_tie_rules`).Scan(&before)
	if err == nil && before == rules || err != nil && !errors.Is(err, db.ErrNoRow) {
		return err
	}
	var types []string
	for _, t := range fhirstore.TyingTypes() {
		types = append(types, string(t))
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.Batch(ctx, []db.Statement{
			{Text: `INSERT INTO fhir_untied SELECT rid FROM fhir_resource WHERE deleted = 0 AND type IN ('` + strings.Join(types, "', '") + `') ON CONFLICT (rid) DO NOTHING`},
			{Text: `DELETE FROM fhir_tie_rules`},
			{Text: `INSERT INTO fhir_tie_rules (rules) VALUES ($1)`, Args: []any{rules}},
		})
	})
}

func (s *Store) untied(ctx context.Context, tx *db.Tx) ([]untied, error) {
	rows, err := tx.Query(ctx, `SELECT u.rid, COALESCE(m.type, ''), COALESCE(m.id, ''), m.body FROM fhir_untied u
LEFT JOIN fhir_resource m ON m.rid = u.rid AND m.deleted = 0 ORDER BY u.rid LIMIT $1`, int64(portion))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []untied
	for rows.Next() {
		var (
			u        untied
			kind, id string
			body     []byte
		)
		if err := rows.Scan(&u.rid, &kind, &id, &body); err != nil {
			return nil, err
		}
		if kind != "" { // else it has been deleted since
			u.ties = s.tied.Ties(fhir.Stored(fhir.ResourceType(kind), id, body), s.base)
		}
		list = append(list, u)
	}
	return list, rows.Err()
}
