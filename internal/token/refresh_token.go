package token

import (
	"errors"
	"fmt"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/smart"
)

// refreshTokenRefused is the one answer for all reasons (TK-30).
func refreshTokenRefused() *oauth.Error {
	return oauth.New(oauth.InvalidGrant, "The refresh token is not valid: unknown, used, expired, revoked, or issued to another client or for another key").Slugged(oauth.SlugRefreshTokenRefused)
}

// refreshToken uses a refresh token (RFC 6749 §6).
func (d *Door) refreshToken(r *request) (answer, error) {
	text := r.form.Get("refresh_token")
	if text == "" {
		return answer{}, missing("refresh_token")
	}
	named, ours := d.deps.Minter.ParseRefreshToken(text)
	if !ours || named.Former && r.client.Public() {
		return answer{}, refreshTokenRefused()
	}
	used, err := d.use(r, named)
	if err != nil {
		return answer{}, err
	}
	grant := used.Grant
	if !used.Judged {
		if err := d.stillEntitled(r, grant, used.User); err != nil {
			return answer{}, err
		}
	}
	scopes := grant.Scopes
	if asked := r.form.Get("scope"); asked != "" {
		if scopes, err = narrow(grant.Scopes, asked); err != nil {
			return answer{}, err
		}
	}
	grant.Nonce = "" // OpenID Connect Core §12.2: no nonce in a refreshed ID token
	return d.mint(r, grant, scopes)
}

// use has the store use the token. A scope that was never granted is refused by the
// same statement without using the token, so that the client can ask again (RT-09).
func (d *Door) use(r *request, named tokens.RefreshName) (store.Refreshed, error) {
	attempt := store.Refresh{
		GrantID: named.GrantID, ClientID: r.client.ID, Generation: named.Generation, Grace: d.deps.RefreshGrace,
	}
	asked := r.form.Get("scope")
	if asked != "" {
		// RFC 6749 §3.3: the same grammar as at the authorization endpoint.
		if _, err := smart.ParseScopes(asked); err != nil {
			return store.Refreshed{}, oauth.New(oauth.InvalidScope, "scope is a list of scopes separated by single spaces").About("scope").Slugged(oauth.SlugScopeMalformed)
		}
		if attempt.Within = demanded(asked); len(attempt.Within.AnyOf)+len(attempt.Within.Demands) == 0 {
			return store.Refreshed{}, errNoScope()
		}
	}
	attempt.Possession, attempt.Assertion = r.possession(), r.assertion()
	used, err := d.deps.Grants.RefreshGrant(r.ctx, attempt)
	if errors.Is(err, store.ErrNotHeld) {
		if _, refused := narrow(used.Grant.Scopes, asked); refused != nil {
			return store.Refreshed{}, refused
		}
		return store.Refreshed{}, errWider()
	}
	if err != nil {
		return store.Refreshed{}, d.refuseGrant(err, refreshTokenRefused())
	}
	return used, nil
}

// stillEntitled refuses when the user has lost the patient since (RT-27, RT-28). It is
// asked where the records are elsewhere, so that the store could not judge.
func (d *Door) stillEntitled(r *request, g store.Grant, u store.User) error {
	ok, err := d.deps.Entitled(r.ctx, u, g.Patient)
	if err != nil {
		return fmt.Errorf("asking whom the user reaches: %w", err)
	}
	if ok {
		return nil
	}
	if _, err := d.deps.Revoke(r.ctx, store.Revocation{GrantID: g.ID, Reason: "patient out of reach", Actor: "server"}); err != nil {
		return err
	}
	d.deps.Ended(g.ID)
	return refreshTokenRefused()
}
