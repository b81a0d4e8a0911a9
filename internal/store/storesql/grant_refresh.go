package storesql

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// refreshStatement uses a refresh token. $3 is the generation that the token
// names, $4 the grace in milliseconds, $5 the key that was shown, $6 the one that a
// family is bound to which was not before; h says what the grant must hold, if anything
// is asked. The generation moves once for each token, so that there is never a second live
// successor (RFC 9700 §4.14.2). Whoever has lost the patient loses the grant as well.
// The account comes along, so that nobody asks for it.
func refreshStatement(now, lost string, h held) consuming {
	const (
		foreign = `(client_id <> $2 OR key_thumbprint <> '' AND key_thumbprint <> $5)`
		none    = `(refresh_kind = '' OR generation = 0 OR $3 > generation)`
		current = `(generation = $3)`
		// The token before the current one, whose answer may have been lost (RT-23).
		retry = `(refresh_rotate = 1 AND generation = $3 + 1 AND rotated + $4 > facts.now)`
		// Order: what is not held is told of a token that would have been good; reuse ends
		// the family whatever else it asks for.
		verdict = `CASE WHEN ` + foreign + ` THEN 'mismatch' WHEN ` + none + ` THEN 'unknown' WHEN ` + ended + ` THEN 'revoked'
    WHEN refresh_expires <= facts.now THEN 'expired' WHEN NOT ` + current + ` AND NOT ` + retry + ` THEN 'consumed'
    WHEN facts.held = 0 THEN '` + outcomeNotHeld + `' WHEN facts.lost = 1 THEN '` + outcomeLost + `' WHEN ` + current + ` THEN 'ok' ELSE 'retried' END`
		good = `v.verdict = 'ok'`
	)
	more := `,
  CASE WHEN ` + h.condition + ` THEN 1 ELSE 0 END AS held,
  ` + lost + ` AS lost`
	return consuming{factsFor(now, "g.id = $1", more, h.reads), judged(verdict, "id = $1",
		[2]string{"generation", `CASE WHEN ` + good + ` AND refresh_rotate = 1 THEN generation + 1 ELSE generation END`},
		[2]string{"rotated", `CASE WHEN ` + good + ` THEN facts.now ELSE rotated END`},
		[2]string{"key_thumbprint", `CASE WHEN ` + good + ` AND key_thumbprint = '' THEN $6 ELSE key_thumbprint END`},
		[2]string{"refresh_expires", `CASE WHEN ` + good + ` THEN ` + refreshEnd + ` ELSE refresh_expires END`},
		[2]string{"revoked", `CASE WHEN v.verdict IN ('consumed', '` + outcomeLost + `') THEN facts.now ELSE revoked END`},
		[2]string{"revoked_for", `CASE v.verdict WHEN 'consumed' THEN 'refresh token reused' WHEN '` + outcomeLost + `' THEN ` + outOfReach + ` ELSE revoked_for END`},
		[2]string{"revoked_by", `CASE v.verdict WHEN 'consumed' THEN $2 WHEN '` + outcomeLost + `' THEN 'server' ELSE revoked_by END`},
	) + `
RETURNING outcome, COALESCE((SELECT a.body FROM account a WHERE a.id = authorization_grant.user_id), ''), ` + grantColumns}
}

// RefreshGrant implements store.Grants.
func (s *Store) RefreshGrant(ctx context.Context, r store.Refresh) (store.Refreshed, error) {
	statement := s.sql.refresh
	args := []any{string(r.GrantID), string(r.ClientID), int64(r.Generation), r.Grace.Milliseconds(), r.Possession.Key, r.Possession.Bound()}
	if len(r.Within.AnyOf)+len(r.Within.Demands) > 0 {
		within, err := encode(append([][]string{}, r.Within.AnyOf...))
		if err != nil {
			return store.Refreshed{}, err
		}
		demands, err := encode(append([]smart.Demand{}, r.Within.Demands...))
		if err != nil {
			return store.Refreshed{}, err
		}
		statement, args = s.sql.refreshWithin, append(args, within, int64(r.Within.Whole), demands)
	}
	d, err := s.consume(ctx, "refreshing a grant", statement, spent{r.Assertion, r.Possession.Proof}, args...)
	if errors.Is(err, store.ErrNotHeld) {
		g, fault := d.row.grant()
		return store.Refreshed{Grant: g}, errors.Join(err, fault)
	}
	if err != nil {
		return store.Refreshed{}, err
	}
	used, err := d.refreshed()
	used.Judged = s.judges
	return used, err
}

func (d *decided) refreshed() (store.Refreshed, error) {
	g, err := d.row.grant()
	if err != nil {
		return store.Refreshed{}, err
	}
	u, err := decode[store.User](d.account)
	return store.Refreshed{Grant: g, User: u, Retried: d.outcome == outcomeRetried}, err
}
