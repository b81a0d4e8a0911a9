package register

import (
	"crypto/subtle"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// InitialPrefix and managementPrefix tell the classes of tokens apart.
const (
	InitialPrefix    = "it_"
	managementPrefix = "ra_"
)

// TriesKey begins the name by which the tries of one network are counted, at whichever
// door they are made.
const TriesKey = "registration address"

// NewManagementToken gives a client its registration access token (RFC 7592 §1.2),
// which only the result holds.
func NewManagementToken(c *store.Client) string {
	token := oauth.RandomToken(managementPrefix)
	c.RegistrationHash = oauth.Hash(token)
	return token
}

// Manages reports whether a token is the registration access token of a client; a
// client without one is managed by nobody.
func Manages(c store.Client, token string) bool {
	same := subtle.ConstantTimeCompare(oauth.Hash(token), c.RegistrationHash) == 1
	return same && strings.HasPrefix(token, managementPrefix)
}
