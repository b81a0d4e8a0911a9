package storesql

import (
	"context"
	"fmt"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// CreateInitialAccessToken implements store.Registrations.
func (s *Store) CreateInitialAccessToken(ctx context.Context, t store.InitialAccessToken) error {
	_, err := s.db.Exec(ctx, `INSERT INTO initial_access_token (id, hash, note, uses, created, expires) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.ID, t.Hash, t.Note, int64(t.Uses), millis(t.CreatedAt), millis(t.ExpiresAt))
	return failure("creating an initial access token", err)
}

const selectInitialAccessToken = `SELECT id, hash, note, uses, created, expires FROM initial_access_token`

func readInitialAccessToken(row db.Row) (store.InitialAccessToken, error) {
	var (
		t                      store.InitialAccessToken
		uses, created, expires int64
	)
	err := row.Scan(&t.ID, &t.Hash, &t.Note, &uses, &created, &expires)
	t.Uses, t.CreatedAt, t.ExpiresAt = int(uses), instant(created), instant(expires)
	return t, err
}

// goodToken: it has uses left and its time is not over.
func (s *Store) goodToken() string { return ` WHERE hash = $1 AND uses > 0 AND expires > ` + s.now }

// InitialAccessToken implements store.Registrations.
func (s *Store) InitialAccessToken(ctx context.Context, hash []byte) (store.InitialAccessToken, error) {
	t, err := readInitialAccessToken(s.db.Find(ctx, selectInitialAccessToken+s.goodToken(), hash))
	return t, failure("loading an initial access token", err)
}

// ListInitialAccessTokens implements store.Registrations.
func (s *Store) ListInitialAccessTokens(ctx context.Context) ([]store.InitialAccessToken, error) {
	all, err := list(ctx, s, readInitialAccessToken, selectInitialAccessToken+` ORDER BY created DESC, id`)
	return all, failure("listing initial access tokens", err)
}

// RemoveInitialAccessToken implements store.Registrations.
func (s *Store) RemoveInitialAccessToken(ctx context.Context, id string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM initial_access_token WHERE id = $1`, id)
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return failure("removing an initial access token", err)
}

// RegisterClient implements store.Registrations: the statement that takes a use
// decides, and gives it back when anything after it fails.
func (s *Store) RegisterClient(ctx context.Context, r store.Registration) error {
	lock := s.db.Dialect().LockExclusive
	return failure("registering a client", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if lock != "" { // so that nobody counts while another adds
			if _, err := tx.Exec(ctx, fmt.Sprintf(lock, "client")); err != nil {
				return err
			}
		}
		if r.TokenHash != nil {
			n, err := tx.Exec(ctx, `UPDATE initial_access_token SET uses = uses - 1`+s.goodToken(), r.TokenHash)
			if err != nil {
				return err
			}
			if n == 0 {
				return store.ErrConsumed
			}
		}
		if err := room(ctx, tx, `self_registered = 1`, r.Limit); err != nil {
			return err
		}
		if r.Client.Review.State().Waits() {
			if err := room(ctx, tx, waits, r.WaitingLimit); err != nil {
				return err
			}
		}
		if err := s.insertClient(ctx, tx, r.Client); err != nil {
			return err
		}
		return s.record(ctx, tx, r.Event)
	}))
}

// waits is the condition of clients that an operator has to decide about.
const waits = `review IN ('registered', 'asked', 'verified')`

// room: fewer clients than the limit meet the condition.
func room(ctx context.Context, tx *db.Tx, condition string, limit int) error {
	var n int64
	if err := tx.One(ctx, `SELECT COUNT(*) FROM client WHERE removed = 0 AND `+condition, nil, &n); err != nil {
		return err
	}
	if n >= int64(limit) {
		return store.ErrFull
	}
	return nil
}

// keepUnused is how long a self-registered client that nobody ever used is kept,
// in milliseconds (security DC-18).
const keepUnused = 90 * 24 * 60 * 60 * 1000

// sweepClients removes self-registered clients, removed ones too, that were never
// given anything, by people or by an operator: nothing refers to them. Those that
// wait for an operator stay: what is overdue does not vanish (REG-06).
func (s *Store) sweepClients(ctx context.Context) error {
	return failure("removing unused clients", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM client WHERE id IN (SELECT c.id FROM client c
  WHERE c.self_registered = 1 AND c.operator_set = 0 AND NOT c.`+waits+` AND c.registered < `+s.now+` - $1
  AND NOT EXISTS (SELECT 1 FROM authorization_grant g WHERE g.client_id = c.id) LIMIT $2)`, int64(keepUnused), int64(sweepBatch))
		if err != nil || n == 0 {
			return err
		}
		return s.announce(ctx, tx, store.ChangeClient, "")
	}))
}
