package storesql

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// AppendSheets implements store.Trail.
func (s *Store) AppendSheets(ctx context.Context, sheets []store.Sheet) error {
	return failure("recording accesses", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, p := range sheets {
			var seq int64
			if err := tx.One(ctx, `INSERT INTO security_event (at, kind, actor, client_id, patient, grant_id, outcome, detail, body)
VALUES ($1, $2, 'server', '', '', '', 'ok', '', $3) RETURNING seq`, []any{millis(p.At), store.KindSheet, p.Body}, &seq); err != nil {
				return err
			}
			var found []db.Statement
			for _, patient := range p.Patients {
				found = append(found, db.Statement{Text: `INSERT INTO event_patient (patient, at, seq) VALUES ($1, $2, $3)`, Args: []any{patient, millis(p.At), seq}})
			}
			if err := tx.Batch(ctx, found); err != nil {
				return err
			}
		}
		return nil
	}))
}

// EventsOf implements store.Trail.
func (s *Store) EventsOf(ctx context.Context, q store.EventQuery) ([]store.KeptEvent, error) {
	since, until, behindAt, behindSeq := int64(math.MinInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64)
	if !q.Since.IsZero() {
		since = millis(q.Since)
	}
	if !q.Until.IsZero() {
		until = millis(q.Until)
	}
	if q.BehindSeq > 0 {
		behindAt, behindSeq = millis(q.BehindAt), q.BehindSeq
	}
	const within = ` WHERE patient = $1 AND at >= $2 AND at <= $3 AND at <= $4 AND (at < $4 OR seq < $5)`
	all, err := list(ctx, s, scanEvent, `SELECT `+eventColumns+` FROM (
  SELECT seq, at FROM event_patient`+within+`
  UNION SELECT seq, at FROM security_event`+within+` AND patient <> ''
  ORDER BY at DESC, seq DESC LIMIT $6) f JOIN security_event e ON e.seq = f.seq ORDER BY e.at DESC, e.seq DESC`,
		q.Patient, since, until, behindAt, behindSeq, int64(q.Limit))
	return all, failure("looking for events about a patient", err)
}

func scanEvent(row db.Row) (store.KeptEvent, error) {
	var e store.KeptEvent
	dest, done := eventDest(&e)
	err := row.Scan(dest...)
	done()
	return e, err
}

// KeptEvent implements store.Trail.
func (s *Store) KeptEvent(ctx context.Context, seq int64) (store.KeptEvent, error) {
	e, err := scanEvent(s.db.Find(ctx, `SELECT `+eventColumns+` FROM security_event e WHERE e.seq = $1`, seq))
	return e, failure("loading an event", err)
}

// Anchor implements store.Trail.
func (s *Store) Anchor(ctx context.Context) (store.Anchor, error) {
	var a store.Anchor
	err := s.db.Find(ctx, `SELECT place, link, seal FROM event_anchor ORDER BY place DESC LIMIT 1`).Scan(&a.Place, &a.Link, &a.Seal)
	if errors.Is(err, db.ErrNoRow) {
		return store.Anchor{}, nil
	}
	return a, failure("looking for where the chain begins", err)
}

// PruneEvents implements store.Trail.
func (s *Store) PruneEvents(ctx context.Context, before time.Time, seal func(place int64, link []byte) []byte, limit int) (n int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n = 0
		if err := s.keepOut(ctx, tx, "event_chain"); err != nil {
			return err
		}
		place, link, seqs, err := prefix(ctx, tx, millis(before), limit)
		if n = len(seqs); err != nil || n == 0 {
			return err
		}
		gone := []db.Statement{
			{Text: `DELETE FROM event_anchor`},
			{Text: `INSERT INTO event_anchor (place, link, seal) VALUES ($1, $2, $3)`, Args: []any{place, link, seal(place, link)}},
			{Text: s.guard().off},
		}
		for _, seq := range seqs {
			gone = append(gone, db.Statement{Text: `DELETE FROM security_event WHERE seq = $1`, Args: []any{seq}})
		}
		gone = append(gone, db.Statement{Text: s.guard().on}, db.Statement{Text: `DELETE FROM event_chain WHERE place <= $1`, Args: []any{place}})
		return tx.Batch(ctx, gone)
	})
	if err == nil && n < limit {
		err = s.pruneFound(ctx, millis(before))
	}
	return n, failure("removing old events", err)
}

// guarding takes away what refuses to remove events, and puts it back, in the one
// transaction that removes: nobody else ever finds it gone.
type guarding struct{ off, on string }

func (s *Store) guard() guarding {
	if s.db.Dialect() == db.PostgreSQL {
		return guarding{`ALTER TABLE security_event DISABLE TRIGGER event_unchanged`, `ALTER TABLE security_event ENABLE TRIGGER event_unchanged`}
	}
	return guarding{`DROP TRIGGER IF EXISTS event_kept`, `CREATE TRIGGER event_kept BEFORE DELETE ON security_event
BEGIN
  SELECT RAISE(ABORT, 'events are only added');
END`}
}

// prefix is the part of the chain, from where it begins, that is older than a time. It ends
// at an event that somebody else has removed, so that this goes on being found.
func prefix(ctx context.Context, tx *db.Tx, before int64, limit int) (place int64, link []byte, seqs []int64, err error) {
	rows, err := tx.Query(ctx, `SELECT c.place, c.link, c.seq, COALESCE(e.at, $2) FROM event_chain c LEFT JOIN security_event e ON e.seq = c.seq ORDER BY c.place LIMIT $1`, int64(limit), int64(math.MaxInt64))
	if err != nil {
		return 0, nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var at, nextPlace, seq int64
		var nextLink []byte
		if err := rows.Scan(&nextPlace, &nextLink, &seq, &at); err != nil {
			return 0, nil, nil, err
		}
		if at >= before {
			break
		}
		place, link, seqs = nextPlace, nextLink, append(seqs, seq)
	}
	rows.Close()
	return place, link, seqs, rows.Err()
}

// pruneFound removes the way to events that are gone.
func (s *Store) pruneFound(ctx context.Context, before int64) error {
	for {
		n, err := s.db.Exec(ctx, `DELETE FROM event_patient WHERE (patient, at, seq) IN (SELECT p.patient, p.at, p.seq FROM event_patient p
  WHERE p.at < $1 AND NOT EXISTS (SELECT 1 FROM security_event e WHERE e.seq = p.seq) LIMIT $2)`, before, int64(sweepBatch))
		if err != nil || n < sweepBatch {
			return err
		}
	}
}
