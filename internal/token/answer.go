package token

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/smart"
)

// answer is a successful token response (RFC 6749 §5.1; SMART App Launch 2.2,
// app launch: the launch context stands beside access_token).
type answer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	smart.LaunchContext
}

// mint makes the tokens of a grant; scopes are those of this access token.
func (d *Door) mint(r *request, g store.Grant, scopes []string) (answer, error) {
	access, err := d.deps.Minter.MintAccess(g, scopes, r.shown)
	if err != nil {
		return answer{}, fmt.Errorf("minting an access token: %w", err)
	}
	r.issued(g, access.ID)
	a := answer{
		AccessToken: access.Text, TokenType: string(access.Type), ExpiresIn: int64(access.ExpiresIn.Seconds()),
		Scope: strings.Join(scopes, " "),
	}
	if a.LaunchContext, err = launchContext(g); err != nil {
		return answer{}, err
	}
	// RFC 6749 §5.1, SMART scopes: a refresh token only for offline_access or
	// online_access, which the policy of the grant stands for.
	if g.Refresh.Kind != store.RefreshNone {
		a.RefreshToken = d.deps.Minter.RefreshToken(tokens.RefreshName{GrantID: g.ID, ClientID: g.ClientID, Generation: g.Generation})
	}
	// OpenID Connect Core §3.1.3.3: an ID token only when openid was granted.
	if smart.NewScopeSet(scopes).Has("openid") {
		g.Scopes = scopes // its claims, too, are those of this answer
		if a.IDToken, err = d.deps.Minter.MintID(g, r.client, access.Text); err != nil {
			return answer{}, fmt.Errorf("minting an ID token: %w", err)
		}
	}
	return a, nil
}

// launchContext is what the grant was given for; it never changes (CTX-31).
func launchContext(g store.Grant) (smart.LaunchContext, error) {
	var c smart.LaunchContext
	if g.LaunchContext != "" {
		if err := json.Unmarshal([]byte(g.LaunchContext), &c); err != nil {
			return c, fmt.Errorf("reading the launch context of a grant: %w", err)
		}
	}
	c.Patient, c.Encounter = g.Patient, g.Encounter
	return c, nil
}
