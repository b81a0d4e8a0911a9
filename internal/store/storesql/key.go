package storesql

import (
	"context"
	"fmt"
	"reflect"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	insertKey = `INSERT INTO signing_key (id, algorithm, used_for, public_jwk, sealed, created, signs_from, verifies_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectKey    = `SELECT id, algorithm, used_for, public_jwk, sealed, created, signs_from, verifies_until FROM signing_key ORDER BY created, id`
	insertSecret = `INSERT INTO server_secret (name, sealed, created) VALUES ($1, $2, $3)`
	selectSecret = `SELECT name, sealed, created FROM server_secret ORDER BY name`
)

func keyArgs(k store.SigningKey) []any {
	return []any{k.ID, k.Algorithm, k.Use, k.PublicJWK, k.Sealed, millis(k.CreatedAt), millis(k.SignsFrom), millis(k.VerifiesUntil)}
}

func readKey(row db.Row) (store.SigningKey, error) {
	var (
		k                    store.SigningKey
		created, from, until int64
	)
	err := row.Scan(&k.ID, &k.Algorithm, &k.Use, &k.PublicJWK, &k.Sealed, &created, &from, &until)
	k.CreatedAt, k.SignsFrom, k.VerifiesUntil = instant(created), instant(from), instant(until)
	return k, err
}

func readSecret(row db.Row) (store.ServerSecret, error) {
	var (
		v       store.ServerSecret
		created int64
	)
	err := row.Scan(&v.Name, &v.Sealed, &created)
	v.CreatedAt = instant(created)
	return v, err
}

// CreateKeysOnce implements store.Keys. Writers are kept out while it looks, so
// that two processes that start together make one set.
func (s *Store) CreateKeysOnce(ctx context.Context, keys []store.SigningKey) ([]store.SigningKey, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.keepOut(ctx, tx, "signing_key"); err != nil {
			return err
		}
		var existing int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM signing_key`).Scan(&existing); err != nil || existing > 0 {
			return err
		}
		return s.insertKeys(ctx, tx, keys)
	})
	if err != nil {
		return nil, failure("creating the keys", err)
	}
	return s.ListKeys(ctx)
}

// keepOut makes all other writers of a table wait for the end of the transaction.
func (s *Store) keepOut(ctx context.Context, tx *db.Tx, table string) error {
	lock := s.db.Dialect().LockExclusive
	if lock == "" {
		return nil
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(lock, table))
	return err
}

func (s *Store) insertKeys(ctx context.Context, tx *db.Tx, keys []store.SigningKey) error {
	for _, k := range keys {
		if _, err := tx.Exec(ctx, insertKey, keyArgs(k)...); err != nil {
			return err
		}
	}
	return s.announce(ctx, tx, store.ChangeKey, "")
}

// ListKeys implements store.Keys.
func (s *Store) ListKeys(ctx context.Context) ([]store.SigningKey, error) {
	all, err := list(ctx, s, readKey, selectKey)
	return all, failure("listing the keys", err)
}

// ListSecrets implements store.Keys.
func (s *Store) ListSecrets(ctx context.Context) ([]store.ServerSecret, error) {
	all, err := list(ctx, s, readSecret, selectSecret)
	return all, failure("listing the secrets", err)
}

// ChangeKeys implements store.Keys. Writers are kept out while it compares. The
// rows are few, so all of them are written anew.
func (s *Store) ChangeKeys(ctx context.Context, c store.KeyChange) error {
	return failure("changing the keys", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.keepOut(ctx, tx, "signing_key"); err != nil {
			return err
		}
		if err := unchanged(ctx, tx, readKey, selectKey, c.ReadKeys); err != nil {
			return err
		}
		if c.ReadSecrets != nil {
			if err := s.changeSecrets(ctx, tx, c); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM signing_key`); err != nil {
			return err
		}
		return s.insertKeys(ctx, tx, c.Keys)
	}))
}

func (s *Store) changeSecrets(ctx context.Context, tx *db.Tx, c store.KeyChange) error {
	if err := s.keepOut(ctx, tx, "server_secret"); err != nil {
		return err
	}
	if err := unchanged(ctx, tx, readSecret, selectSecret, c.ReadSecrets); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM server_secret`); err != nil {
		return err
	}
	for _, v := range c.Secrets {
		if _, err := tx.Exec(ctx, insertSecret, v.Name, v.Sealed, millis(v.CreatedAt)); err != nil {
			return err
		}
	}
	return nil
}

// unchanged is ErrConflict unless a query finds exactly what was read before.
func unchanged[T any](ctx context.Context, tx *db.Tx, read func(db.Row) (T, error), query string, before []T) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		v, err := read(rows)
		if err != nil {
			return err
		}
		if n >= len(before) || !reflect.DeepEqual(v, before[n]) {
			return store.ErrConflict
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n != len(before) {
		return store.ErrConflict
	}
	return nil
}

// CreateSecretOnce implements store.Keys.
func (s *Store) CreateSecretOnce(ctx context.Context, v store.ServerSecret) (store.ServerSecret, error) {
	_, err := s.db.Exec(ctx, insertSecret+` ON CONFLICT (name) DO NOTHING`, v.Name, v.Sealed, millis(v.CreatedAt))
	if err != nil {
		return store.ServerSecret{}, failure("creating a secret", err)
	}
	out := store.ServerSecret{Name: v.Name}
	var created int64
	err = s.db.Find(ctx, `SELECT sealed, created FROM server_secret WHERE name = $1`, v.Name).Scan(&out.Sealed, &created)
	out.CreatedAt = instant(created)
	return out, failure("loading a secret", err)
}
