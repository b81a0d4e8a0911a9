package trust

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/smart"
)

// Claims are all that is repeated of what another server says of its token (RFC 7662
// §2.2; SMART App Launch 2.2, token introspection).
type Claims struct {
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp"`
	IssuedAt  int64  `json:"iat,omitempty"`
	NotBefore int64  `json:"nbf,omitempty"`
	Subject   string `json:"sub,omitempty"`
	// Audience is the one that the operator has listed, of all that the token has.
	Audience string `json:"aud"`
	// Issuer is the listed one: what the other names mean, they mean there.
	Issuer   string `json:"iss"`
	TokenID  string `json:"jti,omitempty"`
	FHIRUser string `json:"fhirUser,omitempty"`
	// Confirmation is the key that the token is bound to (RFC 7800 §3.1).
	Confirmation map[string]string `json:"cnf,omitempty"`
	smart.LaunchContext
}

// Answer is what is known of a token. Only this package makes one that is active; the
// zero value is not.
type Answer struct{ claims *Claims }

// Active returns what is said of a token that is good now.
func (a Answer) Active() (Claims, bool) {
	if a.claims == nil {
		return Claims{}, false
	}
	return *a.claims, true
}

// said is what a server says of a token, in the token or in its answer.
type said struct {
	Active       bool              `json:"active"`
	Scope        string            `json:"scope"`
	ClientID     string            `json:"client_id"`
	Username     string            `json:"username"`
	TokenType    string            `json:"token_type"`
	TokenUse     string            `json:"token_use"`
	Kind         string            `json:"typ"`
	Expires      jsontext.Value    `json:"exp"`
	IssuedAt     jsontext.Value    `json:"iat"`
	NotBefore    jsontext.Value    `json:"nbf"`
	Subject      string            `json:"sub"`
	Audience     jsontext.Value    `json:"aud"`
	Issuer       string            `json:"iss"`
	TokenID      string            `json:"jti"`
	FHIRUser     string            `json:"fhirUser"`
	Confirmation map[string]string `json:"cnf"`
	smart.LaunchContext
}

// Why a token of a listed issuer is not active: for the log.
var (
	errIssuer   = errors.New("iss is another one")
	errAudience = errors.New("aud has not the audience that is listed")
	errExpired  = errors.New("exp is over, or missing")
	errAhead    = errors.New("iat or nbf lies ahead, or is no time")
	errKind     = errors.New("it is not an access token, or bound in a way that is not understood")
	errMissing  = errors.New("a claim that RFC 9068 requires is missing")
)

// skew is how much the clock of another server may be ahead of ours. exp is exact:
// the other side may be a little late, never too long (fail closed).
const skew = time.Minute

// judge is the rule for both kinds of servers: what is said must be of this issuer,
// for the listed audience, and good at this moment.
func (s *source) judge(c said, now time.Time) (Answer, error) {
	if c.Issuer != s.Name { // RFC 9068 §4: exactly
		return Answer{}, errIssuer
	}
	if !meantFor(c.Audience, s.Audience) {
		return Answer{}, errAudience
	}
	expires, ok := oauth.NumericDate(c.Expires)
	if !ok || !now.Before(expires) {
		return Answer{}, errExpired
	}
	issued, issuedOK := began(c.IssuedAt, now)
	from, fromOK := began(c.NotBefore, now)
	if !issuedOK || !fromOK {
		return Answer{}, errAhead
	}
	kind, ok := kindOf(c)
	if !ok {
		return Answer{}, errKind
	}
	return Answer{&Claims{
		Scope: c.Scope, ClientID: c.ClientID, Username: c.Username, TokenType: kind, Expires: expires.Unix(), IssuedAt: issued, NotBefore: from,
		Subject: c.Subject, Audience: s.Audience, Issuer: s.Name, TokenID: c.TokenID, FHIRUser: c.FHIRUser, Confirmation: c.Confirmation,
		LaunchContext: c.LaunchContext,
	}}, nil
}

// meantFor reads aud, a text or a list of texts (RFC 7519 §4.1.3).
func meantFor(v jsontext.Value, audience string) bool {
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
	return slices.Contains(list, audience)
}

// began reads a time that may be left out and must not lie ahead.
func began(v jsontext.Value, now time.Time) (int64, bool) {
	if v == nil {
		return 0, true
	}
	at, ok := oauth.NumericDate(v)
	return at.Unix(), ok && at.Sub(now) <= skew
}

// kindOf is the token_type of an access token, bound or not; false for anything else.
// Servers that answer about other tokens too say so in members of their own
// (token_use, typ).
func kindOf(c said) (string, bool) {
	for name, value := range c.Confirmation {
		if name != "jkt" && name != "x5t#S256" || value == "" { // RFC 9449 §6.1, RFC 8705 §3.1
			return "", false
		}
	}
	bound := c.Confirmation["jkt"] != ""
	if c.TokenUse != "" && c.TokenUse != "access_token" || c.Kind != "" && !bearer(c.Kind) && !dpop(c.Kind) {
		return "", false
	}
	switch {
	case bound && (c.TokenType == "" || bearer(c.TokenType) || dpop(c.TokenType)):
		return "DPoP", true
	case c.TokenType == "" || bearer(c.TokenType):
		return "Bearer", true
	}
	return "", false
}

func bearer(kind string) bool { return strings.EqualFold(kind, "Bearer") }

func dpop(kind string) bool { return strings.EqualFold(kind, "DPoP") }
