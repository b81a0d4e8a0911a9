package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// CreateInvitation implements store.Users.
func (s *Store) CreateInvitation(ctx context.Context, i store.Invitation) error {
	_, err := s.db.Exec(ctx, `INSERT INTO invitation (code_hash, patient, created, expires) VALUES ($1, $2, $3, $4)`,
		i.CodeHash, i.Patient, millis(i.CreatedAt), millis(i.ExpiresAt))
	return failure("creating an invitation", err)
}

// TryInvitation implements store.Users: the count is part of the statement that
// finds the row.
func (s *Store) TryInvitation(ctx context.Context, codeHash []byte, maxTries int) (store.Invitation, error) {
	i := store.Invitation{CodeHash: codeHash}
	var created, expires, tries int64
	err := s.db.One(ctx, `UPDATE invitation SET tries = tries + 1
WHERE code_hash = $1 AND used = 0 AND tries < $2 AND expires > `+s.now+`
RETURNING patient, created, expires, tries`, []any{codeHash, int64(maxTries)}, &i.Patient, &created, &expires, &tries)
	if err != nil {
		return store.Invitation{}, failure("trying an invitation", err)
	}
	i.CreatedAt, i.ExpiresAt, i.Tries = instant(created), instant(expires), int(tries)
	return i, nil
}

// Enrol implements store.Users.
func (s *Store) Enrol(ctx context.Context, codeHash []byte, u store.User) error {
	args, err := accountArgs(u)
	if err != nil {
		return err
	}
	return failure("enrolling", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE invitation SET used = `+s.now+` WHERE code_hash = $1 AND used = 0 AND expires > `+s.now, codeHash)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrConsumed
		}
		if _, err := tx.Exec(ctx, insertAccount, args...); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeUser, string(u.ID))
	}))
}
