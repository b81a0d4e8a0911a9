package storesql

import (
	"context"

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
	return failure("registering a client", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if r.TokenHash != nil {
			n, err := tx.Exec(ctx, `UPDATE initial_access_token SET uses = uses - 1`+s.goodToken(), r.TokenHash)
			if err != nil {
				return err
			}
			if n == 0 {
				return store.ErrConsumed
			}
		}
		var registered int64
		err := tx.One(ctx, `SELECT COUNT(*) FROM client WHERE self_registered = 1 AND removed = 0`, nil, &registered)
		if err != nil {
			return err
		}
		if registered >= int64(r.Limit) {
			return store.ErrFull
		}
		if err := s.insertClient(ctx, tx, r.Client); err != nil {
			return err
		}
		return s.record(ctx, tx, r.Event)
	}))
}

// keepUnused is how long a self-registered client that nobody ever used is kept,
// in milliseconds (security DC-18).
const keepUnused = 90 * 24 * 60 * 60 * 1000

// sweepClients removes self-registered clients, removed ones too, that were never
// given anything: nothing refers to them.
func (s *Store) sweepClients(ctx context.Context) error {
	return failure("removing unused clients", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM client WHERE id IN (SELECT c.id FROM client c
  WHERE c.self_registered = 1 AND c.registered < `+s.now+` - $1
  AND NOT EXISTS (SELECT 1 FROM authorization_grant g WHERE g.client_id = c.id) LIMIT $2)`, int64(keepUnused), int64(sweepBatch))
		if err != nil || n == 0 {
			return err
		}
		return s.announce(ctx, tx, store.ChangeClient, "")
	}))
}
