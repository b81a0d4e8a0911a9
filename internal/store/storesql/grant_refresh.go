package storesql

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// refreshStatement uses a refresh token. $3 is the generation that the token
// names, $4 the grace in milliseconds, $5 what the grant must hold, $6 how many scopes.
// The generation moves once for each token, so that there is never a second live
// successor (RFC 9700 §4.14.2). The account comes along, so that nobody asks for it.
func refreshStatement(now, holds string) consuming {
	const (
		foreign = `(client_id <> $2)`
		none    = `(refresh_kind = '' OR generation = 0 OR $3 > generation)`
		over    = `(refresh_expires <= facts.now)`
		current = `(generation = $3)`
		// The token before the current one, whose answer may have been lost (RT-23).
		retry  = `(refresh_rotate = 1 AND generation = $3 + 1 AND rotated + $4 > facts.now)`
		sound  = `(NOT ` + foreign + ` AND NOT ` + none + ` AND NOT ` + ended + ` AND NOT ` + over + `)`
		reused = `(` + sound + ` AND NOT ` + current + ` AND NOT ` + retry + `)`
	)
	// Order: what is not held is told of a token that would have been good; reuse ends
	// the family whatever else it asks for.
	held := `($5 = '[]' OR (` + holds + `))`
	good := `(` + sound + ` AND ` + current + ` AND ` + held + `)`
	return consuming{factsFor(now, "g.id = $1"), `UPDATE authorization_grant SET
  outcome = CASE WHEN ` + foreign + ` THEN 'mismatch' WHEN ` + none + ` THEN 'unknown' WHEN ` + ended + ` THEN 'revoked'
    WHEN ` + over + ` THEN 'expired' WHEN NOT ` + current + ` AND NOT ` + retry + ` THEN 'consumed'
    WHEN NOT ` + held + ` THEN '` + outcomeNotHeld + `' WHEN ` + current + ` THEN 'ok' ELSE 'retried' END,
  generation = CASE WHEN ` + good + ` AND refresh_rotate = 1 THEN generation + 1 ELSE generation END,
  rotated = CASE WHEN ` + good + ` THEN facts.now ELSE rotated END,
  refresh_expires = CASE WHEN ` + good + ` THEN ` + refreshEnd + ` ELSE refresh_expires END,
  revoked = CASE WHEN ` + reused + ` THEN facts.now ELSE revoked END,
  revoked_for = CASE WHEN ` + reused + ` THEN 'refresh token reused' ELSE revoked_for END,
  revoked_by = CASE WHEN ` + reused + ` THEN $2 ELSE revoked_by END
FROM facts WHERE id = $1
RETURNING outcome, COALESCE((SELECT a.body FROM account a WHERE a.id = authorization_grant.user_id), ''), ` + grantColumns}
}

// The scopes of a grant hold a list of lists when they have a member of each.
const (
	holdsPostgreSQL = `NOT EXISTS (SELECT 1 FROM jsonb_array_elements(CAST($5 AS jsonb)) AS w(words)
    WHERE NOT CAST(body AS jsonb) -> 'scopes' ?| ARRAY(SELECT jsonb_array_elements_text(w.words)))
    AND ($6 = 0 OR jsonb_array_length(CAST(body AS jsonb) -> 'scopes') = $6)`
	holdsSQLite = `NOT EXISTS (SELECT 1 FROM json_each($5) w WHERE NOT EXISTS (SELECT 1 FROM json_each(w.value) o
    WHERE o.value IN (SELECT h.value FROM json_each(body, '$.scopes') h)))
    AND ($6 = 0 OR json_array_length(body, '$.scopes') = $6)`
)

func holds(d db.Dialect) string {
	if d == db.PostgreSQL {
		return holdsPostgreSQL
	}
	return holdsSQLite
}

// RefreshGrant implements store.Grants.
func (s *Store) RefreshGrant(ctx context.Context, r store.Refresh) (store.Refreshed, error) {
	within, err := encode(append([][]string{}, r.Within.AnyOf...))
	if err != nil {
		return store.Refreshed{}, err
	}
	d, err := s.consume(ctx, "refreshing a grant", s.sql.refresh, r.Assertion,
		string(r.GrantID), string(r.ClientID), int64(r.Generation), r.Grace.Milliseconds(), within, int64(r.Within.Whole))
	if errors.Is(err, store.ErrNotHeld) {
		g, fault := d.row.grant()
		return store.Refreshed{Grant: g}, errors.Join(err, fault)
	}
	if err != nil {
		return store.Refreshed{}, err
	}
	return d.refreshed()
}

func (d *decided) refreshed() (store.Refreshed, error) {
	g, err := d.row.grant()
	if err != nil {
		return store.Refreshed{}, err
	}
	u, err := decode[store.User](d.account)
	return store.Refreshed{Grant: g, User: u, Retried: d.outcome == outcomeRetried}, err
}
