package storesql

import (
	"context"
	"fmt"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	insertKey = `INSERT INTO signing_key (id, algorithm, used_for, public_jwk, sealed, state, created) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	selectKey = `SELECT id, algorithm, used_for, public_jwk, sealed, state, created FROM signing_key ORDER BY created, id`
)

func keyArgs(k store.SigningKey) []any {
	return []any{k.ID, k.Algorithm, k.Use, k.PublicJWK, k.Sealed, string(k.State), millis(k.CreatedAt)}
}

func readKey(row db.Row) (store.SigningKey, error) {
	var (
		k       store.SigningKey
		state   string
		created int64
	)
	err := row.Scan(&k.ID, &k.Algorithm, &k.Use, &k.PublicJWK, &k.Sealed, &state, &created)
	k.State, k.CreatedAt = store.KeyState(state), instant(created)
	return k, err
}

// CreateKeysOnce implements store.Keys. Writers are kept out while it looks, so
// that two processes that start together make one set.
func (s *Store) CreateKeysOnce(ctx context.Context, keys []store.SigningKey) ([]store.SigningKey, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if lock := s.db.Dialect().LockExclusive; lock != "" {
			if _, err := tx.Exec(ctx, fmt.Sprintf(lock, "signing_key")); err != nil {
				return err
			}
		}
		var existing int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM signing_key`).Scan(&existing); err != nil || existing > 0 {
			return err
		}
		for _, k := range keys {
			if _, err := tx.Exec(ctx, insertKey, keyArgs(k)...); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, store.ChangeKey, "")
	})
	if err != nil {
		return nil, failure("creating the keys", err)
	}
	return s.ListKeys(ctx)
}

// ListKeys implements store.Keys.
func (s *Store) ListKeys(ctx context.Context) ([]store.SigningKey, error) {
	all, err := list(ctx, s, readKey, selectKey)
	return all, failure("listing the keys", err)
}

// AddKey implements store.Keys.
func (s *Store) AddKey(ctx context.Context, k store.SigningKey) error {
	return failure("adding a key", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, insertKey, keyArgs(k)...); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeKey, k.ID)
	}))
}

// SetKeyState implements store.Keys.
func (s *Store) SetKeyState(ctx context.Context, kid string, state store.KeyState) error {
	return failure("changing a key", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE signing_key SET state = $2 WHERE id = $1`, kid, string(state))
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeKey, kid)
	}))
}

// CreateSecretOnce implements store.Keys.
func (s *Store) CreateSecretOnce(ctx context.Context, v store.ServerSecret) (store.ServerSecret, error) {
	_, err := s.db.Exec(ctx, `INSERT INTO server_secret (name, sealed, created) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`,
		v.Name, v.Sealed, millis(v.CreatedAt))
	if err != nil {
		return store.ServerSecret{}, failure("creating a secret", err)
	}
	out := store.ServerSecret{Name: v.Name}
	var created int64
	err = s.db.Find(ctx, `SELECT sealed, created FROM server_secret WHERE name = $1`, v.Name).Scan(&out.Sealed, &created)
	out.CreatedAt = instant(created)
	return out, failure("loading a secret", err)
}
