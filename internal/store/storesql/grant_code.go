package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Why a grant ended by its code.
const (
	revokedForReplay   = "code replayed"
	revokedForMismatch = "code bound to something else"
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

// judged is the change of a grant by what is found of it: verdict says, for the row
// as it is once it is locked, which outcome it is, and each column is set by that.
// Two at once are put in order by the row's lock, so that the second one sees what the
// first has done. The verdict stands in one place, behind a LIMIT that keeps it there:
// PostgreSQL would copy it into each column, and prepare every copy each time.
func judged(verdict, condition string, columns ...[2]string) string {
	names, values := "outcome", "v.verdict"
	for _, c := range columns {
		names += ", " + c[0]
		values += ",\n    " + c[1]
	}
	return `UPDATE authorization_grant SET (` + names + `) = (SELECT ` + values + `
  FROM (SELECT ` + verdict + ` AS verdict LIMIT 1) v)
FROM facts WHERE ` + condition
}

// redeemStatement consumes a code (RFC 6749 §4.1.3, §10.5). $5 is the key that was
// shown, $6 the one that the refresh family is bound to in the place of what the code
// was bound to.
func redeemStatement(now string) consuming {
	const (
		wrong   = `(client_id <> $2 OR redirect_uri <> $3 OR code_challenge <> $4 OR key_thumbprint <> '' AND key_thumbprint <> $5)`
		verdict = `CASE WHEN code_used > 0 THEN 'consumed' WHEN ` + wrong + ` THEN 'mismatch' WHEN code_expires <= facts.now THEN 'expired'
    WHEN ` + ended + ` THEN 'revoked' ELSE 'ok' END`
		family = `v.verdict = 'ok' AND refresh_kind <> ''`
	)
	return consuming{factsFor(now, "g.code_hash = $1"), judged(verdict, "code_hash = $1",
		[2]string{"code_used", `CASE WHEN code_used > 0 THEN code_used ELSE facts.now END`},
		[2]string{"generation", `CASE WHEN ` + family + ` THEN 1 ELSE generation END`},
		[2]string{"refresh_expires", `CASE WHEN ` + family + ` THEN ` + refreshEnd + ` ELSE refresh_expires END`},
		[2]string{"key_thumbprint", `CASE WHEN v.verdict = 'ok' THEN $6 ELSE key_thumbprint END`},
		[2]string{"revoked", `CASE WHEN revoked = 0 AND v.verdict IN ('consumed', 'mismatch') THEN facts.now ELSE revoked END`},
		[2]string{"revoked_for", `CASE WHEN revoked > 0 THEN revoked_for WHEN v.verdict = 'consumed' THEN '` + revokedForReplay + `'
      WHEN v.verdict = 'mismatch' THEN '` + revokedForMismatch + `' ELSE '' END`},
		[2]string{"revoked_by", `CASE WHEN revoked > 0 THEN revoked_by WHEN v.verdict IN ('consumed', 'mismatch') THEN $2 ELSE '' END`},
	) + `
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
