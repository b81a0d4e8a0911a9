package testenv

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/dpop/dpoptest"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Client is an app: what it registered, and what it does with OAuth.
type Client struct {
	t           testing.TB
	env         *Env
	ID, Secret  string
	RedirectURI string
	Scope       string
	// InBody sends the secret in the body rather than by Basic.
	InBody bool
	// Key proves the app by an assertion, a new one for each request.
	Key *jose.JSONWebKey
	// Prover has the key that tokens are bound to: a new proof goes with each token
	// request, and with each request by Bound.
	Prover *dpoptest.Prover
}

// Client returns a registered app of the sandbox.
func (e *Env) Client(id string) *Client {
	e.t.Helper()
	for _, c := range e.File.Clients {
		if c.ClientID == id {
			found := &Client{t: e.t, env: e, ID: c.ClientID, Secret: c.Secret, Scope: c.Scope, Key: c.PrivateJWK}
			if len(c.RedirectURIs) > 0 {
				found.RedirectURI = c.RedirectURIs[0]
			}
			return found
		}
	}
	e.t.Fatalf("no client %s", id)
	return nil
}

// At is the same app, speaking to another process of the same server.
func (c *Client) At(e *Env) *Client {
	other := *c
	other.env = e
	return &other
}

// Request is an authorization request with what the app must remember.
type Request struct {
	Values   url.Values
	Verifier string
	// Pushed is the request_uri in whose place the browser brings nothing else.
	Pushed string
}

// Request makes a complete request for a scope; extra pairs replace or, when
// empty, remove parameters.
func (c *Client) Request(scope string, extra ...string) Request {
	verifier := oauth.RandomToken("")
	v := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "scope": {scope}, "state": {rand.Text()},
		"aud": {c.env.FHIR}, "code_challenge": {oauth.S256(verifier)}, "code_challenge_method": {"S256"}, "nonce": {rand.Text()},
	}
	for i := 0; i+1 < len(extra); i += 2 {
		if extra[i+1] == "" {
			v.Del(extra[i])
		} else {
			v.Set(extra[i], extra[i+1])
		}
	}
	return Request{Values: v, Verifier: verifier}
}

// URL is the request as a link.
func (r Request) URL() string {
	if r.Pushed != "" {
		return "/authorize?" + url.Values{"client_id": {r.Values.Get("client_id")}, "request_uri": {r.Pushed}}.Encode()
	}
	return "/authorize?" + r.Values.Encode()
}

// Push sends a request ahead (RFC 9126).
func (c *Client) Push(r Request) Request {
	c.t.Helper()
	a := c.Post("/par", r.Values)
	if a.Status != http.StatusCreated || a.String("request_uri") == "" {
		c.t.Fatalf("pushing a request: %d %s", a.Status, a.Raw)
	}
	r.Pushed = a.String("request_uri")
	return r
}

// Answer is what the token endpoint said.
type Answer struct {
	Status int
	Header http.Header
	Body   map[string]any
	Raw    string
}

// String is a member of the answer.
func (a Answer) String(name string) string {
	s, _ := a.Body[name].(string)
	return s
}

// Scopes are the granted scopes.
func (a Answer) Scopes() []string { return strings.Fields(a.String("scope")) }

// Has reports whether a scope was granted.
func (a Answer) Has(scope string) bool { return slices.Contains(a.Scopes(), scope) }

// Post sends a form to an endpoint with the credentials of the app.
func (c *Client) Post(path string, form url.Values) Answer {
	c.t.Helper()
	form = cloneValues(form)
	if c.Key != nil && !form.Has("client_assertion") {
		form.Set("client_assertion_type", AssertionType)
		form.Set("client_assertion", c.Assertion())
	}
	basic := c.Secret != "" && !c.InBody
	if !basic && form.Get("client_id") == "" {
		form.Set("client_id", c.ID)
	}
	if c.Secret != "" && c.InBody {
		form.Set("client_secret", c.Secret)
	}
	req, err := http.NewRequest(http.MethodPost, c.env.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic {
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	if c.Prover != nil && path == "/token" {
		c.Prover.Sign(req, "")
	}
	return c.keepNonce(c.env.Send(req))
}

// Bound sends a request with an access token under the scheme DPoP and a new proof.
func (c *Client) Bound(method, target, token string) Answer {
	c.t.Helper()
	req, err := http.NewRequest(method, target, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Prover.Sign(req, token)
	return c.keepNonce(c.env.Send(req))
}

// keepNonce has the next proof say what the server wants to hear.
func (c *Client) keepNonce(a Answer) Answer {
	if nonce := a.Header.Get("DPoP-Nonce"); nonce != "" && c.Prover != nil {
		c.Prover.Nonce = nonce
	}
	return a
}

func cloneValues(v url.Values) url.Values {
	out := url.Values{}
	for k, list := range v {
		out[k] = slices.Clone(list)
	}
	return out
}

// Send sends a request as it is and reads a JSON answer.
func (e *Env) Send(req *http.Request) Answer {
	e.t.Helper()
	return e.sendBy(e.client, req)
}

func (e *Env) sendBy(c *http.Client, req *http.Request) Answer {
	e.t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(raw)}
	_ = json.Unmarshal(raw, &a.Body) // an answer that is no object has no members
	return a
}

// Get reads from the FHIR API with an access token.
func (e *Env) Get(token, path string, header ...string) Answer {
	e.t.Helper()
	req, err := http.NewRequest(http.MethodGet, e.FHIR+"/"+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return e.Send(req)
}

// Exchange redeems a code.
func (c *Client) Exchange(r Request, code string) Answer {
	c.t.Helper()
	return c.Post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.Values.Get("redirect_uri")}, "code_verifier": {r.Verifier},
	})
}

// Refresh uses a refresh token.
func (c *Client) Refresh(token string, extra ...string) Answer {
	c.t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	for i := 0; i+1 < len(extra); i += 2 {
		form.Set(extra[i], extra[i+1])
	}
	return c.Post("/token", form)
}

// Code goes through the pages as somebody who shares everything, and returns the
// code; patient is chosen when a page asks.
func (b *Browser) Code(c *Client, r Request, username, patient string) string {
	b.t.Helper()
	p := b.Open(r.URL())
	for range 6 {
		switch {
		case p.Left != nil:
			if p.Left.Query().Get("state") != r.Values.Get("state") {
				b.t.Fatalf("state came back as %q", p.Left.Query().Get("state"))
			}
			return p.Left.Query().Get("code")
		case p.HasButton("action", "sign-in"):
			p = b.SignIn(p, username)
		case p.HasButton("decision", "allow"):
			p = b.Submit(p, "decision", "allow", nil)
		case p.HasButton("action", "choose"):
			p = b.Submit(p, "action", "choose", url.Values{"patient": {patient}})
		case len(p.Inputs("patient")) > 0:
			p = b.Submit(p, "action", "continue", url.Values{"patient": {patient}})
		default:
			b.t.Fatalf("an unexpected page: %s\n%s", p.Describe(), p.Body)
		}
	}
	b.t.Fatal("no code after six pages")
	return ""
}

// Token goes all the way to a token answer.
func (e *Env) Token(client, scope, username, patient string) (*Client, Answer) {
	e.t.Helper()
	c := e.Client(client)
	r := c.Request(scope)
	code := e.Browser().Code(c, r, username, patient)
	a := c.Exchange(r, code)
	if a.Status != http.StatusOK {
		e.t.Fatalf("token endpoint: %d %s", a.Status, a.Raw)
	}
	return c, a
}
