package suite

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// stranger is the origin of an app that nobody knows.
const stranger = "https://app.conformance.example"

// SMART App Launch 2.2, app launch: cross-origin resource sharing.
var crossOriginChecks = []Check{
	{ID: "CORS-01", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "any origin may read the SMART configuration",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.Get(ctx, p.SMARTURL(), "Origin", stranger)
			return readableBy(a, err, stranger)
		}},
	{ID: "CORS-01b", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "any origin may read the CapabilityStatement",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.Get(ctx, p.Base+"/metadata", "Origin", stranger)
			return readableBy(a, err, stranger)
		}},
	{ID: "CORS-03", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "the origin of a browser app may call the token endpoint",
		run: ofBrowserApp(func(ctx context.Context, p *probe.Probe, origin string) Verdict {
			endpoint, err := p.Endpoint(ctx, "token_endpoint")
			if err != nil {
				return unknown(err)
			}
			form := url.Values{"grant_type": {"authorization_code"}, "client_id": {p.Public.ID}, "code": {"conformance-made-up"}}
			a, err := p.Send(ctx, http.MethodPost, endpoint, form, "Origin", origin)
			return readableBy(a, err, origin)
		})},
	{ID: "CORS-04", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "it may call the FHIR API, errors included",
		run: ofBrowserApp(func(ctx context.Context, p *probe.Probe, origin string) Verdict {
			a, err := p.FHIR(ctx, "", "Patient/conformance", "Origin", origin)
			return readableBy(a, err, origin)
		})},
	{ID: "CORS-05", Level: SHALL, Section: "Fetch §4.8",
		Expect: "a preflight of the FHIR API needs no token and allows Authorization",
		run: ofBrowserApp(func(ctx context.Context, p *probe.Probe, origin string) Verdict {
			return preflight(ctx, p, p.Base+"/Patient/conformance", origin)
		})},
}

// ofBrowserApp runs with the origin of the public client.
func ofBrowserApp(run func(ctx context.Context, p *probe.Probe, origin string) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		if _, err := p.SMART(ctx); err != nil {
			return unknown(err)
		}
		if !p.Advertises(ctx, "client-public") {
			return absent("client-public is not advertised")
		}
		if p.Public == nil {
			return unknown(errors.New("no public client was given"))
		}
		origin, err := p.Public.Origin()
		if err != nil {
			return unknown(err)
		}
		return run(ctx, p, origin)
	}
}

// readableBy judges that a page of the origin may read the answer (Fetch §4.9).
func readableBy(a agent.Answer, err error, origin string) Verdict {
	if err != nil {
		return unknown(err)
	}
	if got := a.Header.Get("Access-Control-Allow-Origin"); got != "*" && got != origin {
		return fail("Access-Control-Allow-Origin is %q for %s", got, origin)
	}
	return pass("it is allowed")
}

// preflight is what a browser asks before it sends an access token.
func preflight(ctx context.Context, p *probe.Probe, target, origin string) Verdict {
	const header = "authorization"
	a, err := p.Send(ctx, http.MethodOptions, target, nil,
		"Origin", origin, "Access-Control-Request-Method", http.MethodGet, "Access-Control-Request-Headers", header)
	if v := readableBy(a, err, origin); v.outcome != Pass {
		return v
	}
	if a.Status < 200 || a.Status > 299 {
		return fail("the preflight answers %d", a.Status)
	}
	allowed := strings.ToLower(strings.Join(a.Header.Values("Access-Control-Allow-Headers"), ","))
	if !strings.Contains(allowed, header) { // the wildcard does not cover it (Fetch §4.9)
		return fail("Access-Control-Allow-Headers is %q", allowed)
	}
	return pass("the preflight answers %d", a.Status)
}
