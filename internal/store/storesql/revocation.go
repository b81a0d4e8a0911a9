package storesql

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// endGrants ends the live grants that a condition on $3 names, and returns how
// many. The trigger tells the feed.
func (s *Store) endGrants(ctx context.Context, tx *db.Tx, condition, reason, actor string, arg any) (int, error) {
	n, err := tx.Exec(ctx, `UPDATE authorization_grant SET revoked = `+s.now+`, revoked_for = $1, revoked_by = $2
WHERE revoked = 0 AND `+condition, reason, actor, arg)
	return int(n), err
}

// errSelector: a revocation names nothing, or more than the contract allows.
var errSelector = errors.New("storesql: a revocation names exactly one of grant, user, client and patient, or user and client")

// selector turns a revocation into a condition with its arguments from $first on.
func selector(r store.Revocation) (condition string, args []any, err error) {
	set := 0
	add := func(column string, value string) {
		if value == "" {
			return
		}
		if set > 0 {
			condition += " AND "
		}
		set++
		condition += column + " = $" + string(rune('0'+set))
		args = append(args, value)
	}
	add("id", string(r.GrantID))
	add("user_id", string(r.UserID))
	add("client_id", string(r.ClientID))
	add("patient", r.Patient)
	pair := set == 2 && r.UserID != "" && r.ClientID != ""
	if set != 1 && !pair {
		return "", nil, errSelector
	}
	return condition, args, nil
}

// Revoke implements store.Grants.
func (s *Store) Revoke(ctx context.Context, r store.Revocation) (int, error) {
	condition, args, err := selector(r)
	if err != nil {
		return 0, err
	}
	var ended int64
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		// Order: what is remembered is found by the grants while they are still alive
		// (REVOKE-15).
		_, err := tx.Exec(ctx, `DELETE FROM remembered_consent WHERE EXISTS (SELECT 1 FROM authorization_grant
WHERE revoked = 0 AND `+condition+` AND authorization_grant.user_id = remembered_consent.user_id
  AND authorization_grant.client_id = remembered_consent.client_id)`, args...)
		if err != nil {
			return err
		}
		reason, actor := "$"+string(rune('1'+len(args))), "$"+string(rune('2'+len(args)))
		ended, err = tx.Exec(ctx, `UPDATE authorization_grant SET revoked = `+s.now+`, revoked_for = `+reason+`, revoked_by = `+actor+`
WHERE revoked = 0 AND `+condition, append(append([]any{}, args...), r.Reason, r.Actor)...)
		return err
	})
	return int(ended), failure("revoking", err)
}

// RevokeToken implements store.Grants.
func (s *Store) RevokeToken(ctx context.Context, t store.RevokedToken) error {
	return failure("revoking a token", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO revoked_token (token_id, expires) VALUES ($1, $2) ON CONFLICT (token_id) DO NOTHING`,
			t.TokenID, millis(t.ExpiresAt))
		if err != nil || n == 0 {
			return err
		}
		return s.announce(ctx, tx, store.ChangeTokenRevoked, t.TokenID)
	}))
}
