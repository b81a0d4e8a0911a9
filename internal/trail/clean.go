package trail

import (
	"net/url"
	"regexp"
	"strings"
)

// maxQuery bounds what is kept of a query, in bytes.
const maxQuery = 4 << 10

// credentials are parameters that no query of FHIR has, and that hold secrets.
var credentials = map[string]bool{
	"access_token": true, "refresh_token": true, "id_token": true, "id_token_hint": true, "token": true, "code_verifier": true,
	"client_secret": true, "client_assertion": true, "assertion": true, "password": true,
}

// signed is what a JWT looks like, and minted what this server's own handles and tokens
// do (oauth.RandomToken).
var signed, minted = regexp.MustCompile(`ey[A-Za-z0-9_-]{8,}\.`), regexp.MustCompile(`\b[a-z]{2,8}_[A-Za-z0-9_-]{22,}`)

// Clean is a query without what is, or looks like, a credential, and without the sealed
// position of a page (AUD-05, AUD-07). All else stays as it was sent, malicious or not.
func Clean(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		plainName, plainValue := plain(name), plain(value)
		switch {
		case plainName == "_page":
			pairs[i] = "_page=sealed"
		case credentials[strings.ToLower(plainName)] || secret(plainValue):
			pairs[i] = name + "=removed"
		case secret(plainName):
			pairs[i] = "removed"
		}
	}
	query = strings.Join(pairs, "&")
	if len(query) > maxQuery {
		return query[:maxQuery]
	}
	return query
}

func secret(text string) bool { return signed.MatchString(text) || minted.MatchString(text) }

// plain undoes escapes as often as somebody may have made them.
func plain(text string) string {
	for range 3 {
		next, err := url.QueryUnescape(text)
		if err != nil || next == text {
			return text
		}
		text = next
	}
	return text
}
