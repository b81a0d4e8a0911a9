package introspect

import (
	"strings"

	"github.com/emberlatch/emberlatch/internal/tokens"
)

// inactive is the whole answer about a token that is not good (RFC 7662 §2.2).
type inactive struct {
	Active bool `json:"active"`
}

// active is the answer about a good token (RFC 7662 §2.2; SMART App Launch 2.2,
// token introspection: the launch context and fhirUser are repeated).
type active struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope"`
	ClientID  string `json:"client_id"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type"`
	Expires   int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	TokenID   string `json:"jti"`
	Patient   string `json:"patient,omitempty"`
	Encounter string `json:"encounter,omitempty"`
	FHIRUser  string `json:"fhirUser,omitempty"`
}

func (d *Door) active(t tokens.Verified) active {
	a := active{
		Active: true, Scope: strings.Join(t.Scopes(), " "), ClientID: string(t.ClientID()), Username: t.Username(),
		TokenType: "Bearer", Expires: t.ExpiresAt().Unix(), IssuedAt: t.IssuedAt().Unix(), Subject: string(t.UserID()),
		Audience: t.Audience(), Issuer: d.deps.Issuer, TokenID: t.TokenID(), Patient: t.Patient(), Encounter: t.Encounter(),
	}
	if t.FHIRUser() != "" {
		a.FHIRUser = d.deps.FHIRBase + "/" + t.FHIRUser()
	}
	return a
}
