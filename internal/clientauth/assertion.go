package clientauth

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// assertionType is the one client_assertion_type (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	// maxAssertion bounds an assertion, in bytes, before anything of it is read.
	maxAssertion = 8 << 10
	maxTokenID   = 256
	// longestAhead is how far exp may lie ahead (SMART App Launch 2.2
	// client-confidential-asymmetric: five minutes).
	longestAhead = 5 * time.Minute
	// skew is how much a client's clock may be ahead of ours.
	skew = 30 * time.Second
	// oldest is how old iat may say that an assertion is.
	oldest = 10 * time.Minute
)

// assertion is a client assertion whose form and claims are good for this server
// and this moment. Nothing of it is proven before its signature is.
type assertion struct {
	text           string
	payload        []byte
	clientID       store.ClientID
	kid, algorithm string
	keySetURL      string // jku, empty when not sent
	tokenID        string
	expires        time.Time
}

// header are the members that are looked at (RFC 7515 §4.1). Those that would bring
// a key or another meaning along are refused; others are ignored, as the RFC says.
type header struct {
	Algorithm string         `json:"alg"`
	Type      string         `json:"typ"`
	KeyID     string         `json:"kid"`
	KeySetURL *string        `json:"jku"`
	Key       jsontext.Value `json:"jwk"`
	CertURL   jsontext.Value `json:"x5u"`
	CertChain jsontext.Value `json:"x5c"`
	Critical  jsontext.Value `json:"crit"`
}

// assertionClaims are those of an assertion (RFC 7523 §3). Times are read apart: a
// missing one differs from zero.
type assertionClaims struct {
	Issuer    string         `json:"iss"`
	Subject   string         `json:"sub"`
	Audience  jsontext.Value `json:"aud"`
	Expires   jsontext.Value `json:"exp"`
	NotBefore jsontext.Value `json:"nbf"`
	IssuedAt  jsontext.Value `json:"iat"`
	TokenID   string         `json:"jti"`
}

var b64 = base64.RawURLEncoding.Strict()

// readAssertion checks form, header and claims. An error is a sentence for the
// client's developer: it speaks of the assertion alone, never of what is registered,
// so a stranger learns nothing by it.
func readAssertion(text string, audiences []string, now time.Time) (assertion, error) {
	if len(text) > maxAssertion || strings.Count(text, ".") != 2 {
		return assertion{}, errors.New("it is a signed JWT in compact form, of three parts and at most 8 kB")
	}
	parts := strings.Split(text, ".")
	a := assertion{text: text}
	if err := a.readHeader(parts[0]); err != nil {
		return assertion{}, err
	}
	payload, err := b64.DecodeString(parts[1])
	if err != nil || !oauth.IsCompactJWS(text) {
		return assertion{}, errors.New("its parts are base64url without padding, and it has a signature")
	}
	a.payload = payload
	if err := a.readClaims(audiences, now); err != nil {
		return assertion{}, err
	}
	return a, nil
}

// readHeader judges the JOSE header (SMART App Launch 2.2
// client-confidential-asymmetric, table of header values).
func (a *assertion) readHeader(part string) error {
	raw, err := b64.DecodeString(part)
	var h header
	if err != nil || oauth.ReadJSON(raw, &h) != nil {
		return errors.New("its header is not one JSON object with each member once, in base64url without padding")
	}
	switch {
	case !slices.Contains(clientkey.Algorithms(), h.Algorithm):
		return errors.New("its alg is " + strings.Join(clientkey.Algorithms(), ", "))
	case h.KeyID == "":
		return errors.New("its header needs kid, the name of the key in your key set")
	case h.Type != "" && !strings.EqualFold(h.Type, "JWT") && h.Type != "client-authentication+jwt":
		return errors.New("its typ is JWT") // Divergence: left out is tolerated, clients that are in wide use do
	case h.Key != nil || h.CertURL != nil || h.CertChain != nil:
		return errors.New("its header brings no key: register keys, and send kid")
	case h.Critical != nil: // RFC 7515 §4.1.11: nothing that must be understood is
		return errors.New("its header has no crit")
	}
	a.kid, a.algorithm = h.KeyID, h.Algorithm
	if h.KeySetURL != nil {
		if a.keySetURL = *h.KeySetURL; a.keySetURL == "" {
			return errors.New("its jku is the registered jwks_uri, or left out")
		}
	}
	return nil
}

// readClaims judges the claims; each that is required is (security E-11).
func (a *assertion) readClaims(audiences []string, now time.Time) error {
	var c assertionClaims
	if err := oauth.ReadJSON(a.payload, &c); err != nil {
		return errors.New("its claims are not one JSON object with each member once, texts and numbers where they belong")
	}
	switch {
	case c.Issuer == "" || c.Issuer != c.Subject: // RFC 7523 §3: both are the client
		return errors.New("its iss and sub are both your client_id")
	case !oneOf(c.Audience, audiences): // RFC 7523 §3; one value, so that it is good at one server
		return errors.New("its aud is the token endpoint of this server, or the issuer, and nothing else")
	case c.TokenID == "" || len(c.TokenID) > maxTokenID:
		return errors.New("it needs jti, a text of at most 256 bytes that is new each time")
	}
	a.clientID, a.tokenID = store.ClientID(c.Issuer), c.TokenID
	return a.readTimes(c, now)
}

// issuerOf is the client that an assertion says it is of, before anything of it is
// judged; empty: none that can be read.
func issuerOf(text string) string {
	parts := strings.SplitN(text, ".", 3)
	if len(text) > maxAssertion || len(parts) != 3 {
		return ""
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	payload, err := b64.DecodeString(parts[1])
	if err != nil || oauth.ReadJSON(payload, &c) != nil {
		return ""
	}
	return c.Issuer
}

// readTimes: exp in the future and at most five minutes ahead; nbf and iat, when they
// are there, make sense (CAUTH-18, CAUTH-19).
func (a *assertion) readTimes(c assertionClaims, now time.Time) error {
	expires, ok := oauth.NumericDate(c.Expires)
	switch {
	case !ok:
		return errors.New("it needs exp, a number of seconds since 1970")
	case !now.Before(expires):
		return errors.New("its exp is over: check the clock, and make an assertion for each request")
	case expires.Sub(now) > longestAhead+skew:
		return errors.New("its exp is more than five minutes ahead")
	}
	if c.NotBefore != nil {
		if from, ok := oauth.NumericDate(c.NotBefore); !ok || from.Sub(now) > skew {
			return errors.New("its nbf lies ahead: check the clock")
		}
	}
	if c.IssuedAt != nil {
		if at, ok := oauth.NumericDate(c.IssuedAt); !ok || at.Sub(now) > skew || now.Sub(at) > oldest {
			return errors.New("its iat lies ahead or more than ten minutes back: check the clock")
		}
	}
	a.expires = expires
	return nil
}

// oneOf reports whether aud is one of ours, as a text or as a list of one.
func oneOf(v jsontext.Value, ours []string) bool {
	var list []string
	switch v.Kind() {
	case '"':
		list = make([]string, 1)
		if json.Unmarshal(v, &list[0]) != nil {
			return false
		}
	case '[':
		if json.Unmarshal(v, &list) != nil {
			return false
		}
	}
	return len(list) == 1 && slices.Contains(ours, list[0])
}
