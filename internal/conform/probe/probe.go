package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

// Probe is one run against one server.
type Probe struct {
	Target
	wire    *agent.Wire
	browser *agent.Browser

	documents map[string]found[agent.Answer]
	launches  map[string]found[*Grant]
	bound     *found[*Bound]
	nonce     string   // the last that the server has sent for proofs
	issued    []issued // to be ended
	// TokenAnswers are all answers of the token endpoint so far.
	TokenAnswers []agent.Answer
	// Trail are all hops of launches so far.
	Trail []agent.Hop
}

// found is evidence, or why there is none.
type found[T any] struct {
	value T
	err   error
}

// New makes a probe; nothing is sent yet.
func New(t Target) (*Probe, error) {
	t.Base = strings.TrimRight(t.Base, "/")
	wire, err := agent.NewWire(append([]string{t.Base}, t.Origins...)...)
	if err != nil {
		return nil, err
	}
	return &Probe{
		Target: t, wire: wire, browser: agent.NewBrowser(wire),
		documents: map[string]found[agent.Answer]{}, launches: map[string]found[*Grant]{},
	}, nil
}

// Close lets go of connections.
func (p *Probe) Close() { p.wire.Close() }

// Stranger is a browser of somebody who is not signed in.
func (p *Probe) Stranger() *agent.Browser { return agent.NewBrowser(p.wire) }

// Send sends a request with a method, a form (nil: none) and pairs of headers.
func (p *Probe) Send(ctx context.Context, method, target string, form url.Values, headers ...string) (agent.Answer, error) {
	req, err := agent.NewRequest(method, target, form, headers...)
	if err != nil {
		return agent.Answer{}, err
	}
	return p.wire.Do(ctx, req)
}

// Get sends a GET.
func (p *Probe) Get(ctx context.Context, target string, headers ...string) (agent.Answer, error) {
	return p.Send(ctx, http.MethodGet, target, nil, headers...)
}

// FHIR sends a GET below the base with an access token, if there is one.
func (p *Probe) FHIR(ctx context.Context, token, path string, headers ...string) (agent.Answer, error) {
	headers = append([]string{"Accept", "application/fhir+json"}, headers...)
	if token != "" {
		headers = append(headers, "Authorization", "Bearer "+token)
	}
	return p.Get(ctx, p.Base+"/"+path, headers...)
}

// document fetches a JSON document once.
func (p *Probe) document(ctx context.Context, target string) (agent.Answer, error) {
	if known, ok := p.documents[target]; ok {
		return known.value, known.err
	}
	a, err := p.Get(ctx, target, "Accept", "application/json")
	switch {
	case err != nil:
		err = fmt.Errorf("%s: %w", target, err)
	case a.Status != http.StatusOK || a.Object == nil:
		err = fmt.Errorf("%w: %s answers %d without a JSON object", ErrNoDocument, target, a.Status)
	}
	p.documents[target] = found[agent.Answer]{a, err}
	return a, err
}

// ErrNoDocument: the server answers, and not with the document.
var ErrNoDocument = errors.New("there is no such document")

// SMARTURL is where the SMART configuration is (SMART App Launch 2.2, conformance:
// the suffix is appended to the whole base).
func (p *Probe) SMARTURL() string { return p.Base + "/.well-known/smart-configuration" }

// SMART is the SMART configuration.
func (p *Probe) SMART(ctx context.Context) (agent.Answer, error) {
	return p.document(ctx, p.SMARTURL())
}

// Issuer is the issuer that the SMART configuration names.
func (p *Probe) Issuer(ctx context.Context) (string, error) {
	doc, err := p.SMART(ctx)
	if err != nil {
		return "", err
	}
	if doc.Text("issuer") == "" {
		return "", errors.New("the SMART configuration names no issuer")
	}
	return doc.Text("issuer"), nil
}

// ProviderURL is where the OpenID configuration is (OpenID Connect Discovery §4.1:
// appended after any path of the issuer).
func (p *Probe) ProviderURL(ctx context.Context) (string, error) {
	issuer, err := p.Issuer(ctx)
	return strings.TrimRight(issuer, "/") + "/.well-known/openid-configuration", err
}

// Provider is the OpenID configuration.
func (p *Probe) Provider(ctx context.Context) (agent.Answer, error) {
	target, err := p.ProviderURL(ctx)
	if err != nil {
		return agent.Answer{}, err
	}
	return p.document(ctx, target)
}

// ServerMetadata is the authorization server metadata (RFC 8414 §3: the suffix
// stands between host and path).
func (p *Probe) ServerMetadata(ctx context.Context) (agent.Answer, error) {
	issuer, err := p.Issuer(ctx)
	if err != nil {
		return agent.Answer{}, err
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return agent.Answer{}, fmt.Errorf("the issuer: %w", err)
	}
	u.Path = "/.well-known/oauth-authorization-server" + strings.TrimRight(u.Path, "/")
	return p.document(ctx, u.String())
}

// Capability is the CapabilityStatement.
func (p *Probe) Capability(ctx context.Context) (agent.Answer, error) {
	target := p.Base + "/metadata"
	if known, ok := p.documents[target]; ok {
		return known.value, known.err
	}
	a, err := p.FHIR(ctx, "", "metadata")
	p.documents[target] = found[agent.Answer]{a, err}
	return a, err
}

// Advertises reports whether the SMART configuration has a capability.
func (p *Probe) Advertises(ctx context.Context, capability string) bool {
	doc, err := p.SMART(ctx)
	return err == nil && doc.Lists("capabilities", capability)
}

// ErrNotPublished: discovery names no such endpoint.
var ErrNotPublished = errors.New("is not published")

// Endpoint is a URL that discovery names: the SMART configuration first.
func (p *Probe) Endpoint(ctx context.Context, name string) (string, error) {
	doc, err := p.SMART(ctx)
	if err != nil {
		return "", err
	}
	if target := doc.Text(name); target != "" {
		return target, nil
	}
	if provider, err := p.Provider(ctx); err == nil && provider.Text(name) != "" {
		return provider.Text(name), nil
	}
	return "", fmt.Errorf("%s %w", name, ErrNotPublished)
}
