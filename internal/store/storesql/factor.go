package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Factor implements store.Factors.
func (s *Store) Factor(ctx context.Context, id store.UserID) (store.Factor, error) {
	f := store.Factor{UserID: id}
	var confirmed, left int64
	err := s.db.Find(ctx, `SELECT f.sealed, f.last_step, f.confirmed,
  (SELECT COUNT(*) FROM backup_code c WHERE c.user_id = f.user_id AND c.used = 0)
FROM second_factor f WHERE f.user_id = $1`, string(id)).Scan(&f.Sealed, &f.LastStep, &confirmed, &left)
	f.ConfirmedAt, f.BackupCodes = instant(confirmed), int(left)
	return f, failure("loading a second factor", err)
}

// ChangeFactor implements store.Factors.
func (s *Store) ChangeFactor(ctx context.Context, c store.FactorChange) error {
	return failure("changing a second factor", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.changeFactor(ctx, tx, c); err != nil {
			return err
		}
		if err := s.endUser(ctx, tx, c.UserID, c.Keep, "second factor changed"); err != nil {
			return err
		}
		return s.record(ctx, tx, c.Event)
	}))
}

// changeFactor replaces what is stored if it is what was loaded. Order: the account is
// written first, so that of two changes at once one waits for the other.
func (s *Store) changeFactor(ctx context.Context, tx *db.Tx, c store.FactorChange) error {
	since := s.now
	if c.Sealed == nil {
		since = "0"
	}
	n, err := tx.Exec(ctx, `UPDATE account SET second_factor = `+since+` WHERE id = $1`, string(c.UserID))
	if err != nil {
		return err
	}
	if n == 0 {
		return store.ErrNotFound
	}
	if err := writeFactor(ctx, tx, c); err != nil {
		return err
	}
	if err := replaceBackupCodes(ctx, tx, c.UserID, c.BackupHashes); err != nil {
		return err
	}
	return s.announce(ctx, tx, store.ChangeUser, string(c.UserID))
}

// writeFactor writes what the account says by now, at the same moment.
func writeFactor(ctx context.Context, tx *db.Tx, c store.FactorChange) error {
	const since = `(SELECT a.second_factor FROM account a WHERE a.id = $1)`
	var (
		n   int64
		err error
	)
	switch id := string(c.UserID); {
	case c.Was == nil && c.Sealed == nil:
		return store.ErrConflict
	case c.Was == nil:
		n, err = tx.Exec(ctx, `INSERT INTO second_factor (user_id, sealed, last_step, confirmed) VALUES ($1, $2, $3, `+since+`)
ON CONFLICT (user_id) DO NOTHING`, id, c.Sealed, c.Step)
	case c.Sealed == nil:
		n, err = tx.Exec(ctx, `DELETE FROM second_factor WHERE user_id = $1 AND sealed = $2`, id, c.Was)
	default:
		n, err = tx.Exec(ctx, `UPDATE second_factor SET sealed = $3, last_step = $4, confirmed = `+since+` WHERE user_id = $1 AND sealed = $2`,
			id, c.Was, c.Sealed, c.Step)
	}
	if err == nil && n == 0 {
		err = store.ErrConflict
	}
	return err
}

func replaceBackupCodes(ctx context.Context, tx *db.Tx, id store.UserID, hashes [][]byte) error {
	if _, err := tx.Exec(ctx, `DELETE FROM backup_code WHERE user_id = $1`, string(id)); err != nil {
		return err
	}
	for _, hash := range hashes {
		if _, err := tx.Exec(ctx, `INSERT INTO backup_code (user_id, hash) VALUES ($1, $2)`, string(id), hash); err != nil {
			return err
		}
	}
	return nil
}

// RenewBackupCodes implements store.Factors. The update changes nothing, and holds the
// factor until the commit.
func (s *Store) RenewBackupCodes(ctx context.Context, id store.UserID, hashes [][]byte, e store.Event) error {
	return failure("renewing backup codes", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE second_factor SET last_step = last_step WHERE user_id = $1`, string(id))
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		if err := replaceBackupCodes(ctx, tx, id, hashes); err != nil {
			return err
		}
		return s.record(ctx, tx, e)
	}))
}

// spend uses a code up; the count of rows decides (RFC 6238 §5.2: a code is taken once).
func (s *Store) spend(ctx context.Context, tx *db.Tx, id store.UserID, u store.FactorUse) error {
	stmt, arg := `UPDATE second_factor SET last_step = $2 WHERE user_id = $1 AND last_step < $2`, any(u.Step)
	if u.BackupHash != nil {
		stmt, arg = `UPDATE backup_code SET used = `+s.now+` WHERE user_id = $1 AND hash = $2 AND used = 0`, u.BackupHash
	}
	n, err := tx.Exec(ctx, stmt, string(id), arg)
	if err == nil && n == 0 {
		err = store.ErrConsumed
	}
	return err
}
