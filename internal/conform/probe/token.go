package probe

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

// Post sends a form to an endpoint with the credentials of a client; nil sends
// none. Pairs of headers follow.
func (p *Probe) Post(ctx context.Context, c *Client, endpoint string, form url.Values, headers ...string) (agent.Answer, error) {
	form = maps.Clone(form)
	header, err := p.credentials(ctx, c, form)
	if err != nil {
		return agent.Answer{}, err
	}
	return p.Send(ctx, http.MethodPost, endpoint, form, append(header, headers...)...)
}

// credentials adds to the form, or returns a header.
func (p *Probe) credentials(ctx context.Context, c *Client, form url.Values) ([]string, error) {
	if c == nil {
		return nil, nil
	}
	set := func(name, value string) {
		if !form.Has(name) {
			form.Set(name, value)
		}
	}
	switch c.Method {
	case AuthBasic:
		return []string{"Authorization", Basic(c.ID, c.Secret)}, nil
	case AuthPost:
		set("client_id", c.ID)
		set("client_secret", c.Secret)
	case AuthJWT:
		if form.Has("client_assertion") {
			return nil, nil
		}
		assertion, err := p.Assertion(ctx, c, nil)
		if err != nil {
			return nil, err
		}
		form.Set("client_assertion_type", AssertionType)
		form.Set("client_assertion", assertion)
	default:
		set("client_id", c.ID)
	}
	return nil, nil
}

// Basic is an Authorization header (RFC 6749 §2.3.1: both parts form-encoded).
func Basic(id, secret string) string {
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return req.Header.Get("Authorization")
}

// Token sends a form to the token endpoint with the credentials of a client.
func (p *Probe) Token(ctx context.Context, c *Client, form url.Values, headers ...string) (agent.Answer, error) {
	endpoint, err := p.Endpoint(ctx, "token_endpoint")
	if err != nil {
		return agent.Answer{}, err
	}
	a, err := p.Post(ctx, c, endpoint, form, headers...)
	if err == nil && c != nil && a.Has("access_token") {
		p.issued = append(p.issued, issued{c, []string{a.Text("refresh_token"), a.Text("access_token")}})
	}
	return p.noted(a, err)
}

// issued are the tokens of one answer.
type issued struct {
	client *Client
	tokens []string
}

// Tidy ends what the run was given, as far as the server lets a client revoke (RFC
// 7009 §2.1). It judges nothing.
func (p *Probe) Tidy(ctx context.Context) {
	if len(p.issued) == 0 {
		return
	}
	endpoint, err := p.Endpoint(ctx, "revocation_endpoint")
	if err != nil {
		return
	}
	for _, one := range p.issued {
		for _, token := range one.tokens {
			if token == "" {
				continue
			}
			if _, err := p.Post(ctx, one.client, endpoint, url.Values{"token": {token}}); err != nil {
				return
			}
		}
	}
}

// TokenRaw sends anything to the token endpoint.
func (p *Probe) TokenRaw(ctx context.Context, method, query, mediaType, body string, headers ...string) (agent.Answer, error) {
	endpoint, err := p.Endpoint(ctx, "token_endpoint")
	if err != nil {
		return agent.Answer{}, err
	}
	if query != "" {
		endpoint += "?" + query
	}
	req, err := http.NewRequest(method, endpoint, strings.NewReader(body))
	if err != nil {
		return agent.Answer{}, err
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	a, err := p.wire.Do(ctx, req)
	if method != http.MethodPost { // the endpoint is not there for other methods
		return a, err
	}
	return p.noted(a, err)
}

// WithCredentials is a form with the credentials of a client in it, and the header
// that goes with it.
func (p *Probe) WithCredentials(ctx context.Context, c *Client, form url.Values) (url.Values, []string, error) {
	form = maps.Clone(form)
	headers, err := p.credentials(ctx, c, form)
	return form, headers, err
}

func (p *Probe) noted(a agent.Answer, err error) (agent.Answer, error) {
	if err == nil {
		p.TokenAnswers = append(p.TokenAnswers, a)
	}
	return a, err
}

// CodeForm redeems a code; pairs of changes as in Request.
func CodeForm(r Request, code string, changes ...string) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {r.Values.Get("redirect_uri")}, "code_verifier": {r.Verifier},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			form.Del(changes[i])
		} else {
			form.Set(changes[i], changes[i+1])
		}
	}
	return form
}

// Exchange redeems a code as the client of the request.
func (p *Probe) Exchange(ctx context.Context, r Request, code string, changes ...string) (agent.Answer, error) {
	return p.Token(ctx, r.Client, CodeForm(r, code, changes...))
}

// RenewAs uses a refresh token as a client; scope may be empty.
func (p *Probe) RenewAs(ctx context.Context, c *Client, token, scope string) (agent.Answer, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	if scope != "" {
		form.Set("scope", scope)
	}
	return p.Token(ctx, c, form)
}
