package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/smart"
)

const refreshRefused = "The refresh token is not valid: unknown, used, expired, revoked, or issued to another client"

// refreshToken uses a refresh token (RFC 6749 §6).
func (d *Door) refreshToken(r *request) (answer, error) {
	text := r.form.Get("refresh_token")
	if text == "" {
		return answer{}, missing("refresh_token")
	}
	id, generation, ours := d.deps.Minter.ParseRefreshToken(text)
	if !ours {
		return answer{}, oauth.New(oauth.InvalidGrant, refreshRefused)
	}
	// Order: a scope that was never granted is refused before the token is used,
	// so that the client can ask again (RT-09).
	if asked := r.form.Get("scope"); asked != "" {
		if err := d.checkNarrowing(r, id, asked); err != nil {
			return answer{}, err
		}
	}
	used, err := d.deps.Grants.RefreshGrant(r.ctx, store.Refresh{
		GrantID: id, ClientID: r.client.ID, Generation: generation, Grace: d.deps.RefreshGrace, Assertion: r.assertion(),
	})
	if err != nil {
		return answer{}, d.refuseGrant(r, err, oauth.New(oauth.InvalidGrant, refreshRefused))
	}
	grant := used.Grant
	if err := d.stillEntitled(r, grant); err != nil {
		return answer{}, err
	}
	scopes := grant.Scopes
	if asked := r.form.Get("scope"); asked != "" {
		if scopes, err = narrow(grant.Scopes, asked); err != nil {
			return answer{}, err
		}
	}
	grant.Nonce = "" // OpenID Connect Core §12.2: no nonce in a refreshed ID token
	return d.mint(grant, r.client, scopes)
}

// checkNarrowing looks at the grant without touching it.
func (d *Door) checkNarrowing(r *request, id store.GrantID, asked string) error {
	grant, err := d.deps.Grants.Grant(r.ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && grant.ClientID != r.client.ID {
		return oauth.New(oauth.InvalidGrant, refreshRefused)
	}
	if err != nil {
		return fmt.Errorf("loading the grant of a refresh token: %w", err)
	}
	_, err = narrow(grant.Scopes, asked)
	return err
}

// narrow checks that every scope asked for is inside of what was granted, in
// its own words or as a part of something wider (RT-06 to RT-10). All of them in
// another order are the grant's own list; a part of them must fit into a token
// (AT-09).
func narrow(granted []string, asked string) ([]string, error) {
	set := smart.NewScopeSet(granted)
	literal := map[string]bool{}
	for _, s := range granted {
		literal[s] = true
	}
	var kept []string
	seen := map[string]bool{}
	for _, text := range strings.Split(asked, " ") {
		if text == "" || seen[text] {
			continue
		}
		seen[text] = true
		scope, err := smart.ParseScope(text)
		if !literal[text] && (err != nil || !set.Covers(scope)) {
			return nil, oauth.New(oauth.InvalidScope, "A scope was asked for that was not granted").About("scope")
		}
		kept = append(kept, text)
	}
	if len(kept) == 0 {
		return nil, oauth.New(oauth.InvalidScope, "No scope was asked for").About("scope")
	}
	switch {
	case len(kept) == len(literal) && !slices.ContainsFunc(kept, func(s string) bool { return !literal[s] }):
		return granted, nil
	case !tokens.FitsToken(kept):
		return nil, oauth.New(oauth.InvalidScope, "Ask for fewer scopes, or leave scope out to get all that were granted").About("scope")
	}
	return kept, nil
}

// stillEntitled refuses when the user has lost the patient since (RT-27, RT-28).
func (d *Door) stillEntitled(r *request, g store.Grant) error {
	ok, err := d.deps.Entitled(r.ctx, g)
	if err != nil {
		return fmt.Errorf("asking whom the user reaches: %w", err)
	}
	if ok {
		return nil
	}
	if _, err := d.deps.Revoke(r.ctx, store.Revocation{GrantID: g.ID, Reason: "patient out of reach", Actor: "server"}); err != nil {
		return err
	}
	if err := d.deps.Settle(r.ctx); err != nil {
		return err
	}
	return oauth.New(oauth.InvalidGrant, refreshRefused)
}
