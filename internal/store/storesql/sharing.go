package storesql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// sharedColumns are those of a grant, and what people want to know beside them.
var sharedColumns = "g." + strings.ReplaceAll(strings.ReplaceAll(grantColumns, "\n", " "), ", ", ", g.") +
	`, a.body, CASE WHEN g.rotated > g.code_used THEN g.rotated ELSE g.code_used END, COALESCE(u.used, 0), g.revoked_by`

const sharedTables = ` FROM authorization_grant g JOIN account a ON a.id = g.user_id LEFT JOIN grant_use u ON u.grant_id = g.id
WHERE (g.user_id = $1 OR g.patient = $2) AND g.code_used > 0 AND `

// noRecord is the id of nobody.
const noRecord = " "

func readShared(row db.Row) (store.SharedGrant, error) {
	var (
		v               scanned
		account         string
		token, used     int64
		shared          store.SharedGrant
		decodingAccount error
	)
	err := row.Scan(append(v.dest(), &account, &token, &used, &shared.RevokedBy)...)
	if err != nil {
		return shared, err
	}
	if shared.Grant, err = v.grant(); err != nil {
		return shared, err
	}
	shared.GivenBy, decodingAccount = decode[store.User](account)
	shared.TokenAt, shared.UsedAt = instant(token), instant(used)
	return shared, decodingAccount
}

// LivingGrants implements store.Sharings.
func (s *Store) LivingGrants(ctx context.Context, q store.SharingQuery) ([]store.SharedGrant, error) {
	all, err := list(ctx, s, readShared, `SELECT `+sharedColumns+sharedTables+`g.revoked = 0 AND (
  g.generation > 0 AND g.refresh_expires > `+s.now+` AND (g.refresh_kind <> 'online' OR EXISTS (SELECT 1 FROM browser_session v
    WHERE v.id_hash = g.session_hash AND v.ended = 0 AND v.idle_until > `+s.now+` AND v.expires > `+s.now+`))
  OR g.code_used + $3 > `+s.now+` OR g.rotated + $3 > `+s.now+`)
ORDER BY g.created DESC, g.id LIMIT $4`, string(q.UserID), cmp.Or(q.Record, noRecord), q.AccessLife.Milliseconds(), int64(q.Limit))
	return all, failure("listing what is shared", err)
}

// StoppedGrants implements store.Sharings. What endSessions ends has one of two words in
// the place of who did it.
func (s *Store) StoppedGrants(ctx context.Context, q store.SharingQuery, since time.Time) ([]store.SharedGrant, error) {
	all, err := list(ctx, s, readShared, `SELECT `+sharedColumns+sharedTables+`g.revoked > $3
  AND NOT (g.refresh_kind = 'online' AND g.revoked_by IN ('user', 'server'))
  AND (g.user_id = $1 OR a.role IN ('patient', 'representative'))
ORDER BY g.revoked DESC, g.id LIMIT $4`, string(q.UserID), cmp.Or(q.Record, noRecord), millis(since), int64(q.Limit))
	return all, failure("listing what was shared", err)
}

// StopSharing implements store.Sharings.
func (s *Store) StopSharing(ctx context.Context, v store.Sharing, reason, actor string) (int, error) {
	if v.UserID == "" || v.ClientID == "" {
		return 0, store.ErrNotFound
	}
	user, client := string(v.UserID), string(v.ClientID)
	var ended int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM remembered_consent WHERE user_id = $1 AND client_id = $2`, user, client); err != nil {
			return err
		}
		var err error
		ended, err = tx.Exec(ctx, s.endStatement("user_id = $3 AND client_id = $4 AND patient = $5"), reason, actor, user, client, v.Patient)
		return err
	})
	return int(ended), failure("stopping to share", err)
}

// useBatch bounds how many rows one statement writes.
const useBatch = 200

// NoteUses implements store.Sharings. Order: by id, so that two processes that note the
// same grants lock them in one order.
func (s *Store) NoteUses(ctx context.Context, uses []store.GrantUse) error {
	ordered := slices.SortedFunc(slices.Values(uses), func(a, b store.GrantUse) int {
		return cmp.Or(cmp.Compare(a.GrantID, b.GrantID), b.At.Compare(a.At))
	})
	ordered = slices.CompactFunc(ordered, func(a, b store.GrantUse) bool { return a.GrantID == b.GrantID })
	for batch := range slices.Chunk(ordered, useBatch) {
		var values []string
		var args []any
		for _, u := range batch {
			args = append(args, string(u.GrantID), millis(u.At))
			values = append(values, fmt.Sprintf("($%d, $%d)", len(args)-1, len(args)))
		}
		_, err := s.db.Exec(ctx, `INSERT INTO grant_use (grant_id, used) VALUES `+strings.Join(values, ", ")+`
ON CONFLICT (grant_id) DO UPDATE SET used = excluded.used WHERE excluded.used > grant_use.used`, args...)
		if err != nil {
			return failure("noting uses", err)
		}
	}
	return nil
}
