package token

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// noChallenge is what no code was ever bound to: presenting it burns the code.
const noChallenge = "-"

const codeRefused = "The authorization code is not valid: unknown, used, expired, or issued for another client, redirect_uri, code_verifier or key"

// authorizationCode exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
func (d *Door) authorizationCode(r *request) (answer, error) {
	code, redirectURI := r.form.Get("code"), r.form.Get("redirect_uri")
	switch {
	case code == "":
		return answer{}, missing("code")
	case redirectURI == "":
		return answer{}, missing("redirect_uri")
	}
	challenge := noChallenge
	verifier := r.form.Get("code_verifier")
	switch {
	case verifier == "" && r.client.PKCEOptional:
		challenge = "" // good only for a code that was issued without one
	case oauth.ValidVerifier(verifier):
		challenge = oauth.S256(verifier)
	}
	grant, err := d.redeem(r.ctx, code, store.Redemption{
		CodeHash: oauth.Hash(code), ClientID: r.client.ID, RedirectURI: redirectURI, CodeChallenge: challenge,
		Possession: r.possession(), Assertion: r.assertion(),
	})
	if err != nil {
		refusal := oauth.New(oauth.InvalidGrant, "%s", codeRefused).Slugged(oauth.SlugCodeRefused)
		// Order: the try has burned the code (PKCE-06); only then is it said that
		// the verifier was not sent at all.
		if verifier == "" && challenge == noChallenge {
			refusal = missing("code_verifier")
		}
		return answer{}, d.refuseGrant(err, refusal)
	}
	return d.mint(r, grant, grant.Scopes)
}

// redeem exchanges a code that is kept, or one that carries its grant.
func (d *Door) redeem(ctx context.Context, code string, r store.Redemption) (store.Grant, error) {
	if promised, ours := d.deps.Minter.ParsePromisedCode(code); ours {
		return d.deps.Grants.RedeemPromised(ctx, promised, r)
	}
	return d.deps.Grants.RedeemCode(ctx, r)
}

// refuseGrant answers what the store refused with one text for all reasons
// (TK-30), after this process has learnt of what was ended. A store that could
// not be asked has refused nothing: its error comes back as it is.
func (d *Door) refuseGrant(err error, refusal *oauth.Error) error {
	if errors.Is(err, store.ErrReplayed) {
		return clientauth.Replayed()
	}
	if errors.Is(err, store.ErrProofReplayed) {
		return dpop.Replayed()
	}
	// Order: this process knows what was ended before the caller hears of it; other
	// processes follow the feed.
	var over *store.EndedError
	if errors.As(err, &over) {
		d.deps.Ended(over.GrantID)
	}
	for _, refused := range []error{store.ErrNotFound, store.ErrMismatch, store.ErrExpired, store.ErrConsumed, store.ErrRevoked} {
		if errors.Is(err, refused) {
			return refusal.Because(err)
		}
	}
	return err
}
