package register

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// keyMetadata are the members of a client that proves itself by a key (RFC 7591 §2;
// OpenID Connect Dynamic Client Registration §2).
type keyMetadata struct {
	JWKS         jsontext.Value `json:"jwks,omitempty"`
	JWKSURI      string         `json:"jwks_uri,omitempty"`
	AssertionAlg string         `json:"token_endpoint_auth_signing_alg,omitempty"`
}

// oneForm is a key set without the white space that nobody means; null is none.
func oneForm(set jsontext.Value) jsontext.Value {
	if set.Kind() == 'n' {
		return nil
	}
	form := set.Clone()
	if form.Compact() != nil { // no JSON: judged as it is
		return set
	}
	return form
}

// maxJWKS bounds an inline key set, in bytes.
const maxJWKS = 64 << 10

// checkKeys: keys where they are used, given in one way, public and strong
// (CAUTH-22, CAUTH-26, CAUTH-27, CAUTH-28; RFC 7591 §2: never both).
func checkKeys(m *metadata) *oauth.Error {
	byKey := m.AuthMethod == string(store.AuthPrivateKeyJWT)
	switch {
	case !byKey && (len(m.JWKS) > 0 || m.JWKSURI != ""):
		return wrong(m.keyMember(), "for token_endpoint_auth_method private_key_jwt only")
	case !byKey && m.AssertionAlg != "":
		return wrong("token_endpoint_auth_signing_alg", "for token_endpoint_auth_method private_key_jwt only")
	case !byKey:
		return nil
	case len(m.JWKS) > 0 && m.JWKSURI != "":
		return wrong("jwks_uri", "give jwks_uri or jwks, not both")
	case len(m.JWKS) == 0 && m.JWKSURI == "":
		return wrong("jwks_uri", "private_key_jwt needs your public keys: jwks_uri, or jwks")
	case m.AssertionAlg != "" && !slices.Contains(clientkey.Algorithms(), m.AssertionAlg):
		return wrong("token_endpoint_auth_signing_alg", strings.Join(clientkey.Algorithms(), ", "))
	case len(m.JWKS) > maxJWKS:
		return wrong("jwks", "at most 64 kB")
	case len(m.JWKS) > 0:
		if err := clientkey.Check(m.JWKS); err != nil {
			return wrong("jwks", err.Error())
		}
	}
	return nil
}

func (m *metadata) keyMember() string {
	if m.JWKSURI != "" {
		return "jwks_uri"
	}
	return "jwks"
}

// reachable is what the server goes to.
const reachable = "an https URL of a public host on port 443 or 8443, without user name or fragment; an operator may allow others"

// checkKeyURL: one sentence for all causes, so that nobody learns what lies within
// reach of the server (attack DC-04).
func (r *Registrar) checkKeyURL(m *metadata) *oauth.Error {
	if m.JWKSURI == "" {
		return nil
	}
	if _, err := r.deps.Outbound.CheckURL(m.JWKSURI); err != nil {
		return wrong("jwks_uri", reachable).Because(err)
	}
	return nil
}
