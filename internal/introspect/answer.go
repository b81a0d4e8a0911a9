package introspect

import (
	"context"
	"errors"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/internal/trust"
	"github.com/emberlatch/emberlatch/smart"
)

// inactive is the whole answer about a token that is not good (RFC 7662 §2.2).
type inactive struct {
	Active bool `json:"active"`
}

// active is the answer about a good token (RFC 7662 §2.2; SMART App Launch 2.2,
// token introspection: the launch context and fhirUser are repeated).
type active struct {
	Active    bool         `json:"active"`
	Scope     string       `json:"scope"`
	ClientID  string       `json:"client_id"`
	Username  string       `json:"username,omitempty"`
	TokenType oauth.Scheme `json:"token_type"`
	// Confirmation is the key that the token is bound to (RFC 9449 §6.2).
	Confirmation *tokens.Confirmation `json:"cnf,omitempty"`
	Expires      int64                `json:"exp"`
	IssuedAt     int64                `json:"iat"`
	Subject      string               `json:"sub,omitempty"`
	Audience     string               `json:"aud"`
	Issuer       string               `json:"iss"`
	TokenID      string               `json:"jti"`
	FHIRUser     string               `json:"fhirUser,omitempty"`
	smart.LaunchContext
}

// otherActive is the answer about a good token of another server: what that server says
// of it, under the name of that server. Nothing of ours is added.
type otherActive struct {
	Active bool `json:"active"`
	trust.Claims
}

func (d *Door) active(ctx context.Context, t tokens.Verified) (*active, *oauth.Error) {
	about, err := d.launchContext(ctx, t)
	if err != nil {
		return nil, tokens.BearerError(errors.Join(tokens.ErrUnavailable, err))
	}
	a := &active{
		Active: true, Scope: strings.Join(t.Scopes(), " "), ClientID: string(t.ClientID()), Username: t.Username(),
		TokenType: t.Type(), Confirmation: t.Confirmation(), Expires: t.ExpiresAt().Unix(), IssuedAt: t.IssuedAt().Unix(), Subject: t.Subject(),
		Audience: t.Audience(), Issuer: d.deps.Issuer, TokenID: t.TokenID(), LaunchContext: about,
	}
	if t.FHIRUser() != "" {
		a.FHIRUser = d.deps.FHIRBase + "/" + t.FHIRUser()
	}
	return a, nil
}

// launchContext is what the token response has said (INTRO-09): patient and
// encounter as the token has them, the rest as the grant does. A token without a
// stored grant has no more.
func (d *Door) launchContext(ctx context.Context, t tokens.Verified) (smart.LaunchContext, error) {
	c, err := d.contexts.of(ctx, t.GrantID())
	c.Patient, c.Encounter = t.Patient(), t.Encounter()
	return c, err
}
