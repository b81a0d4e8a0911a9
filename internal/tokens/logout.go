package tokens

import (
	"encoding/json"
	"time"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// logoutType is the typ of logout tokens: neither we nor an app takes one for a token
	// of another kind (Back-Channel Logout 1.0 §2.4, RFC 8725 §3.11).
	logoutType = "logout+jwt"
	// logoutLife: a token is made for each attempt to deliver it (§2.4: two minutes).
	logoutLife = 2 * time.Minute
	// logoutEvent says what the token is about.
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

// logoutClaims are all claims of a logout token (§2.4): sub and sid both, and never a
// nonce.
type logoutClaims struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub"`
	Audience string              `json:"aud"`
	IssuedAt int64               `json:"iat"`
	Expires  int64               `json:"exp"`
	TokenID  string              `json:"jti"`
	SID      string              `json:"sid"`
	Events   map[string]struct{} `json:"events"`
}

// MintLogout makes the token that tells a client of the end of a session, signed as
// its ID tokens are (§2.4).
func (t *Tokens) MintLogout(client store.Client, user store.UserID, sid string) (string, error) {
	now := t.deps.Now()
	payload, err := json.Marshal(logoutClaims{
		Issuer: t.deps.Issuer, Subject: string(user), Audience: string(client.ID), IssuedAt: now.Unix(), Expires: now.Add(logoutLife).Unix(),
		TokenID: oauth.RandomToken("")[:22], SID: sid, Events: map[string]struct{}{logoutEvent: {}},
	})
	if err != nil {
		return "", err
	}
	return t.deps.Ring.Sign(keys.UseID, algorithmFor(client), logoutType, payload)
}
