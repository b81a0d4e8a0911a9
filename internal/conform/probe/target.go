package probe

import (
	"errors"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

// Ways in which a client authenticates (RFC 7591 §2).
const (
	AuthNone  = "none"
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthJWT   = "private_key_jwt"
)

// Client is an app that is registered at the server under test.
type Client struct {
	ID, Secret, Method string
	RedirectURIs       []string
	// Scope to ask for; empty: what the server advertises.
	Scope string
	// Parameters are added to each authorization request.
	Parameters map[string]string
	// Key signs assertions; only with AuthJWT.
	Key *jose.JSONWebKey
}

// RedirectURI is the one that launches use.
func (c *Client) RedirectURI() string {
	if len(c.RedirectURIs) == 0 {
		return ""
	}
	return c.RedirectURIs[0]
}

// Target is the server under test, and what the operator has given for it. A nil
// client was not given.
type Target struct {
	Base    string   // FHIR base URL
	Origins []string // other origins that may be spoken to
	Person  agent.Person
	// OtherPatient is a patient that the person may not read.
	OtherPatient                              string
	Confidential, Public, Asymmetric, Backend *Client
	// DPoP is a public client that is registered with dpop_bound_access_tokens.
	DPoP *Client
}

// Primary is the client of most launches.
func (t Target) Primary() (*Client, error) {
	for _, c := range []*Client{t.Confidential, t.Asymmetric, t.Public} {
		if c != nil {
			return c, nil
		}
	}
	return nil, errors.New("no client was given")
}

// Second is a client beside the primary one.
func (t Target) Second() (*Client, error) {
	first, err := t.Primary()
	if err != nil {
		return nil, err
	}
	for _, c := range []*Client{t.Public, t.Asymmetric} {
		if c != nil && c != first {
			return c, nil
		}
	}
	return nil, errors.New("a second client was not given")
}

// Origin is the web origin that a client's pages come from, by its redirect URI.
func (c *Client) Origin() (string, error) {
	u, err := url.Parse(c.RedirectURI())
	if err != nil || !strings.HasPrefix(u.Scheme, "http") {
		return "", errors.New("the client has no redirect URI of a web origin")
	}
	return agent.Origin(u), nil
}
