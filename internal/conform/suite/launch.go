package suite

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, app launch: the standalone launch.
var launchChecks = []Check{
	{ID: "AUTHZ-01", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a standalone launch with PKCE ends with an access token",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			g, err := p.Main(ctx)
			if err == nil {
				return pass("a token for %q", g.Text("scope"))
			}
			if p.Person == nil {
				return unknown(err)
			}
			if _, missing := p.Primary(); missing != nil {
				return unknown(missing)
			}
			return noLaunch(err)
		}},
	{ID: "AUTHZ-02", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "the authorization request may be sent by POST",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			if !p.Advertises(ctx, "authorize-post") {
				return absent("authorize-post is not advertised")
			}
			if p.Person != nil && p.Person.ByHand() {
				return unknown(errors.New("a person opens links, and sends no form of an app"))
			}
			r, err := p.Usual(ctx, "by POST")
			if err != nil {
				return unknown(err)
			}
			r.Method = http.MethodPost
			page, err := p.Attempt(ctx, r)
			if err != nil {
				return unknown(err)
			}
			if page.Left == nil || page.Left.Query().Get("code") == "" {
				return fail("no code: %s", page.Describe())
			}
			return pass("a code")
		}},
	{ID: "AUTHZ-06", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a request for another audience gets no code",
		run:    attempt("aud", "https://fhir.conformance.example/r4")},
	{ID: "AUTHZ-17", Level: SHALL, Section: "RFC 6749 §4.1.2",
		Expect: "state comes back byte for byte",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			const odd = "a+b c%2F&=#'\"<é>~"
			values, v := accepted(ctx, p, "with an odd state", "state", odd)
			if v.outcome == Pass && values.Get("state") != odd {
				return fail("it comes back as %q", values.Get("state"))
			}
			return v
		}},
	{ID: "AUTHZ-18", Level: SHALL, Section: "RFC 6749 §4.1.2",
		Expect: "the answer has code and state in the query",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if g.Callback.Get("state") != g.Request.Values.Get("state") {
				return fail("state is not the one that was sent")
			}
			if g.Page.Left.Fragment != "" {
				return fail("the answer has a fragment")
			}
			return pass("both are there")
		})},
	{ID: "AUTHZ-33", Level: SHALL, Section: "RFC 6749 §3.1",
		Expect: "unknown parameters are ignored",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			_, v := accepted(ctx, p, "with an unknown parameter", "conformance", "yes")
			return v
		}},
	{ID: "CAUTH-01", Level: SHALL, Section: "SMART App Launch 2.2, client authentication",
		Expect: "a public client gets a token with PKCE alone",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			if !p.Advertises(ctx, "client-public") {
				return absent("client-public is not advertised")
			}
			if p.Public == nil {
				return unknown(errors.New("no public client was given"))
			}
			if p.Person == nil {
				return unknown(errors.New("no person was given who could sign in"))
			}
			if _, err := publicLaunch(ctx, p); err != nil {
				return noLaunch(err)
			}
			return pass("a token")
		}},
	{ID: "CTX-05", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a launch value that no EHR gave out gets no code",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			if _, err := p.SMART(ctx); err != nil {
				return unknown(err)
			}
			if !p.Advertises(ctx, "launch-ehr") {
				return absent("launch-ehr is not advertised")
			}
			c, err := p.Primary()
			if err != nil {
				return unknown(err)
			}
			r := p.Request(c, "launch "+p.Scope(ctx, c, "launch/patient"), "", "launch", "conformance-made-up")
			page, err := p.Attempt(ctx, r)
			return noCode(page, err)
		}},
	{ID: "CTX-16", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "launch/patient gives patient at the top of the token answer",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if !granted(g, "launch/patient") && !strings.Contains(g.Text("scope"), "patient/") {
				return absent("no scope about a patient was granted")
			}
			return named(g.Text("patient") != "", "patient")
		})},
	{ID: "CTX-15", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "patient is a bare id",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if g.Text("patient") == "" {
				return unknown(errNoPatient)
			}
			if strings.ContainsAny(g.Text("patient"), "/:?") {
				return fail("patient is %q", g.Text("patient"))
			}
			return pass("%s", g.Text("patient"))
		})},
}

// accepted has the person allow a request with changes: a code must come.
func accepted(ctx context.Context, p *probe.Probe, why string, changes ...string) (url.Values, Verdict) {
	if _, err := p.Main(ctx); err != nil {
		return nil, unknown(err)
	}
	r, err := p.Usual(ctx, why, changes...)
	if err != nil {
		return nil, unknown(err)
	}
	values, _, err := p.Authorize(ctx, r)
	if err != nil {
		return nil, noLaunch(err)
	}
	return values, pass("a code")
}

func named(there bool, name string) Verdict {
	if !there {
		return fail("%s is missing", name)
	}
	return pass("%s is there", name)
}

// publicLaunch is a launch of the public client.
func publicLaunch(ctx context.Context, p *probe.Probe) (*probe.Grant, error) {
	if p.Public == nil {
		return nil, errors.New("no public client was given")
	}
	if first, err := p.Primary(); err == nil && first == p.Public {
		return p.Main(ctx)
	}
	return p.Launch(ctx, "public", func() (probe.Request, error) {
		return p.Request(p.Public, p.Scope(ctx, p.Public), "the public client"), nil
	})
}

// attempt changes parameters of the usual request, and expects that no code comes.
func attempt(changes ...string) check { return attemptFor(nil, changes...) }

// attemptFor expects one of the codes, if an error comes back to the app.
func attemptFor(codes []string, changes ...string) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		r, err := p.Usual(ctx, "a request that must be refused", changes...)
		if err != nil {
			return unknown(err)
		}
		page, err := p.Attempt(ctx, r)
		return noCode(page, err, codes...)
	}
}
