package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/store"
)

// refreshStatement uses a refresh token. $3 is the generation that the token
// names, $4 the grace in milliseconds. The generation moves once for each token,
// so that there is never a second live successor (RFC 9700 §4.14.2).
func refreshStatement(now string) consuming {
	const (
		foreign = `(client_id <> $2)`
		none    = `(refresh_kind = '' OR generation = 0 OR $3 > generation)`
		over    = `(refresh_expires <= facts.now)`
		current = `(generation = $3)`
		// The token before the current one, whose answer may have been lost (RT-23).
		retry  = `(refresh_rotate = 1 AND generation = $3 + 1 AND rotated + $4 > facts.now)`
		sound  = `(NOT ` + foreign + ` AND NOT ` + none + ` AND NOT ` + ended + ` AND NOT ` + over + `)`
		good   = `(` + sound + ` AND ` + current + `)`
		reused = `(` + sound + ` AND NOT ` + current + ` AND NOT ` + retry + `)`
	)
	return consuming{factsFor(now, "g.id = $1"), `UPDATE authorization_grant SET
  outcome = CASE WHEN ` + foreign + ` THEN 'mismatch' WHEN ` + none + ` THEN 'unknown' WHEN ` + ended + ` THEN 'revoked'
    WHEN ` + over + ` THEN 'expired' WHEN ` + current + ` THEN 'ok' WHEN ` + retry + ` THEN 'retried' ELSE 'consumed' END,
  generation = CASE WHEN ` + good + ` AND refresh_rotate = 1 THEN generation + 1 ELSE generation END,
  rotated = CASE WHEN ` + good + ` THEN facts.now ELSE rotated END,
  refresh_expires = CASE WHEN ` + good + ` THEN ` + refreshEnd + ` ELSE refresh_expires END,
  revoked = CASE WHEN ` + reused + ` THEN facts.now ELSE revoked END,
  revoked_for = CASE WHEN ` + reused + ` THEN 'refresh token reused' ELSE revoked_for END,
  revoked_by = CASE WHEN ` + reused + ` THEN $2 ELSE revoked_by END
FROM facts WHERE id = $1
RETURNING outcome, ` + grantColumns}
}

// RefreshGrant implements store.Grants.
func (s *Store) RefreshGrant(ctx context.Context, r store.Refresh) (store.Refreshed, error) {
	g, outcome, err := s.consume(ctx, "refreshing a grant", s.sql.refresh, r.Assertion,
		string(r.GrantID), string(r.ClientID), int64(r.Generation), r.Grace.Milliseconds())
	return store.Refreshed{Grant: g, Retried: outcome == outcomeRetried}, err
}
