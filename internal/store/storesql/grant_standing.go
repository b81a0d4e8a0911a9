package storesql

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	insertStanding = `INSERT INTO authorization_grant (id, client_id, user_id, patient, body, session_hash, created,
  code_hash, redirect_uri, code_challenge, code_expires, code_used, refresh_kind, refresh_idle, refresh_absolute, refresh_rotate)
SELECT $1, c.id, '', '', $3, $4, %NOW%, $5, '', '', 0, %NOW%, '', 0, 0, 0
FROM `
	takeStanding = `
ON CONFLICT (client_id) WHERE user_id = '' AND revoked = 0 DO UPDATE SET outcome = 'ok'
RETURNING 'ok', '', ` + grantColumns
)

// standingStatement finds or makes the one live grant of a client that acts for
// itself. The client is read with a lock, so that one which is being disabled waits
// for this commit and then ends what it made, or is seen as disabled. Its code is a
// hash that nothing has, and used: there is nothing to redeem.
//
// On PostgreSQL a grant that stands is read and not written, so that the many requests
// of one service do not wait for each other's commits. One that is ended at the same
// moment may be returned; it is known as ended to all who verify its tokens.
func standingStatement(now string, d db.Dialect) consuming {
	able := `client c WHERE c.id = $2 AND c.disabled = 0` + unless + d.ForShare
	c := consuming{"", insertStanding + able + takeStanding}
	if d == db.PostgreSQL {
		c = consuming{`able AS (SELECT c.id FROM ` + able + `),
stands AS (SELECT ` + grantColumns + ` FROM authorization_grant
  WHERE client_id = $2 AND user_id = '' AND revoked = 0 AND EXISTS (SELECT 1 FROM able)),
made AS (` + insertStanding + `able c WHERE NOT EXISTS (SELECT 1 FROM stands)` + takeStanding + `)`,
			`SELECT 'ok', '', stands.* FROM stands UNION ALL SELECT * FROM made`}
	}
	c.facts, c.change = strings.ReplaceAll(c.facts, "%NOW%", now), strings.ReplaceAll(c.change, "%NOW%", now)
	return c
}

// StandingGrant implements store.Grants.
func (s *Store) StandingGrant(ctx context.Context, r store.Standing) (store.Grant, error) {
	body, err := encode(grantBody{Audience: r.Audience, Scopes: []string{}})
	if err != nil {
		return store.Grant{}, err
	}
	noCode := make([]byte, 32)
	_, _ = rand.Read(noCode) // never fails
	d, err := s.consume(ctx, "issuing a standing grant", s.sql.standing, spent{r.Assertion, r.Proof},
		string(r.ID), string(r.ClientID), body, []byte{}, noCode)
	if errors.Is(err, store.ErrNotFound) {
		err = store.ErrRevoked
	}
	if err != nil {
		return store.Grant{}, err
	}
	return d.row.grant()
}
