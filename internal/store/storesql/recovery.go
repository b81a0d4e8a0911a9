package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// CreateRecovery implements store.Recoveries. An account has one row, so that the last
// code is gone with the new one.
func (s *Store) CreateRecovery(ctx context.Context, r store.Recovery, e store.Event) error {
	return failure("creating a recovery code", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO account_recovery (user_id, code_hash, created, expires, disconnect)
SELECT a.id, $2, $3, $4, $5 FROM account a WHERE a.id = $1 AND a.disabled = 0
ON CONFLICT (user_id) DO UPDATE SET code_hash = excluded.code_hash, created = excluded.created, expires = excluded.expires,
  disconnect = excluded.disconnect, tries = 0, used = 0`,
			string(r.UserID), r.CodeHash, millis(r.CreatedAt), millis(r.ExpiresAt), flag(r.DisconnectApps))
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		return s.record(ctx, tx, e)
	}))
}

// TryRecovery implements store.Recoveries: the count is part of the statement that finds
// the row.
func (s *Store) TryRecovery(ctx context.Context, codeHash []byte, maxTries int) (store.Recovery, error) {
	var (
		user                                string
		created, expires, disconnect, tries int64
	)
	err := s.db.One(ctx, `UPDATE account_recovery SET tries = tries + 1
WHERE code_hash = $1 AND used = 0 AND tries < $2 AND expires > `+s.now+`
RETURNING user_id, created, expires, disconnect, tries`, []any{notNil(codeHash), int64(maxTries)}, &user, &created, &expires, &disconnect, &tries)
	if err != nil {
		return store.Recovery{}, failure("trying a recovery code", err)
	}
	return store.Recovery{
		CodeHash: codeHash, UserID: store.UserID(user), CreatedAt: instant(created), ExpiresAt: instant(expires),
		DisconnectApps: disconnect != 0, Tries: int(tries),
	}, nil
}

// Recover implements store.Recoveries. Order: the row of the account is locked first, as
// by all that changes a password; then the code decides, by one conditional statement, and
// takes the new password back when it is good no more.
func (s *Store) Recover(ctx context.Context, u store.RecoveryUse) (disconnected bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE account SET password_hash = $2 WHERE id = $1 AND disabled = 0`, string(u.UserID), u.Hash)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrConsumed
		}
		by, err := s.consumeRecovery(ctx, tx, u)
		if err != nil {
			return err
		}
		disconnected = by != ""
		return s.recovered(ctx, tx, u, by)
	})
	return disconnected && err == nil, failure("recovering an account", err)
}

// consumeRecovery uses the code up, and says who disconnects the apps, if anybody does.
func (s *Store) consumeRecovery(ctx context.Context, tx *db.Tx, u store.RecoveryUse) (by string, err error) {
	n, err := tx.Exec(ctx, `UPDATE account_recovery SET used = `+s.now+`
WHERE code_hash = $1 AND user_id = $2 AND used = 0 AND expires > `+s.now, notNil(u.CodeHash), string(u.UserID))
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", store.ErrConsumed
	}
	var forced int64
	err = tx.QueryRow(ctx, `SELECT disconnect FROM account_recovery WHERE code_hash = $1`, u.CodeHash).Scan(&forced)
	switch {
	case u.DisconnectApps:
		by = string(u.UserID)
	case forced != 0:
		by = "operator"
	}
	return by, err
}

// recovered ends what the account had. Order: sessions before grants. Whoever issues a
// code in a session locks its row, and so has either failed or is seen here.
func (s *Store) recovered(ctx context.Context, tx *db.Tx, u store.RecoveryUse, by string) error {
	const reason = "account recovered"
	if err := s.endUser(ctx, tx, u.UserID, nil, reason); err != nil {
		return err
	}
	u.Event.Detail = store.AppsKept
	if by != "" {
		u.Event.Detail = store.AppsDisconnected
		if _, err := tx.Exec(ctx, `DELETE FROM remembered_consent WHERE user_id = $1`, string(u.UserID)); err != nil {
			return err
		}
		if _, err := s.endGrants(ctx, tx, ending{"user_id = $3", string(u.UserID), reason, by}); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, u.Event)
}

// voidRecovery ends the code of an account whose password was changed in another way.
func (s *Store) voidRecovery(ctx context.Context, tx *db.Tx, id store.UserID) error {
	_, err := tx.Exec(ctx, `DELETE FROM account_recovery WHERE user_id = $1`, string(id))
	return err
}
