package storesql

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/emberlatch/emberlatch/internal/store"
)

// standingStatement finds or makes the one live grant of a client that acts for
// itself. The client is read with a lock, so that one which is being disabled waits
// for this commit and then ends what it made, or is seen as disabled. Its code is a
// hash that nothing has, and used: there is nothing to redeem.
func standingStatement(now, forShare string) consuming {
	return consuming{"", `INSERT INTO authorization_grant (id, client_id, user_id, patient, body, session_hash, created,
  code_hash, redirect_uri, code_challenge, code_expires, code_used, refresh_kind, refresh_idle, refresh_absolute, refresh_rotate)
SELECT $1, c.id, '', '', $3, $4, ` + now + `, $5, '', '', 0, ` + now + `, '', 0, 0, 0
FROM client c WHERE c.id = $2 AND c.disabled = 0` + unless + forShare + `
ON CONFLICT (client_id) WHERE user_id = '' AND revoked = 0 DO UPDATE SET outcome = 'ok'
RETURNING 'ok', '', ` + grantColumns}
}

// StandingGrant implements store.Grants.
func (s *Store) StandingGrant(ctx context.Context, r store.Standing) (store.Grant, error) {
	body, err := encode(grantBody{Audience: r.Audience, Scopes: []string{}})
	if err != nil {
		return store.Grant{}, err
	}
	noCode := make([]byte, 32)
	_, _ = rand.Read(noCode) // never fails
	d, err := s.consume(ctx, "issuing a standing grant", s.sql.standing, r.Assertion,
		string(r.ID), string(r.ClientID), body, []byte{}, noCode)
	if errors.Is(err, store.ErrNotFound) {
		err = store.ErrRevoked
	}
	if err != nil {
		return store.Grant{}, err
	}
	return d.row.grant()
}
