package tokens

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/dpop"
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
	// Type says how it is presented: DPoP when it is bound to a key, else Bearer.
	Type oauth.Scheme
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
	// Confirmation is there when the token is bound to a key (RFC 9449 §6.1).
	Confirmation *Confirmation `json:"cnf,omitempty"`
}

// Confirmation says which key the holder of a token proves to have (RFC 7800 §3.1, RFC
// 9449 §6.1).
type Confirmation struct {
	Thumbprint string `json:"jkt"`
}

// confirmation binds a token to the key that a proof has shown; the zero proof binds
// to none.
func confirmation(p dpop.Proof) *Confirmation {
	if p.Thumbprint() == "" {
		return nil
	}
	return &Confirmation{p.Thumbprint()}
}

// MintAccess makes an access token of a grant with these scopes, bound to the key that
// the client has shown, if it has shown one. Scopes that do
// not fit are left out and looked up in the grant later, so they must then be all
// of the grant's: anything else is ErrTooManyScopes.
func (t *Tokens) MintAccess(g store.Grant, scopes []string, shown dpop.Proof) (AccessToken, error) {
	c := accessClaims{
		Subject: string(g.UserID), Audience: g.Audience, ClientID: string(g.ClientID), Scope: strings.Join(scopes, " "),
		GrantID: string(g.ID), Username: g.Username, Patient: g.Patient, Encounter: g.Encounter, FHIRUser: g.FHIRUser,
		Confirmation: confirmation(shown),
	}
	if !FitsToken(scopes) {
		if !slices.Equal(scopes, g.Scopes) {
			return AccessToken{}, ErrTooManyScopes
		}
		c.Scope = ""
	}
	return t.mint(c, t.deps.AccessLife)
}

// longestSystemLife is how long an access token of a backend service lives at most
// (SMART App Launch 2.2 backend-services: 300 seconds).
const longestSystemLife = 300 * time.Second

// MintSystem makes an access token of the standing grant of a backend service. The
// client is its subject (RFC 9068 §2.2); nobody is a user of it. Its scopes are its
// own, not the grant's, so they must fit. It is bound as by MintAccess.
func (t *Tokens) MintSystem(g store.Grant, scopes []string, shown dpop.Proof) (AccessToken, error) {
	switch {
	case g.UserID != "" || g.ClientID == "" || len(scopes) == 0:
		return AccessToken{}, errNotStanding
	case !FitsToken(scopes):
		return AccessToken{}, ErrTooManyScopes
	}
	return t.mint(accessClaims{
		Subject: string(g.ClientID), Audience: g.Audience, ClientID: string(g.ClientID), Scope: strings.Join(scopes, " "), GrantID: string(g.ID),
		Confirmation: confirmation(shown),
	}, min(longestSystemLife, t.deps.AccessLife))
}

// mint completes the claims and signs them.
func (t *Tokens) mint(c accessClaims, life time.Duration) (AccessToken, error) {
	now := t.deps.Now()
	c.Issuer, c.IssuedAt, c.Expires, c.TokenID = t.deps.Issuer, now.Unix(), now.Add(life).Unix(), oauth.RandomToken("")[:22]
	payload, err := json.Marshal(c)
	if err != nil {
		return AccessToken{}, err
	}
	text, err := t.deps.Ring.Sign(keys.UseAccess, keys.ES256, accessType, payload)
	made := AccessToken{text, c.TokenID, life, oauth.SchemeBearer}
	if c.Confirmation != nil { // RFC 9449 §5: token_type
		made.Type = oauth.SchemeDPoP
	}
	return made, err
}

var errNotStanding = errors.New("tokens: not the standing grant of a backend service, or no scopes")

// ErrTooManyScopes: a part of a grant's scopes is too long for a token.
var ErrTooManyScopes = errors.New("tokens: these scopes do not fit into a token and are not all of the grant's")

// FitsToken reports whether scopes can travel in a token itself.
func FitsToken(scopes []string) bool { return len(strings.Join(scopes, " ")) <= maxScopeClaim }
