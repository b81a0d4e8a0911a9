package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// CreateHalfSession implements store.Factors.
func (s *Store) CreateHalfSession(ctx context.Context, h store.HalfSession) error {
	amr, err := encode(h.AMR)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO half_session (id_hash, user_id, amr, created, expires) VALUES ($1, $2, $3, $4, $5)`,
		h.IDHash, string(h.UserID), amr, millis(h.CreatedAt), millis(h.ExpiresAt))
	return failure("creating a half session", err)
}

// HalfSession implements store.Factors.
func (s *Store) HalfSession(ctx context.Context, idHash []byte) (store.HalfSession, error) {
	h := store.HalfSession{IDHash: idHash}
	var (
		user, amr        string
		created, expires int64
	)
	err := s.db.Find(ctx, `SELECT h.user_id, h.amr, h.created, h.expires FROM half_session h JOIN account a ON a.id = h.user_id
WHERE h.id_hash = $1 AND a.disabled = 0 AND h.expires > `+s.now, idHash).Scan(&user, &amr, &created, &expires)
	if err != nil {
		return store.HalfSession{}, failure("loading a half session", err)
	}
	h.UserID, h.CreatedAt, h.ExpiresAt = store.UserID(user), instant(created), instant(expires)
	h.AMR, err = decode[[]string](amr)
	return h, err
}

// EndHalfSession implements store.Factors.
func (s *Store) EndHalfSession(ctx context.Context, idHash []byte) error {
	_, err := s.db.Exec(ctx, `DELETE FROM half_session WHERE id_hash = $1`, idHash)
	return failure("ending a half session", err)
}

// CompleteSession implements store.Factors. Order: the code is spent first. Its row is
// held from then on, so that of those who bring one code at once one goes on.
func (s *Store) CompleteSession(ctx context.Context, c store.Completion) error {
	return failure("completing a session", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		user := c.Session.UserID
		if c.SetUp == nil {
			if err := s.spend(ctx, tx, user, c.Use); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, `DELETE FROM half_session WHERE id_hash = $1 AND user_id = $2 AND expires > `+s.now+`
AND EXISTS (SELECT 1 FROM account a WHERE a.id = $2 AND a.disabled = 0)`, c.Half, string(user))
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		if err := s.continueSession(ctx, tx, c.Session, c.Old); err != nil {
			return err
		}
		if err := s.endSessions(ctx, tx, "id_hash = $1", "somebody else signed in", "user", notNil(c.Old)); err != nil {
			return err
		}
		if c.SetUp != nil {
			if err := s.setUp(ctx, tx, *c.SetUp, c.Session.IDHash); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, c.Event)
	}))
}

// setUp sets a factor up on the way; the sessions from before it end.
func (s *Store) setUp(ctx context.Context, tx *db.Tx, c store.FactorChange, keep []byte) error {
	if err := s.changeFactor(ctx, tx, c); err != nil {
		return err
	}
	if err := s.endUser(ctx, tx, c.UserID, keep, "second factor changed"); err != nil {
		return err
	}
	return s.record(ctx, tx, c.Event)
}
