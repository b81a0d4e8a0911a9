package oauth

import (
	"encoding/base64"
	"strings"
)

// IsCompactJWS reports whether a text has the form of a JWS (RFC 7515 §3.1) in its one
// spelling: three parts of base64url without padding. Line breaks and spare bits at the
// end of a part, which base64 readers pass over, would give one signature many texts.
func IsCompactJWS(text string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || strings.ContainsAny(text, "\r\n") {
		return false
	}
	for _, p := range parts {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(p); err != nil || p == "" {
			return false
		}
	}
	return true
}
