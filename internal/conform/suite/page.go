package suite

import (
	"context"
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 9700 §4.2, §4.12, §4.16: pages and redirects.
var pageChecks = []Check{
	{ID: "HDR-04", Level: SHALL, Section: "RFC 9700 §4.16",
		Expect: "the login page cannot be framed",
		run: ofLoginPage(func(p agent.Page) Verdict {
			policy := strings.ToLower(strings.Join(p.Header.Values("Content-Security-Policy"), ";"))
			frame := strings.ToUpper(p.Header.Get("X-Frame-Options"))
			if !strings.Contains(policy, "frame-ancestors") && frame != "DENY" && frame != "SAMEORIGIN" {
				return fail("neither frame-ancestors nor X-Frame-Options")
			}
			return pass("X-Frame-Options %q", frame)
		})},
	{ID: "HDR-02", Level: SHOULD, Section: "RFC 9700 §4.2",
		Expect: "no cache keeps the login page",
		run: ofLoginPage(func(p agent.Page) Verdict {
			if !noStore(p.Header) {
				return fail("Cache-Control is %q", p.Header.Get("Cache-Control"))
			}
			return pass("no-store")
		})},
	{ID: "HDR-06", Level: SHOULD, Section: "Fetch §3.5",
		Expect: "the login page says nosniff",
		run: ofLoginPage(func(p agent.Page) Verdict {
			if !strings.EqualFold(p.Header.Get("X-Content-Type-Options"), "nosniff") {
				return fail("X-Content-Type-Options is %q", p.Header.Get("X-Content-Type-Options"))
			}
			return pass("nosniff")
		})},
	{ID: "HDR-03", Level: SHOULD, Section: "RFC 9700 §4.2",
		Expect: "the redirect to the app is not stored, and sends no Referer",
		run: ofTrail(func(_ *probe.Probe, trail []agent.Hop) Verdict {
			last := trail[len(trail)-1].Header
			policy := strings.ToLower(last.Get("Referrer-Policy"))
			if !noStore(last) || policy != "no-referrer" && policy != "same-origin" && policy != "strict-origin" && policy != "origin" && policy != "strict-origin-when-cross-origin" {
				return fail("Cache-Control %q, Referrer-Policy %q", last.Get("Cache-Control"), policy)
			}
			return pass("no-store, %s", policy)
		})},
	{ID: "AUTHZ-31", Level: SHALL, Section: "RFC 9700 §4.12",
		Expect: "no form is sent on by a redirect with 307 or 308",
		run: ofTrail(func(p *probe.Probe, _ []agent.Hop) Verdict {
			for _, hop := range p.Trail {
				if hop.Method == http.MethodPost && (hop.Status == http.StatusTemporaryRedirect || hop.Status == http.StatusPermanentRedirect) {
					return fail("a POST to %s is answered with %d", hop.URL.Path, hop.Status)
				}
			}
			return pass("%d hops", len(p.Trail))
		})},
	{ID: "AUTHZ-21", Level: SHALL, Section: "RFC 9700 §4.3",
		Expect: "no URL on the way has a token or a secret in it",
		run: ofTrail(func(p *probe.Probe, _ []agent.Hop) Verdict {
			for _, hop := range p.Trail {
				if next, err := hop.URL.Parse(hop.Location); err == nil && carriesToken(next) {
					return fail("a redirect of %s carries a token", hop.URL.Path)
				}
				if p.Confidential != nil && p.Confidential.Secret != "" && strings.Contains(hop.Location, p.Confidential.Secret) {
					return fail("a redirect of %s carries the client secret", hop.URL.Path)
				}
				for _, name := range []string{"password", "client_secret"} {
					if hop.URL.Query().Has(name) {
						return fail("%s has %s in its URL", hop.URL.Path, name)
					}
				}
			}
			return pass("%d hops", len(p.Trail))
		})},
}

// ofLoginPage judges the first page that a stranger sees.
func ofLoginPage(judge func(p agent.Page) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		r, err := p.Usual(ctx, "")
		if err != nil {
			return unknown(err)
		}
		page, err := p.Open(ctx, p.Stranger(), r)
		switch {
		case err != nil:
			return unknown(err)
		case page.Left != nil || page.Status != http.StatusOK:
			return unknown(errNoLogin)
		}
		return judge(page)
	}
}

// ofTrail judges the hops of the main launch, of which there are none by hand.
func ofTrail(judge func(p *probe.Probe, trail []agent.Hop) Verdict) check {
	return ofMain(func(_ context.Context, p *probe.Probe, g *probe.Grant) Verdict {
		if len(g.Page.Trail) == 0 {
			return unknown(errByHand)
		}
		return judge(p, g.Page.Trail)
	})
}
