package probe

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

// Request is an authorization request, and what the app must remember of it.
type Request struct {
	Client   *Client
	Method   string
	Values   url.Values
	Verifier string
	// Why is a word for a person who is asked by hand.
	Why string
}

// Challenge is the S256 challenge of a verifier (RFC 7636 §4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// NewVerifier makes a code verifier of 52 characters (RFC 7636 §4.1).
func NewVerifier() string { return strings.ToLower(rand.Text() + rand.Text()) }

// Request makes a complete request; pairs of changes replace a parameter or, when
// empty, leave it out.
func (p *Probe) Request(c *Client, scope, why string, changes ...string) Request {
	verifier := NewVerifier()
	v := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURI()}, "scope": {scope},
		"state": {rand.Text()}, "aud": {p.Base}, "code_challenge": {Challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	if slices.Contains(strings.Fields(scope), "openid") {
		v.Set("nonce", rand.Text())
	}
	for name, value := range c.Parameters {
		v.Set(name, value)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			v.Del(changes[i])
		} else {
			v.Set(changes[i], changes[i+1])
		}
	}
	return Request{c, http.MethodGet, v, verifier, why}
}

// ErrByHand: whether the server refuses would have to be seen by a human.
var ErrByHand = errors.New("the server shows a page, and only a script can see whether it refuses later")

// visit is the request for a person in a browser.
func (p *Probe) visit(ctx context.Context, b *agent.Browser, r Request) (agent.Visit, error) {
	endpoint, err := p.Endpoint(ctx, "authorization_endpoint")
	if err != nil {
		return agent.Visit{}, err
	}
	return agent.Visit{
		Browser: b, Method: r.Method, Endpoint: endpoint, Values: r.Values, RedirectURI: r.Values.Get("redirect_uri"), Why: r.Why,
	}, nil
}

// Open opens a request in a browser and touches nothing: the first page, or the
// redirect.
func (p *Probe) Open(ctx context.Context, b *agent.Browser, r Request) (agent.Page, error) {
	v, err := p.visit(ctx, b, r)
	if err != nil {
		return agent.Page{}, err
	}
	return v.Start(ctx)
}

// Attempt goes with a request as far as the server lets it: the person signs in
// and allows. A person who is stuck on a page has not got a code.
//
// Order: the main launch comes first. Where no launch succeeds, a refusal proves
// nothing.
func (p *Probe) Attempt(ctx context.Context, r Request) (agent.Page, error) {
	if err := p.control(ctx); err != nil {
		return agent.Page{}, err
	}
	page, err := p.Open(ctx, p.browser, r)
	if err != nil || !page.IsForm() {
		return page, err
	}
	if p.Person == nil || p.Person.ByHand() {
		return page, ErrByHand
	}
	v, err := p.visit(ctx, p.browser, r)
	if err != nil {
		return page, err
	}
	last, err := p.Person.Authorize(ctx, v)
	if err != nil && last.URL != nil && ctx.Err() == nil { // it is a page, and no code
		return last, nil
	}
	return last, err
}

// Authorize has the person allow a request, and returns the parameters that came
// back with the page.
func (p *Probe) Authorize(ctx context.Context, r Request) (url.Values, agent.Page, error) {
	if p.Person == nil {
		return nil, agent.Page{}, errors.New("no person was given who could sign in")
	}
	v, err := p.visit(ctx, p.browser, r)
	if err != nil {
		return nil, agent.Page{}, err
	}
	page, err := p.Person.Authorize(ctx, v)
	if page.Status == http.StatusTooManyRequests {
		return nil, page, ErrThrottled
	}
	if err != nil {
		return nil, page, err
	}
	p.Trail = append(p.Trail, page.Trail...)
	if page.Left == nil {
		return nil, page, fmt.Errorf("the server does not answer the app: it shows %s", page.Describe())
	}
	values := page.Left.Query()
	if code := values.Get("error"); code != "" {
		return values, page, &RefusedError{code, values.Get("error_description")}
	}
	if values.Get("code") == "" {
		return values, page, errors.New("the server answers the app without a code")
	}
	return values, page, nil
}

// control is the proof that requests can succeed at all.
func (p *Probe) control(ctx context.Context) error {
	if _, err := p.Main(ctx); err != nil {
		return fmt.Errorf("no launch succeeds, so a refusal proves nothing: %w", err)
	}
	return nil
}

// RefusedError: the server answered the app with an error.
type RefusedError struct{ Code, Description string }

func (e *RefusedError) Error() string {
	return "the server answers the app with the error " + Plain(e.Code+" "+e.Description)
}

// ErrThrottled: the server has had enough of us, and has refused nothing.
var ErrThrottled = errors.New("the server says that there are too many requests")

// Grant is a launch that ended with a token answer.
type Grant struct {
	Request  Request
	Page     agent.Page
	Callback url.Values
	agent.Answer
	// Again is the answer to a second use of the code, or of the refresh token, when
	// there was one.
	Again *agent.Answer
	// Kept are refresh tokens that were replaced meanwhile, for the checks that share
	// this launch.
	Kept    []string
	current string // the refresh token to use next; empty: the first one
}

// Access is the access token.
func (g *Grant) Access() string { return g.Text("access_token") }

// Refresh is the refresh token, or empty.
func (g *Grant) Refresh() string { return g.Text("refresh_token") }

// Current is the refresh token to use next.
func (g *Grant) Current() string {
	if g.current != "" {
		return g.current
	}
	return g.Refresh()
}

// Renew uses the current refresh token and keeps its successor.
func (p *Probe) Renew(ctx context.Context, g *Grant, scope string) (agent.Answer, error) {
	a, err := p.RenewAs(ctx, g.Request.Client, g.Current(), scope)
	if err == nil && a.Text("refresh_token") != "" {
		g.current = a.Text("refresh_token")
	}
	return a, err
}

// Scopes are the granted scopes.
func (g *Grant) Scopes() []string { return strings.Fields(g.Text("scope")) }

// Asked are the scopes of the request.
func (g *Grant) Asked() []string { return strings.Fields(g.Request.Values.Get("scope")) }

// Launch returns the launch of a name, made at the first call.
func (p *Probe) Launch(ctx context.Context, name string, make func() (Request, error)) (*Grant, error) {
	if known, ok := p.launches[name]; ok {
		return known.value, known.err
	}
	g, err := p.launch(ctx, make)
	p.launches[name] = found[*Grant]{g, err}
	return g, err
}

func (p *Probe) launch(ctx context.Context, make func() (Request, error)) (*Grant, error) {
	r, err := make()
	if err != nil {
		return nil, err
	}
	values, page, err := p.Authorize(ctx, r)
	if err != nil {
		return nil, err
	}
	a, err := p.Exchange(ctx, r, values.Get("code"))
	if err != nil {
		return nil, err
	}
	if a.Status != http.StatusOK || a.Text("access_token") == "" {
		return nil, fmt.Errorf("the token endpoint gives no token: %s", Describe(a))
	}
	return &Grant{Request: r, Page: page, Callback: values, Answer: a}, nil
}

// Main is the launch that most checks look at; nobody may spoil it.
func (p *Probe) Main(ctx context.Context) (*Grant, error) {
	return p.Launch(ctx, "main", func() (Request, error) { return p.Usual(ctx, "the main launch") })
}

// Forget drops the launches, so that later checks make their own: a check may have
// spoiled more than it meant to. Two that are spoiled on purpose stay.
func (p *Probe) Forget() {
	maps.DeleteFunc(p.launches, func(name string, _ found[*Grant]) bool { return name != "replayed" && name != "rotating" })
}

// Fresh is a launch of its own, to be spoiled.
func (p *Probe) Fresh(ctx context.Context, why string) (*Grant, error) {
	if err := p.control(ctx); err != nil {
		return nil, err
	}
	return p.launch(ctx, func() (Request, error) { return p.Usual(ctx, why) })
}

// Usual is the usual request of the primary client.
func (p *Probe) Usual(ctx context.Context, why string, changes ...string) (Request, error) {
	c, err := p.Primary()
	if err != nil {
		return Request{}, err
	}
	return p.Request(c, p.Scope(ctx, c), why, changes...), nil
}

// Code is a fresh code with its request.
func (p *Probe) Code(ctx context.Context, why string) (Request, string, error) {
	if err := p.control(ctx); err != nil {
		return Request{}, "", err
	}
	r, err := p.Usual(ctx, why)
	if err != nil {
		return r, "", err
	}
	values, _, err := p.Authorize(ctx, r)
	return r, values.Get("code"), err
}

// Scope is what a client asks for: what was given, or what the server advertises,
// without the words that are left out.
func (p *Probe) Scope(ctx context.Context, c *Client, without ...string) string {
	words := strings.Fields(c.Scope)
	if len(words) == 0 {
		words = p.advertised(ctx)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return slices.Contains(without, w) }), " ")
}

func (p *Probe) advertised(ctx context.Context) []string {
	words := []string{"launch/patient"}
	if p.Advertises(ctx, "sso-openid-connect") {
		words = append(words, "openid", "fhirUser")
	}
	if p.Advertises(ctx, "permission-offline") {
		words = append(words, "offline_access")
	}
	if p.Advertises(ctx, "permission-v1") && !p.Advertises(ctx, "permission-v2") {
		return append(words, "patient/*.read")
	}
	return append(words, "patient/*.rs")
}

// Plain is a text of the server, safe to print: one line, bounded, no control
// characters.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "..."
	}
	return s
}

// Describe is an answer in a few words, without tokens.
func Describe(a agent.Answer) string {
	text := fmt.Sprintf("status %d", a.Status)
	if code := a.Text("error"); code != "" {
		text += " " + Plain(code)
		if d := a.Text("error_description"); d != "" {
			text += " (" + Plain(d) + ")"
		}
	}
	return text
}

// OpenSignedIn opens a request where the person has signed in, and touches nothing.
func (p *Probe) OpenSignedIn(ctx context.Context, r Request) (agent.Page, error) {
	if err := p.control(ctx); err != nil {
		return agent.Page{}, err
	}
	return p.Open(ctx, p.browser, r)
}
