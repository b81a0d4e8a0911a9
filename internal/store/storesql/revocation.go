package storesql

import (
	"context"
	"errors"
	"fmt"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// ending says which grants end and why. The condition is on $3.
type ending struct {
	condition string
	arg       any
	reason    string
	actor     string
}

func (s *Store) endStatement(condition string) string {
	return `UPDATE authorization_grant SET revoked = ` + s.now + `, revoked_for = $1, revoked_by = $2 WHERE revoked = 0 AND ` + condition
}

// endGrants ends the live grants that are meant, and returns how many. The
// trigger tells the feed.
func (s *Store) endGrants(ctx context.Context, tx *db.Tx, e ending) (int, error) {
	n, err := tx.Exec(ctx, s.endStatement(e.condition), e.reason, e.actor, e.arg)
	return int(n), err
}

// endLate ends what was issued while a client or an account was being disabled,
// by a transaction that this one could not see. Order: after the commit that
// disables, since from then on nothing new is redeemed.
func (s *Store) endLate(ctx context.Context, e ending) error {
	_, err := s.db.Exec(ctx, s.endStatement(e.condition), e.reason, e.actor, e.arg)
	return err
}

// errSelector: a revocation names nothing, or more than the contract allows.
var errSelector = errors.New("storesql: a revocation names a grant, a user, a client, a patient, or a client with a user or a patient")

// selected is a revocation as conditions: on grants from $3 on, and on what is
// remembered from $1 on.
type selected struct {
	grants, remembered string
	args               []any
}

// throughGrants finds what is remembered by the grants while they are alive.
const throughGrants = `EXISTS (SELECT 1 FROM authorization_grant g WHERE g.revoked = 0 AND %s = $1
  AND g.user_id = remembered_consent.user_id AND g.client_id = remembered_consent.client_id)`

func selectorOf(r store.Revocation) (selected, error) {
	user, client := string(r.UserID), string(r.ClientID)
	set := [4]bool{r.GrantID != "", user != "", client != "", r.Patient != ""}
	switch set {
	case [4]bool{true, false, false, false}:
		return selected{"id = $3", fmt.Sprintf(throughGrants, "g.id"), []any{string(r.GrantID)}}, nil
	case [4]bool{false, true, false, false}:
		return selected{"user_id = $3", "user_id = $1", []any{user}}, nil
	case [4]bool{false, false, true, false}:
		return selected{"client_id = $3", "client_id = $1", []any{client}}, nil
	case [4]bool{false, true, true, false}:
		return selected{"user_id = $3 AND client_id = $4", "user_id = $1 AND client_id = $2", []any{user, client}}, nil
	case [4]bool{false, false, false, true}:
		return selected{"patient = $3", "patient = $1 OR " + fmt.Sprintf(throughGrants, "g.patient"), []any{r.Patient}}, nil
	case [4]bool{false, false, true, true}:
		return selected{"patient = $3 AND client_id = $4", "patient = $1 AND client_id = $2", []any{r.Patient, client}}, nil
	}
	return selected{}, errSelector
}

// Revoke implements store.Grants.
func (s *Store) Revoke(ctx context.Context, r store.Revocation) (int, error) {
	chosen, err := selectorOf(r)
	if err != nil {
		return 0, err
	}
	var ended int64
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		// Order: what is remembered is found by the grants while they are still alive
		// (REVOKE-15).
		if _, err := tx.Exec(ctx, `DELETE FROM remembered_consent WHERE `+chosen.remembered, chosen.args...); err != nil {
			return err
		}
		var err error
		ended, err = tx.Exec(ctx, s.endStatement(chosen.grants), append([]any{r.Reason, r.Actor}, chosen.args...)...)
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
