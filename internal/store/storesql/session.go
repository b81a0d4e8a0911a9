package storesql

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const insertSession = `INSERT INTO browser_session (id_hash, user_id, auth_time, amr, created, last_seen, idle_until, expires, sid)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

func sessionValues(v store.Session) ([]any, error) {
	amr, err := encode(v.AMR)
	return []any{
		v.IDHash, string(v.UserID), millis(v.AuthTime), amr,
		millis(v.CreatedAt), millis(v.LastSeenAt), millis(v.IdleUntil), millis(v.ExpiresAt), v.SID,
	}, err
}

// CreateSession implements store.Sessions.
func (s *Store) CreateSession(ctx context.Context, v store.Session) error {
	values, err := sessionValues(v)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, insertSession, values...)
	return failure("creating a session", err)
}

// ContinueSession implements store.Sessions.
func (s *Store) ContinueSession(ctx context.Context, v store.Session, old []byte) error {
	return failure("continuing a session", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.continueSession(ctx, tx, v, old)
	}))
}

func (s *Store) continueSession(ctx context.Context, tx *db.Tx, v store.Session, old []byte) error {
	const mine = "id_hash = $1 AND user_id = $2"
	living, err := s.living(ctx, tx, mine, []any{notNil(old), string(v.UserID)})
	if err != nil {
		return err
	}
	for _, before := range living { // one or none
		v.SID = before.sid
	}
	values, err := sessionValues(v)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertSession, values...); err != nil {
		return err
	}
	for _, before := range living {
		// Order: the grants and the sid have moved before the old session ends, so that
		// its end takes none of them along and nobody is told.
		if _, err := tx.Exec(ctx, `UPDATE authorization_grant SET session_hash = $2 WHERE session_hash = $1`, before.hash, v.IDHash); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE browser_session SET sid = '' WHERE id_hash = $1`, before.hash); err != nil {
			return err
		}
	}
	return s.endSessions(ctx, tx, mine, "signed in again", "user", notNil(old), string(v.UserID))
}

// livingSession reads live sessions of people who are not disabled.
func livingSession(now, condition string) string {
	return `SELECT v.id_hash, v.sid, v.user_id, v.auth_time, v.amr, v.created, v.last_seen, v.idle_until, v.expires, a.role, a.second_factor, ` + now + `
FROM browser_session v JOIN account a ON a.id = v.user_id
WHERE ` + condition + ` AND v.ended = 0 AND a.disabled = 0 AND v.idle_until > ` + now + ` AND v.expires > ` + now
}

func readSession(row db.Row) (store.Session, error) {
	var (
		hash                                                    []byte
		sid, user, amr, role                                    string
		authTime, created, lastSeen, idle, expires, factor, now int64
	)
	err := row.Scan(&hash, &sid, &user, &authTime, &amr, &created, &lastSeen, &idle, &expires, &role, &factor, &now)
	if err != nil {
		return store.Session{}, err
	}
	methods, err := decode[[]string](amr)
	return store.Session{
		IDHash: hash, SID: sid, UserID: store.UserID(user), AuthTime: instant(authTime), AMR: methods, CreatedAt: instant(created),
		LastSeenAt: instant(lastSeen), IdleUntil: instant(idle), ExpiresAt: instant(expires), ReadAt: instant(now),
		Role: store.Role(role), FactorAt: instant(factor),
	}, err
}

// Session implements store.Sessions.
func (s *Store) Session(ctx context.Context, idHash []byte) (store.Session, error) {
	v, err := readSession(s.db.Find(ctx, s.sql.session, idHash))
	return v, failure("loading a session", err)
}

// ListSessions implements store.Sessions.
func (s *Store) ListSessions(ctx context.Context, id store.UserID, limit int) ([]store.Session, error) {
	all, err := list(ctx, s, readSession, livingSession(s.now, "v.user_id = $1")+` ORDER BY v.last_seen DESC, v.id_hash LIMIT $2`, string(id), int64(limit))
	return all, failure("listing sessions", err)
}

// TouchSession implements store.Sessions. A session that is over stays over.
func (s *Store) TouchSession(ctx context.Context, idHash []byte, idleUntil time.Time) error {
	_, err := s.db.Exec(ctx, `UPDATE browser_session SET last_seen = `+s.now+`, idle_until = $2
WHERE id_hash = $1 AND ended = 0 AND idle_until > `+s.now+` AND expires > `+s.now, idHash, millis(idleUntil))
	return failure("touching a session", err)
}

// EndSession implements store.Sessions.
func (s *Store) EndSession(ctx context.Context, idHash []byte, reason string) error {
	return failure("ending a session", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.endSessions(ctx, tx, "id_hash = $1", reason, "user", idHash)
	}))
}

// EndUserSessions implements store.Sessions.
func (s *Store) EndUserSessions(ctx context.Context, id store.UserID, keep []byte, reason string) error {
	return failure("ending the sessions of a user", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.endUser(ctx, tx, id, keep, reason)
	}))
}

// endUser ends all sessions of a user but one, with their online grants, and all half
// ones: what they were begun with may not be good any more.
func (s *Store) endUser(ctx context.Context, tx *db.Tx, id store.UserID, keep []byte, reason string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM half_session WHERE user_id = $1`, string(id)); err != nil {
		return err
	}
	return s.endSessions(ctx, tx, "user_id = $1 AND id_hash <> $2", reason, "server", string(id), notNil(keep))
}

// endSessions ends the sessions that a condition names, one by one, since each
// takes its online grants with it, tells the feed (RT-02, LOGOUT-07), and has apps that
// are to be told (LOGOUT-10).
func (s *Store) endSessions(ctx context.Context, tx *db.Tx, condition, reason, actor string, args ...any) error {
	sessions, err := s.living(ctx, tx, condition, args)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		_, err := tx.Exec(ctx, `UPDATE browser_session SET ended = `+s.now+`, ended_for = $2 WHERE id_hash = $1`, session.hash, reason)
		if err != nil {
			return err
		}
		if _, err := s.endGrants(ctx, tx, ending{"session_hash = $3", session.hash, reason, actor}); err != nil {
			return err
		}
		if err := s.tellOfEnd(ctx, tx, session, reason, actor); err != nil {
			return err
		}
		if err := s.announce(ctx, tx, store.ChangeSessionEnded, hex.EncodeToString(session.hash)); err != nil {
			return err
		}
	}
	return nil
}

// living is a session that has not been ended.
type living struct {
	hash []byte
	user store.UserID
	sid  string
}

// living locks the sessions that have not been ended, in one order for all.
func (s *Store) living(ctx context.Context, tx *db.Tx, condition string, args []any) ([]living, error) {
	rows, err := tx.Query(ctx, `SELECT id_hash, user_id, sid FROM browser_session WHERE ended = 0 AND `+condition+` ORDER BY id_hash`+s.db.Dialect().ForUpdate, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []living
	for rows.Next() {
		var (
			l    living
			user string
		)
		if err := rows.Scan(&l.hash, &user, &l.sid); err != nil {
			return nil, err
		}
		l.user = store.UserID(user)
		all = append(all, l)
	}
	return all, rows.Err()
}
