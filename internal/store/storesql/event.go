package storesql

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const eventColumns = `e.seq, e.at, e.kind, e.actor, e.client_id, e.patient, e.grant_id, e.outcome, e.detail, e.body`

// eventDest is where the columns go, and what then makes an event of them.
func eventDest(e *store.KeptEvent) (dest []any, done func()) {
	var at int64
	var client, grant string
	return []any{&e.Seq, &at, &e.Kind, &e.Actor, &client, &e.Patient, &grant, &e.Outcome, &e.Detail, &e.Body}, func() {
		e.At, e.ClientID, e.GrantID = instant(at), store.ClientID(client), store.GrantID(grant)
	}
}

// ChainEvents implements store.EventChain.
func (s *Store) ChainEvents(ctx context.Context, link func(before []byte, place int64, e store.KeptEvent) []byte, limit int) (n int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n = 0
		// Order: whoever else chains waits here, before anything is read. Writers of
		// events do not.
		if err := s.keepOut(ctx, tx, "event_chain"); err != nil {
			return err
		}
		var place int64
		var before []byte
		err := tx.One(ctx, `SELECT place, link FROM event_chain UNION ALL SELECT place, link FROM event_anchor ORDER BY place DESC LIMIT 1`, nil, &place, &before)
		if err != nil && !errors.Is(err, db.ErrNoRow) {
			return err
		}
		waiting, err := waitingEvents(ctx, tx, limit)
		if err != nil {
			return err
		}
		var places []db.Statement
		for _, e := range waiting {
			place++
			before = link(before, place, e)
			places = append(places,
				db.Statement{Text: `INSERT INTO event_chain (place, seq, link) VALUES ($1, $2, $3)`, Args: []any{place, e.Seq, before}},
				db.Statement{Text: `DELETE FROM event_unchained WHERE seq = $1`, Args: []any{e.Seq}})
		}
		n = len(waiting)
		return tx.Batch(ctx, places)
	})
	return n, failure("chaining events", err)
}

func waitingEvents(ctx context.Context, tx *db.Tx, limit int) ([]store.KeptEvent, error) {
	rows, err := tx.Query(ctx, `SELECT `+eventColumns+` FROM event_unchained u JOIN security_event e ON e.seq = u.seq ORDER BY u.seq LIMIT $1`, int64(limit))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []store.KeptEvent
	for rows.Next() {
		var e store.KeptEvent
		dest, done := eventDest(&e)
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		done()
		all = append(all, e)
	}
	return all, rows.Err()
}

// ReadChain implements store.EventChain.
func (s *Store) ReadChain(ctx context.Context, behind int64, limit int) ([]store.Chained, error) {
	all, err := list(ctx, s, func(row db.Row) (store.Chained, error) {
		var c store.Chained
		var found int64
		dest, done := eventDest(&c.KeptEvent)
		err := row.Scan(append([]any{&c.Place, &c.Link, &found}, dest...)...)
		done()
		c.Gone = found == 0
		return c, err
	}, `SELECT c.place, c.link, CASE WHEN e.seq IS NULL THEN 0 ELSE 1 END, c.seq, COALESCE(e.at, 0), COALESCE(e.kind, ''), COALESCE(e.actor, ''),
  COALESCE(e.client_id, ''), COALESCE(e.patient, ''), COALESCE(e.grant_id, ''), COALESCE(e.outcome, ''), COALESCE(e.detail, ''), e.body
FROM event_chain c LEFT JOIN security_event e ON e.seq = c.seq WHERE c.place > $1 ORDER BY c.place LIMIT $2`, behind, int64(limit))
	return all, failure("reading the chain", err)
}

// LooseEvents implements store.EventChain. Each of the two is one statement, so that
// an event which is chained meanwhile is seen on one side of it.
func (s *Store) LooseEvents(ctx context.Context, limit int) (loose, gone []int64, err error) {
	number := func(row db.Row) (int64, error) {
		var seq int64
		err := row.Scan(&seq)
		return seq, err
	}
	if loose, err = list(ctx, s, number, `SELECT e.seq FROM security_event e WHERE NOT EXISTS (SELECT 1 FROM event_chain c WHERE c.seq = e.seq)
  AND NOT EXISTS (SELECT 1 FROM event_unchained u WHERE u.seq = e.seq) ORDER BY e.seq LIMIT $1`, int64(limit)); err != nil {
		return nil, nil, failure("looking for loose events", err)
	}
	gone, err = list(ctx, s, number, `SELECT u.seq FROM event_unchained u WHERE NOT EXISTS (SELECT 1 FROM security_event e WHERE e.seq = u.seq) ORDER BY u.seq LIMIT $1`, int64(limit))
	return loose, gone, failure("looking for lost events", err)
}
