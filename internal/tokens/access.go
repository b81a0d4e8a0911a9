package tokens

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// accessType is the typ of access tokens (RFC 9068 §2.1).
const accessType = "at+jwt"

// maxScopeClaim is how long the scopes in a token may be, in bytes; the token
// stays below 4 kB.
const maxScopeClaim = 2000

// AccessToken is a freshly minted access token.
type AccessToken struct {
	Text      string
	ID        string // jti
	ExpiresIn time.Duration
}

// accessClaims are the claims of an access token (RFC 9068 §2.2; the grant and
// the launch context under names of our own and of SMART).
type accessClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	Expires   int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	TokenID   string `json:"jti"`
	ClientID  string `json:"client_id"`
	Scope     string `json:"scope,omitempty"`
	GrantID   string `json:"gid"`
	Username  string `json:"username,omitempty"`
	Patient   string `json:"patient,omitempty"`
	Encounter string `json:"encounter,omitempty"`
	FHIRUser  string `json:"fhirUser,omitempty"` // Type/id, below the audience
}

// MintAccess makes an access token of a grant with these scopes. Scopes that do
// not fit are left out and looked up in the grant later, so they must then be all
// of the grant's: anything else is ErrTooManyScopes.
func (t *Tokens) MintAccess(g store.Grant, scopes []string) (AccessToken, error) {
	now := t.deps.Now()
	id := oauth.RandomToken("")[:22]
	c := accessClaims{
		Issuer: t.deps.Issuer, Subject: string(g.UserID), Audience: g.Audience,
		Expires: now.Add(t.deps.AccessLife).Unix(), IssuedAt: now.Unix(), TokenID: id,
		ClientID: string(g.ClientID), Scope: strings.Join(scopes, " "), GrantID: string(g.ID), Username: g.Username,
		Patient: g.Patient, Encounter: g.Encounter, FHIRUser: g.FHIRUser,
	}
	if !FitsToken(scopes) {
		if !slices.Equal(scopes, g.Scopes) {
			return AccessToken{}, ErrTooManyScopes
		}
		c.Scope = ""
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return AccessToken{}, err
	}
	text, err := t.deps.Ring.Sign(keys.UseAccess, keys.ES256, accessType, payload)
	return AccessToken{text, id, t.deps.AccessLife}, err
}

// ErrTooManyScopes: a part of a grant's scopes is too long for a token.
var ErrTooManyScopes = errors.New("tokens: these scopes do not fit into a token and are not all of the grant's")

// FitsToken reports whether scopes can travel in a token itself.
func FitsToken(scopes []string) bool { return len(strings.Join(scopes, " ")) <= maxScopeClaim }
