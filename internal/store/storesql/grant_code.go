package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Outcomes that a statement leaves in the row and returns.
const (
	outcomeOK            = "ok"
	outcomeRetried       = "retried"
	outcomeConsumed      = "consumed"
	outcomeMismatch      = "mismatch"
	outcomeExpired       = "expired"
	outcomeRevoked       = "revoked"
	outcomeUnknown       = "unknown"
	outcomeReplayed      = "replayed"
	outcomeProofReplayed = "proof replayed"
	outcomeNotHeld       = "not held"
	outcomeLost          = "lost"
)

var outcomes = map[string]error{
	outcomeOK: nil, outcomeRetried: nil, outcomeConsumed: store.ErrConsumed, outcomeMismatch: store.ErrMismatch,
	outcomeExpired: store.ErrExpired, outcomeRevoked: store.ErrRevoked, outcomeUnknown: store.ErrNotFound,
	outcomeReplayed: store.ErrReplayed, outcomeProofReplayed: store.ErrProofReplayed, outcomeNotHeld: store.ErrNotHeld,
	outcomeLost: store.ErrRevoked,
}

// factsFor begins a statement that consumes: it looks up once the time, and
// whether those that the grant lives by are active. A client or user that is gone
// counts as disabled (security E-20); an online grant also needs its session
// (RT-02). more are facts of one kind of statement, and where they are read.
func factsFor(now, grant string, more ...string) string {
	columns, reads := "", ""
	if len(more) == 2 {
		columns, reads = more[0], more[1]
	}
	return `facts AS MATERIALIZED (SELECT ` + now + ` AS now, CASE
    WHEN COALESCE((SELECT c.disabled FROM client c WHERE c.id = g.client_id), 1) = 1 THEN 1
    WHEN COALESCE((SELECT a.disabled FROM account a WHERE a.id = g.user_id), 1) = 1 THEN 1
    WHEN g.refresh_kind = 'online' AND NOT EXISTS (SELECT 1 FROM browser_session v
      WHERE v.id_hash = g.session_hash AND v.ended = 0 AND v.idle_until > ` + now + ` AND v.expires > ` + now + `) THEN 1
    ELSE 0 END AS inactive` + columns + `
  FROM authorization_grant g` + reads + ` WHERE ` + grant + unless + `)`
}

// ended: the grant is over, or something that it lives by is.
const ended = `(revoked > 0 OR facts.inactive = 1)`

// redeemStatement consumes a code. Every right-hand side sees the row as it was
// before; two at once are put in order by the row's lock, so that the second one
// sees the first (RFC 6749 §4.1.3, §10.5). $5 is the key that was shown, $6 the one
// that the refresh family is bound to in the place of what the code was bound to.
func redeemStatement(now string) consuming {
	const (
		wrong = `(client_id <> $2 OR redirect_uri <> $3 OR code_challenge <> $4 OR key_thumbprint <> '' AND key_thumbprint <> $5)`
		good  = `(code_used = 0 AND NOT ` + wrong + ` AND code_expires > facts.now AND NOT ` + ended + `)`
	)
	return consuming{factsFor(now, "g.code_hash = $1"), `UPDATE authorization_grant SET
  outcome = CASE WHEN code_used > 0 THEN 'consumed' WHEN ` + wrong + ` THEN 'mismatch' WHEN code_expires <= facts.now THEN 'expired'
    WHEN ` + ended + ` THEN 'revoked' ELSE 'ok' END,
  code_used = CASE WHEN code_used > 0 THEN code_used ELSE facts.now END,
  generation = CASE WHEN ` + good + ` AND refresh_kind <> '' THEN 1 ELSE generation END,
  refresh_expires = CASE WHEN ` + good + ` AND refresh_kind <> '' THEN ` + refreshEnd + ` ELSE refresh_expires END,
  key_thumbprint = CASE WHEN ` + good + ` THEN $6 ELSE key_thumbprint END,
  revoked = CASE WHEN revoked = 0 AND (code_used > 0 OR ` + wrong + `) THEN facts.now ELSE revoked END,
  revoked_for = CASE WHEN revoked > 0 THEN revoked_for WHEN code_used > 0 THEN 'code replayed'
    WHEN ` + wrong + ` THEN 'code bound to something else' ELSE '' END,
  revoked_by = CASE WHEN revoked > 0 THEN revoked_by WHEN code_used > 0 OR ` + wrong + ` THEN $2 ELSE '' END
FROM facts WHERE code_hash = $1
RETURNING outcome, '', ` + grantColumns}
}

// refreshEnd is when a refresh token that is made now ends: after its idle time,
// but never after the absolute end of its family.
const refreshEnd = `(CASE WHEN refresh_absolute > 0 AND created + refresh_absolute < facts.now + refresh_idle
    THEN created + refresh_absolute ELSE facts.now + refresh_idle END)`

// RedeemCode implements store.Grants.
func (s *Store) RedeemCode(ctx context.Context, r store.Redemption) (store.Grant, error) {
	d, err := s.consume(ctx, "redeeming a code", s.sql.redeem, spent{r.Assertion, r.Possession.Proof},
		r.CodeHash, string(r.ClientID), r.RedirectURI, r.CodeChallenge, r.Possession.Key, r.Possession.Bound())
	if err != nil {
		return store.Grant{}, err
	}
	return d.row.grant()
}
