package storesql

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const promisedColumns = `id, client_id, user_id, patient, body, session_hash, created, code_hash, redirect_uri, code_challenge,
  code_expires, code_used, refresh_kind, refresh_idle, refresh_absolute, refresh_rotate, generation, refresh_expires,
  revoked, revoked_for, revoked_by, outcome, holding, key_thumbprint, sid`

// givenColumns are grantColumns with what the code has not said already.
const givenColumns = `id, '', '', '', '', session_hash, created, '', 0, 0, 0, generation, refresh_expires, revoked, revoked_for, sid, ''`

// decidedAt is when a remembered approval was decided, in its words.
func decidedAt(d db.Dialect) string {
	if d == db.PostgreSQL {
		return `CAST(m.body AS json) ->> 'DecidedAt'`
	}
	return `m.body ->> '$.DecidedAt'`
}

// promisedStatement writes a grant that was promised, as one whose code is used, if all
// that it was promised on stands: client, user, session, approval, time. The rows of
// client, session and approval stay as they are until the commit: whoever ends one of
// them finds this grant. A grant that is there already was redeemed before: that ends it, as
// of any code (RFC 6749 §4.1.2). $15 is the outcome when all stands: a code that is for
// somebody else is used up, and its grant has ended.
func promisedStatement(now string, d db.Dialect) consuming {
	return consuming{"", `INSERT INTO authorization_grant (` + promisedColumns + `)
SELECT $1, $2, $3, $4, $5, $6, f.now, $7, '', '',
  $8, f.now, $9, $10, $11, $12, $13, CASE WHEN CAST($14 AS BIGINT) > 0 THEN f.now + CAST($14 AS BIGINT) ELSE 0 END,
  CASE WHEN $15 = 'ok' THEN 0 ELSE f.now END, $16, $17, $15, $18, $19, CASE WHEN $20 = 1 THEN f.sid ELSE '' END
FROM (SELECT ` + now + ` AS now, v.sid FROM browser_session v
    JOIN account a ON a.id = v.user_id
    JOIN client c ON c.id = $2
    JOIN remembered_consent m ON m.user_id = v.user_id AND m.client_id = c.id
  WHERE v.id_hash = $21 AND v.user_id = $3 AND v.ended = 0 AND v.idle_until > ` + now + ` AND v.expires > ` + now + `
    AND a.disabled = 0 AND c.disabled = 0 AND c.version = $25 AND m.patient = $22 AND ` + decidedAt(d) + ` = $23
    AND $8 > ` + now + unless + ` LIMIT 1` + lockAll(d) + `) f
WHERE 1 = 1
ON CONFLICT (id) DO UPDATE SET outcome = 'consumed',
  revoked = CASE WHEN authorization_grant.revoked > 0 THEN authorization_grant.revoked ELSE excluded.code_used END,
  revoked_for = CASE WHEN authorization_grant.revoked > 0 THEN authorization_grant.revoked_for ELSE 'code replayed' END,
  revoked_by = CASE WHEN authorization_grant.revoked > 0 THEN authorization_grant.revoked_by ELSE $24 END
RETURNING outcome, '', ` + givenColumns}
}

// lockAll is ForShare of what can end on its own; the sessions of an account end with it.
func lockAll(d db.Dialect) string {
	if d.ForShare == "" {
		return ""
	}
	return d.ForShare + ` OF c, v, m`
}

func random4() []byte {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// momentText is a time in the words of a remembered approval.
func momentText(t time.Time) (string, error) {
	quoted, err := json.Marshal(moment(t))
	return string(quoted[1 : len(quoted)-1]), err
}

// promisedArguments are those of promisedStatement.
func promisedArguments(p store.PromisedGrant, r store.Redemption) ([]any, error) {
	g, forThem := p.Given(r)
	outcome, reason, by := outcomeOK, "", ""
	if !forThem {
		outcome, reason, by = outcomeMismatch, revokedForMismatch, string(r.ClientID)
	}
	held, err := holding(g)
	if err != nil {
		return nil, err
	}
	body, err := encode(bodyOf(g))
	if err != nil {
		return nil, err
	}
	approved, err := momentText(p.ApprovedAt)
	// The place of a code's hash, in the order of ids, and never twice: who comes second
	// meets the id.
	place := append([]byte(g.ID), random4()...)
	return []any{
		string(g.ID), string(g.ClientID), string(g.UserID), g.Patient, body, notNil(g.SessionHash), place,
		millis(p.ExpiresAt), string(g.Refresh.Kind), g.Refresh.Idle.Milliseconds(), g.Refresh.Absolute.Milliseconds(), flag(g.Refresh.Rotate),
		int64(g.Generation), g.Refresh.RefreshLife().Milliseconds(), outcome, reason, by, held, g.KeyThumbprint,
		flag(p.ToldOfSession), p.SessionHash, p.ApprovalPatient, approved, string(r.ClientID), p.ClientVersion,
	}, err
}

// RedeemPromised implements store.Grants.
func (s *Store) RedeemPromised(ctx context.Context, p store.PromisedGrant, r store.Redemption) (store.Grant, error) {
	args, err := promisedArguments(p, r)
	if err != nil {
		return store.Grant{}, err
	}
	d, err := s.consume(ctx, "redeeming a promised grant", s.sql.promised, spent{r.Assertion, r.Possession.Proof}, args...)
	if errors.Is(err, store.ErrNotFound) {
		return store.Grant{}, s.promiseOver(ctx, p.Grant.ID, r.ClientID)
	}
	if err != nil {
		return store.Grant{}, err
	}
	g, _ := p.Given(r)
	g.CreatedAt, g.SID, g.RefreshExpiresAt = instant(d.row.created), d.row.sid, instant(d.row.refreshExpires)
	return g, nil
}

// promiseOver is what is said of a promise that does not stand any more. When it was
// redeemed before, this is a replay all the same, and ends the grant.
func (s *Store) promiseOver(ctx context.Context, id store.GrantID, by store.ClientID) error {
	n, err := s.db.Exec(ctx, s.endStatement("id = $3"), revokedForReplay, string(by), string(id))
	switch {
	case err != nil:
		return failure("redeeming a promised grant", err)
	case n > 0:
		return &store.EndedError{GrantID: id, Because: store.ErrConsumed}
	}
	return store.ErrRevoked
}
