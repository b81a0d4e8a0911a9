package flow

import (
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

// MaySkipApproval reports whether a person's wish not to be asked again may be
// followed: never for a public client whose redirect somebody else on the device
// could receive (RFC 8252 §8.6, CONS-15).
func MaySkipApproval(client store.Client, redirectURI string) bool {
	if redirectURI == store.OutOfBand {
		return false
	}
	return !client.Public() || strings.HasPrefix(redirectURI, "https://")
}

// Host is the host of a redirect URI, or its scheme when it has none.
func Host(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || u.Host == "" {
		scheme, _, _ := strings.Cut(redirectURI, ":")
		return scheme
	}
	return u.Host
}
