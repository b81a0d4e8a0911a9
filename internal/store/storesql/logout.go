package storesql

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// keepNotice is how long it is tried to tell an app, in milliseconds.
const keepNotice = 24 * 60 * 60 * 1000

// tellOfEnd writes who has to be told that a session is over. Order: codes that nobody
// has redeemed end first; one that is being redeemed at this moment has a row that is
// locked, and so is either ended here or seen by the question after it.
func (s *Store) tellOfEnd(ctx context.Context, tx *db.Tx, l living, reason, actor string) error {
	if l.sid == "" {
		return nil
	}
	if _, err := s.endGrants(ctx, tx, ending{"sid = $3 AND sid <> '' AND code_used = 0", l.sid, reason, actor}); err != nil {
		return err
	}
	clients, err := s.toldOf(ctx, tx, l.sid)
	if err != nil {
		return err
	}
	for _, id := range clients {
		_, err := tx.Exec(ctx, `INSERT INTO logout_notice (client_id, user_id, sid, due, expires) VALUES ($1, $2, $3, `+s.now+`, `+s.now+` + $4)`,
			string(id), string(l.user), l.sid, int64(keepNotice))
		if err != nil {
			return err
		}
	}
	return nil
}

// toldOf are the enabled clients that have redeemed a code of a session and have
// registered where they are told of its end.
func (s *Store) toldOf(ctx context.Context, tx *db.Tx, sid string) ([]store.ClientID, error) {
	rows, err := tx.Query(ctx, `SELECT c.body FROM client c WHERE c.disabled = 0 AND c.removed = 0 AND c.id IN (
  SELECT g.client_id FROM authorization_grant g WHERE g.sid = $1 AND g.sid <> '' AND g.code_used > 0) ORDER BY c.id`, sid)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []store.ClientID
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		c, err := decode[store.Client](body)
		if err != nil {
			return nil, err
		}
		if c.BackchannelLogoutURI != "" {
			all = append(all, c.ID)
		}
	}
	return all, rows.Err()
}

// ClientsToTell implements store.LogoutNotices.
func (s *Store) ClientsToTell(ctx context.Context) ([]store.ClientID, error) {
	all, err := list(ctx, s, func(row db.Row) (store.ClientID, error) {
		var id string
		err := row.Scan(&id)
		return store.ClientID(id), err
	}, `SELECT DISTINCT client_id FROM logout_notice WHERE due <= `+s.now+` OR expires <= `+s.now+` ORDER BY client_id`)
	return all, failure("looking for apps to tell of a logout", err)
}

// ClaimLogoutNotice implements store.LogoutNotices.
func (s *Store) ClaimLogoutNotice(ctx context.Context, client store.ClientID, lease time.Duration) (store.LogoutNotice, error) {
	n := store.LogoutNotice{ClientID: client}
	var (
		attempts int64
		user     string
	)
	err := s.db.One(ctx, `UPDATE logout_notice SET attempts = attempts + 1, due = `+s.now+` + $2 WHERE id = (
  SELECT n.id FROM logout_notice n WHERE n.client_id = $1 AND n.due <= `+s.now+` AND n.expires > `+s.now+`
  ORDER BY n.due, n.id LIMIT 1`+s.db.Dialect().SkipLocked+`)
RETURNING id, user_id, sid, attempts`, []any{string(client), lease.Milliseconds()}, &n.ID, &user, &n.SID, &attempts)
	n.UserID, n.Attempts = store.UserID(user), int(attempts)
	return n, failure("claiming a logout notice", err)
}

// PostponeLogoutNotice implements store.LogoutNotices.
func (s *Store) PostponeLogoutNotice(ctx context.Context, id int64, wait time.Duration) error {
	_, err := s.db.Exec(ctx, `UPDATE logout_notice SET due = `+s.now+` + $2 WHERE id = $1`, id, wait.Milliseconds())
	return failure("postponing a logout notice", err)
}

// PostponeLogoutNoticesOf implements store.LogoutNotices. Rows that another process is
// changing are left to it.
func (s *Store) PostponeLogoutNoticesOf(ctx context.Context, client store.ClientID, wait time.Duration) error {
	_, err := s.db.Exec(ctx, `UPDATE logout_notice SET due = `+s.now+` + $2 WHERE id IN (
  SELECT n.id FROM logout_notice n WHERE n.client_id = $1 AND n.due < `+s.now+` + $2`+s.db.Dialect().SkipLocked+`)`,
		string(client), wait.Milliseconds())
	return failure("postponing the logout notices of an app", err)
}

// RemoveLogoutNotice implements store.LogoutNotices.
func (s *Store) RemoveLogoutNotice(ctx context.Context, id int64) error {
	_, err := s.db.Exec(ctx, `DELETE FROM logout_notice WHERE id = $1`, id)
	return failure("removing a logout notice", err)
}

// ExpireLogoutNotices implements store.LogoutNotices.
func (s *Store) ExpireLogoutNotices(ctx context.Context, client store.ClientID) (int, error) {
	n, err := s.db.Exec(ctx, `DELETE FROM logout_notice WHERE client_id = $1 AND expires <= `+s.now, string(client))
	return int(n), failure("removing old logout notices", err)
}
