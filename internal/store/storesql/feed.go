package storesql

import (
	"context"
	"fmt"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Changes implements store.Feed.
func (s *Store) Changes(ctx context.Context, window time.Duration) ([]store.Change, error) {
	all, err := list(ctx, s, func(row db.Row) (store.Change, error) {
		var (
			c    store.Change
			at   int64
			kind string
		)
		err := row.Scan(&c.Seq, &at, &kind, &c.ID)
		c.At, c.Kind = instant(at), store.ChangeKind(kind)
		return c, err
	}, `SELECT seq, at, kind, id FROM change_feed WHERE at > `+s.now+` - $1 ORDER BY seq`, window.Milliseconds())
	return all, failure("reading the feed", err)
}

// RevokedSince implements store.Feed.
func (s *Store) RevokedSince(ctx context.Context, since time.Time) ([]store.GrantID, []store.RevokedToken, error) {
	grants, err := list(ctx, s, func(row db.Row) (store.GrantID, error) {
		var id string
		err := row.Scan(&id)
		return store.GrantID(id), err
	}, `SELECT id FROM authorization_grant WHERE revoked > $1 AND revoked > 0`, millis(since))
	if err != nil {
		return nil, nil, failure("reading ended grants", err)
	}
	tokens, err := list(ctx, s, func(row db.Row) (store.RevokedToken, error) {
		var (
			t       store.RevokedToken
			expires int64
		)
		err := row.Scan(&t.TokenID, &expires)
		t.ExpiresAt = instant(expires)
		return t, err
	}, `SELECT token_id, expires FROM revoked_token WHERE expires > `+s.now)
	return grants, tokens, failure("reading ended tokens", err)
}

// Announce implements store.Feed.
func (s *Store) Announce(ctx context.Context, kind store.ChangeKind, id string) error {
	_, err := s.db.Exec(ctx, `INSERT INTO change_feed (at, kind, id) VALUES (`+s.now+`, $1, $2)`, string(kind), id)
	return failure("announcing a change", err)
}

// Record implements store.Feed.
func (s *Store) Record(ctx context.Context, e store.Event) error {
	_, err := s.db.Exec(ctx, insertEvent, eventArgs(e)...)
	return failure("recording an event", err)
}

const insertEvent = `INSERT INTO security_event (at, kind, actor, client_id, patient, grant_id, outcome, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

func eventArgs(e store.Event) []any {
	return []any{millis(e.At), e.Kind, e.Actor, string(e.ClientID), e.Patient, string(e.GrantID), e.Outcome, e.Detail}
}

// record appends an event inside of a transaction.
func (s *Store) record(ctx context.Context, tx *db.Tx, e store.Event) error {
	_, err := tx.Exec(ctx, insertEvent, eventArgs(e)...)
	return err
}

// ListEvents implements store.Feed.
func (s *Store) ListEvents(ctx context.Context, limit int) ([]store.Event, error) {
	all, err := list(ctx, s, func(row db.Row) (store.Event, error) {
		var (
			e             store.Event
			at            int64
			client, grant string
		)
		err := row.Scan(&at, &e.Kind, &e.Actor, &client, &e.Patient, &grant, &e.Outcome, &e.Detail)
		e.At, e.ClientID, e.GrantID = instant(at), store.ClientID(client), store.GrantID(grant)
		return e, err
	}, `SELECT at, kind, actor, client_id, patient, grant_id, outcome, detail FROM security_event ORDER BY seq DESC LIMIT $1`, int64(limit))
	return all, failure("listing events", err)
}

// How long what has ended is kept, in milliseconds: the feed longer than any
// process may lag, requests long enough to tell a late visitor what happened.
const (
	keepFeed    = 10 * 60 * 1000
	keepRequest = 60 * 60 * 1000
	// keepAssertion is beyond exp: clocks of processes and database may differ.
	keepAssertion = 5 * 60 * 1000
	// What an operator may want to look at again.
	keepInitialAccessToken = 30 * 24 * 60 * 60 * 1000
	keepEmergency          = 90 * 24 * 60 * 60 * 1000
)

// sweepBatch bounds how many rows one statement removes, so that nobody waits
// long behind it (security F-85).
const sweepBatch = 1000

// Sweep implements store.Feed.
func (s *Store) Sweep(ctx context.Context) error {
	for _, sweep := range []struct {
		table, key, over string
		kept             int64
	}{
		{"authorization_request", "handle_hash", "expires", keepRequest},
		{"browser_session", "id_hash", "expires", 0},
		{"half_session", "id_hash", "expires", 0},
		{"launch", "handle_hash", "expires", 0},
		{"pushed_request", "reference_hash", "expires", 0},
		{"throttle", "name", "until", 0},
		{"revoked_token", "token_id", "expires", 0},
		{"used_assertion", "id_hash", "expires", keepAssertion},
		{"used_proof", "id_hash", "expires", keepAssertion},
		{"initial_access_token", "id", "expires", keepInitialAccessToken},
		{"change_feed", "seq", "at", keepFeed},
		{"fhir_export", "id", "expires", 0},
		{"emergency", "id", "ends", keepEmergency},
	} {
		stmt := fmt.Sprintf(`DELETE FROM %[1]s WHERE %[2]s IN (SELECT %[2]s FROM %[1]s WHERE %[3]s < %[4]s - $1 LIMIT $2)`,
			sweep.table, sweep.key, sweep.over, s.now)
		for {
			n, err := s.db.Exec(ctx, stmt, sweep.kept, int64(sweepBatch))
			if err != nil {
				return failure("removing what has ended", err)
			}
			if n < sweepBatch {
				break
			}
		}
	}
	return s.sweepClients(ctx)
}

// Ping implements store.Feed. The update matches nothing, and yet needs a
// database that takes writes.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.Ping(ctx); err != nil {
		return failure("reaching the database", err)
	}
	_, err := s.db.Exec(ctx, `UPDATE throttle SET tries = tries WHERE name = ''`)
	return failure("reaching the database for a write", err)
}

// Count implements store.Throttle: the statement counts before anybody looks.
func (s *Store) Count(ctx context.Context, key string, window time.Duration) (int, time.Time, error) {
	var tries, until int64
	err := s.db.One(ctx, `INSERT INTO throttle (name, tries, until) VALUES ($1, 1, `+s.now+` + $2)
ON CONFLICT (name) DO UPDATE SET
  tries = CASE WHEN throttle.until <= `+s.now+` THEN 1 ELSE throttle.tries + 1 END,
  until = CASE WHEN throttle.until <= `+s.now+` THEN excluded.until ELSE throttle.until END
RETURNING tries, until`, []any{key, window.Milliseconds()}, &tries, &until)
	return int(tries), instant(until), failure("counting tries", err)
}

// ResetCount implements store.Throttle.
func (s *Store) ResetCount(ctx context.Context, key string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM throttle WHERE name = $1`, key)
	return failure("forgetting tries", err)
}
