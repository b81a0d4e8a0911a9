package storesql

import (
	"context"
	"slices"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const insertAccount = `INSERT INTO account (id, username_key, role, fhir_user, disabled, password_hash, body)
VALUES ($1, $2, $3, $4, $5, $6, $7)`

func accountArgs(u store.User) ([]any, error) {
	u.CreatedAt = moment(u.CreatedAt)
	u.Represents = slices.Clone(u.Represents)
	for i, r := range u.Represents {
		u.Represents[i].Until = moment(r.Until)
	}
	body, err := encode(u)
	return []any{string(u.ID), u.UsernameKey, string(u.Role), u.FHIRUser, flag(u.Disabled), u.PasswordHash, body}, err
}

// CreateUser implements store.Users.
func (s *Store) CreateUser(ctx context.Context, u store.User) error {
	args, err := accountArgs(u)
	if err != nil {
		return err
	}
	return failure("creating an account", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, insertAccount, args...); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeUser, string(u.ID))
	}))
}

// PutUser implements store.Users.
func (s *Store) PutUser(ctx context.Context, u store.User) error {
	all, err := accountArgs(u)
	if err != nil {
		return err
	}
	args := append(all[:5:5], all[6]) // not the password, which others may have changed meanwhile
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE account SET username_key = $2, role = $3, fhir_user = $4, disabled = $5, body = $6
WHERE id = $1`, args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		if u.Disabled {
			if err := s.endUser(ctx, tx, u.ID, nil, "account disabled"); err != nil {
				return err
			}
			if _, err := s.endGrants(ctx, tx, endAccount(u.ID)); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, store.ChangeUser, string(u.ID))
	})
	if err == nil && u.Disabled {
		err = s.endLate(ctx, endAccount(u.ID))
	}
	return failure("replacing an account", err)
}

func endAccount(id store.UserID) ending {
	return ending{condition: "user_id = $3", arg: string(id), reason: "account disabled", actor: "operator"}
}

const selectAccount = `SELECT body, password_hash, second_factor FROM account`

func readUser(row db.Row) (store.User, error) {
	var (
		body, hash string
		factor     int64
	)
	if err := row.Scan(&body, &hash, &factor); err != nil {
		return store.User{}, err
	}
	u, err := decode[store.User](body)
	u.PasswordHash, u.FactorAt = hash, instant(factor)
	return u, err
}

// User implements store.Users.
func (s *Store) User(ctx context.Context, id store.UserID) (store.User, error) {
	u, err := readUser(s.db.Find(ctx, selectAccount+` WHERE id = $1`, string(id)))
	return u, failure("loading an account", err)
}

// UserByName implements store.Users.
func (s *Store) UserByName(ctx context.Context, usernameKey string) (store.User, error) {
	u, err := readUser(s.db.Find(ctx, selectAccount+` WHERE username_key = $1`, usernameKey))
	return u, failure("loading an account by name", err)
}

// SetPasswordHash implements store.Users.
func (s *Store) SetPasswordHash(ctx context.Context, id store.UserID, hash string) error {
	n, err := s.db.Exec(ctx, `UPDATE account SET password_hash = $2 WHERE id = $1`, string(id), hash)
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return failure("replacing a password", err)
}

// ChangePassword implements store.Users. Order: the password is replaced first. Its row
// is locked from then on, so that of two changes that knew the same old one, one wins.
func (s *Store) ChangePassword(ctx context.Context, c store.PasswordChange) error {
	return failure("changing a password", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE account SET password_hash = $2 WHERE id = $1 AND password_hash = $3`, string(c.UserID), c.Hash, c.Was)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.whyUnchanged(ctx, tx, c.UserID)
		}
		if err := s.voidRecovery(ctx, tx, c.UserID); err != nil {
			return err
		}
		if err := s.endUser(ctx, tx, c.UserID, c.Keep, "password changed"); err != nil {
			return err
		}
		return s.record(ctx, tx, c.Event)
	}))
}

// whyUnchanged tells a password that others have changed from a user who is not there.
func (s *Store) whyUnchanged(ctx context.Context, tx *db.Tx, id store.UserID) error {
	var there int64
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM account WHERE id = $1`, string(id)).Scan(&there); err != nil {
		return err
	}
	if there == 0 {
		return store.ErrNotFound
	}
	return store.ErrConflict
}

// ListUsers implements store.Users.
func (s *Store) ListUsers(ctx context.Context) ([]store.User, error) {
	all, err := list(ctx, s, readUser, selectAccount+` ORDER BY username_key`)
	return all, failure("listing accounts", err)
}
