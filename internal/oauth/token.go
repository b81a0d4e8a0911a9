package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
)

// Grant types that exist here (RFC 6749 §1.3.1, §1.3.4, §6). There is no other.
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// secrets are the classes of what this server makes for one holder: code, refresh token,
// launch value, initial and registration access token, references, sessions and half ones.
var secrets = []string{"ac_", "rt_", "la_", "it_", "ra_", "pr_", "rq_", "se_", "hs_", "br_"}

// IsSecret reports whether a text begins like a secret of this server, which is shown
// to nobody else. Access tokens are none of them: they say whose they are.
func IsSecret(text string) bool {
	return slices.ContainsFunc(secrets, func(class string) bool { return strings.HasPrefix(text, class) })
}

// RandomToken returns a token of 256 random bits behind the prefix of its class,
// in characters that need no escaping anywhere (RFC 6749 §10.10).
func RandomToken(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// Hash is what is stored of a token: SHA-256 of its full text, prefix included,
// so that a token of one class is never found as another.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
