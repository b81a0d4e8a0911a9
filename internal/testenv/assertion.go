package testenv

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// AssertionType is the client_assertion_type of a signed JWT (RFC 7523 §2.2).
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Assertion is a good one of the app for this moment; pairs of name and value change
// its claims.
func (c *Client) Assertion(changes ...any) string {
	c.t.Helper()
	claims := map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": c.env.URL + "/token", "exp": time.Now().Add(4 * time.Minute).Unix(), "jti": rand.Text(),
	}
	for i := 0; i+1 < len(changes); i += 2 {
		claims[changes[i].(string)] = changes[i+1] //nolint:forcetypeassert // names are texts
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		c.t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(c.Key.Algorithm), Key: c.Key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		c.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		c.t.Fatal(err)
	}
	return text
}

// Service asks for a token of a backend service.
func (c *Client) Service(scope string, extra ...string) Answer {
	c.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	for i := 0; i+1 < len(extra); i += 2 {
		form.Set(extra[i], extra[i+1])
	}
	return c.Post("/token", form)
}

// RegisterKeyed registers an app with the key that it proves itself by.
func (e *Env) RegisterKeyed(metadata map[string]any, key *jose.JSONWebKey) *Client {
	e.t.Helper()
	raw, err := json.Marshal(metadata)
	if err != nil {
		e.t.Fatal(err)
	}
	a := e.Admin(http.MethodPost, "/clients", string(raw))
	if a.Status != http.StatusCreated {
		e.t.Fatalf("registration: %d %s", a.Status, a.Raw)
	}
	return &Client{t: e.t, env: e, ID: a.String("client_id"), Key: key, Scope: a.String("scope")}
}
