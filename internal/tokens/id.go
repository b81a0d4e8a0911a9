package tokens

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// idType is the typ of ID tokens.
const idType = "JWT"

// idLife is how long an ID token may be used: it tells of a login that has just
// been asked about, and opens nothing (OIDC-09, JW-14).
const idLife = 10 * time.Minute

// idClaims are all claims that an ID token of ours can have (OpenID Connect Core
// §2; SMART App Launch 2.2, scopes: fhirUser). Nothing else of the person is in
// it (OIDC-17).
type idClaims struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Audience        string   `json:"aud"`
	Expires         int64    `json:"exp"`
	IssuedAt        int64    `json:"iat"`
	AuthTime        int64    `json:"auth_time,omitempty"`
	Nonce           string   `json:"nonce,omitempty"`
	AMR             []string `json:"amr,omitempty"`
	ACR             string   `json:"acr,omitempty"`
	AuthorizedParty string   `json:"azp"`
	AccessTokenHash string   `json:"at_hash,omitempty"`
	SID             string   `json:"sid,omitempty"` // Back-Channel Logout 1.0 §2.1
	FHIRUser        string   `json:"fhirUser,omitempty"`
	Profile         string   `json:"profile,omitempty"`
}

// MintID makes the ID token that goes with an access token. fhirUser is an
// absolute URL below the FHIR base.
func (t *Tokens) MintID(g store.Grant, client store.Client, accessToken string) (string, error) {
	now := t.deps.Now()
	c := idClaims{
		Issuer: t.deps.Issuer, Subject: string(g.UserID), Audience: string(client.ID), AuthorizedParty: string(client.ID),
		Expires: now.Add(idLife).Unix(), IssuedAt: now.Unix(), Nonce: g.Nonce, AMR: g.AMR, ACR: t.acr(g.AMR), SID: g.SID,
	}
	if !g.AuthTime.IsZero() {
		c.AuthTime = g.AuthTime.Unix()
	}
	if accessToken != "" { // OpenID Connect Core §3.1.3.6: left half of the hash
		sum := sha256.Sum256([]byte(accessToken))
		c.AccessTokenHash = b64.EncodeToString(sum[:16])
	}
	granted := smart.NewScopeSet(g.Scopes)
	if own := t.deps.FHIRBase + "/" + g.FHIRUser; g.FHIRUser != "" {
		if granted.Has(smart.FHIRUser) || granted.Has(smart.Profile) {
			c.FHIRUser = own
		}
		if granted.Has(smart.Profile) {
			c.Profile = own
		}
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return t.deps.Ring.Sign(keys.UseID, algorithmFor(client), idType, payload)
}

// algorithmFor is what a client has registered for what it reads.
func algorithmFor(client store.Client) string {
	if client.IDTokenAlg == keys.ES256 {
		return keys.ES256
	}
	return keys.RS256
}

// The contexts of SAML 2.0 say in one word what OpenID Connect leaves open (Core §2:
// acr is a URI that both sides know).
const (
	acrPassword          = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
	acrProtectedPassword = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
)

// acr is the context class of how somebody proved who they are (RFC 8176 values);
// empty when there is no word for it, so that nothing is claimed (LOGIN-24).
func (t *Tokens) acr(amr []string) string {
	switch {
	case len(amr) != 1 || amr[0] != "pwd":
		return ""
	case strings.HasPrefix(t.deps.Issuer, "https://"):
		return acrProtectedPassword
	}
	return acrPassword
}

// Hint is what an ID token of ours says: whom it is about, and which app got it.
type Hint struct {
	UserID   store.UserID
	ClientID store.ClientID
}

// Hint reads an ID token of ours, expired or not (OpenID Connect Core §3.1.2.1,
// RP-Initiated Logout §2 and §4: id_token_hint). False for any other text, a logout
// token too, and when the key that signed it is gone.
func (t *Tokens) Hint(text string) (Hint, bool) {
	payload, _, err := t.deps.Ring.Verify(keys.UseID, idType, text)
	if err != nil {
		return Hint{}, false
	}
	var c idClaims
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer != t.deps.Issuer || c.Subject == "" || c.Audience == "" {
		return Hint{}, false
	}
	return Hint{store.UserID(c.Subject), store.ClientID(c.Audience)}, true
}

// HintedUser is the subject of an ID token of ours, as Hint reads it.
func (t *Tokens) HintedUser(text string) (store.UserID, bool) {
	h, ours := t.Hint(text)
	return h.UserID, ours
}
