package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/smart"
)

// clientCredentials gives a backend service an access token of its own (RFC 6749
// §4.4; SMART App Launch 2.2 backend-services). There is no refresh token, no ID token
// and no launch context (RFC 6749 §4.4.3).
func (d *Door) clientCredentials(r *request) (answer, error) {
	// SMART App Launch 2.2 backend-services: asymmetric authentication only.
	if r.client.AuthMethod != store.AuthPrivateKeyJWT {
		return answer{}, oauth.New(oauth.UnauthorizedClient, "client_credentials is for clients that authenticate by private_key_jwt").Slugged(oauth.SlugClientNeedsKey)
	}
	scopes, refused := d.systemScopes(r.form.Get("scope"), r.client.Scope)
	if refused != nil {
		return answer{}, refused
	}
	grant, err := d.deps.Grants.StandingGrant(r.ctx, store.Standing{
		ID: d.deps.NewGrantID(), ClientID: r.client.ID, Audience: d.deps.FHIRBase, Proof: r.spentProof(), Assertion: r.assertion(),
	})
	switch {
	case errors.Is(err, store.ErrReplayed):
		return answer{}, clientauth.Replayed()
	case errors.Is(err, store.ErrProofReplayed):
		return answer{}, dpop.Replayed()
	case errors.Is(err, store.ErrRevoked): // disabled between its proof and this
		return answer{}, oauth.New(oauth.UnauthorizedClient, "This client may not be given access now").Slugged(oauth.SlugClientDisabled).Because(err)
	case err != nil:
		return answer{}, err
	}
	access, err := d.deps.Minter.MintSystem(grant, scopes, r.shown)
	if err != nil {
		return answer{}, fmt.Errorf("minting an access token: %w", err)
	}
	r.issued(grant, access.ID)
	return answer{
		AccessToken: access.Text, TokenType: string(access.Type), ExpiresIn: int64(access.ExpiresIn.Seconds()), Scope: strings.Join(scopes, " "),
	}, nil
}

// systemScopes are what was asked for, within what is registered, within what is
// offered; whose records are reached, access decides for each request (BS-02, BS-03, SCOPE-23; security TK-26: narrowed, and told in scope). A
// scope that is not of the system level refuses the whole request: it could only be
// a mistake.
func (d *Door) systemScopes(asked, registered string) ([]string, *oauth.Error) {
	wrong := func(slug oauth.Slug, text string) *oauth.Error {
		return oauth.New(oauth.InvalidScope, "%s", text).About("scope").Slugged(slug)
	}
	if asked == "" {
		return nil, wrong(oauth.SlugScopeMissing, "scope is missing: name the system/ scopes that you need")
	}
	set, err := smart.ParseScopes(asked)
	if err != nil {
		return nil, wrong(oauth.SlugScopeMalformed, "scope is a list of scopes separated by single spaces")
	}
	others := slices.ContainsFunc(set.Clinical(), func(s smart.Scope) bool { return s.Level() != smart.LevelSystem })
	if others || len(set.Clinical()) != len(set.Strings()) {
		return nil, wrong(oauth.SlugScopeNotSystem, "A backend service asks for system/ scopes only")
	}
	within, err := smart.ParseScopes(registered)
	if err != nil {
		return nil, wrong(oauth.SlugScopeNotAllowed, "Nothing that was asked for may be given to this client")
	}
	granted := d.deps.Offered(smart.Allowed(set, within)).Strings()
	switch {
	case len(granted) == 0:
		return nil, wrong(oauth.SlugScopeNotAllowed, "Nothing that was asked for may be given to this client: only what is offered, within the registered scopes")
	case !tokens.FitsToken(granted):
		return nil, wrong(oauth.SlugScopeTooMany, "Ask for fewer scopes at once")
	}
	return granted, nil
}
