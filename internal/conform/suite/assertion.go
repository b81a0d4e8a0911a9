package suite

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, asymmetric client authentication; RFC 7523.
var assertionChecks = []Check{
	{ID: "CAUTH-12", Level: SHALL, Section: "RFC 7523 §2.2",
		Expect: "a client proves itself with a signed assertion",
		run: ofAssertion(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
			a, err := asserting(ctx, p, c, nil)
			if err != nil {
				return unknown(err)
			}
			if !proven(a) {
				return fail("%s", probe.Describe(a))
			}
			return pass("%s", probe.Describe(a))
		})},
	{ID: "CAUTH-12b", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an app that proves itself so gets a token",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			if _, err := p.SMART(ctx); err != nil {
				return unknown(err)
			}
			if !p.Advertises(ctx, "client-confidential-asymmetric") {
				return absent("client-confidential-asymmetric is not advertised")
			}
			if p.Asymmetric == nil || p.Person == nil {
				return unknown(errors.New("no app with a key, or no person, was given"))
			}
			_, err := p.Launch(ctx, "asymmetric", func() (probe.Request, error) {
				return p.Request(p.Asymmetric, p.Scope(ctx, p.Asymmetric), "the app with a key"), nil
			})
			if err != nil {
				return noLaunch(err)
			}
			return pass("a token")
		}},
	{ID: "CAUTH-14", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an unsigned assertion is refused",
		run: ofProven(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
			raw, err := p.Assertion(ctx, c, nil)
			if err != nil {
				return unknown(err)
			}
			token, err := probe.ParseJWT(raw)
			if err != nil {
				return unknown(err)
			}
			unsigned, err := token.Unsigned()
			if err != nil {
				return unknown(err)
			}
			a, err := sendAssertion(ctx, p, c, unsigned)
			return noToken(a, err, "invalid_client")
		})},
	{ID: "CAUTH-14b", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an assertion with a spoiled signature is refused",
		run: ofProven(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
			raw, err := p.Assertion(ctx, c, nil)
			if err != nil {
				return unknown(err)
			}
			a, err := sendAssertion(ctx, p, c, probe.Spoiled(raw))
			return noToken(a, err, "invalid_client")
		})},
	{ID: "CAUTH-16", Level: SHALL, Section: "RFC 7523 §3",
		Expect: "an assertion about another client is refused",
		run:    badAssertion(func() map[string]any { return map[string]any{"sub": "conformance-somebody-else"} })},
	{ID: "CAUTH-17", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an assertion for another audience is refused",
		run:    badAssertion(func() map[string]any { return map[string]any{"aud": "https://conformance.example/token"} })},
	{ID: "CAUTH-18", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an expired assertion is refused",
		run:    badAssertion(func() map[string]any { return map[string]any{"exp": time.Now().Add(-10 * time.Minute).Unix()} })},
	{ID: "CAUTH-18b", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an assertion that lives longer than five minutes is refused",
		run:    badAssertion(func() map[string]any { return map[string]any{"exp": time.Now().Add(2 * time.Hour).Unix()} })},
	{ID: "CAUTH-20", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an assertion is good once",
		run: ofProven(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
			raw, err := p.Assertion(ctx, c, nil)
			if err != nil {
				return unknown(err)
			}
			if first, err := sendAssertion(ctx, p, c, raw); err != nil || !proven(first) {
				return unknown(errors.New("a good assertion is refused"))
			}
			a, err := sendAssertion(ctx, p, c, raw)
			return noToken(a, err, "invalid_client")
		})},
	{ID: "CAUTH-20b", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "an assertion without jti is refused",
		run:    badAssertion(func() map[string]any { return map[string]any{"jti": nil} })},
}

// ofAssertion runs with a client that has a key: that of backend services, or the
// asymmetric one.
func ofAssertion(run func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		if _, err := p.SMART(ctx); err != nil {
			return unknown(err)
		}
		if !p.Advertises(ctx, "client-confidential-asymmetric") {
			return absent("client-confidential-asymmetric is not advertised")
		}
		// Order: a service first. A server may look at the made-up code of an app before it
		// looks at who sends it.
		for _, c := range []*probe.Client{p.Backend, p.Asymmetric} {
			if c != nil {
				return run(ctx, p, c)
			}
		}
		return unknown(errors.New("no client with a key was given"))
	}
}

// ofProven runs when a good assertion is accepted: else a refusal proves nothing.
func ofProven(run func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict) check {
	return ofAssertion(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
		if a, err := asserting(ctx, p, c, nil); err != nil || !proven(a) {
			return unknown(errors.New("a good assertion is refused"))
		}
		return run(ctx, p, c)
	})
}

func badAssertion(changes func() map[string]any) check {
	return ofProven(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
		a, err := asserting(ctx, p, c, changes())
		return noToken(a, err, "invalid_client")
	})
}

func asserting(ctx context.Context, p *probe.Probe, c *probe.Client, changes map[string]any) (agent.Answer, error) {
	raw, err := p.Assertion(ctx, c, changes)
	if err != nil {
		return agent.Answer{}, err
	}
	return sendAssertion(ctx, p, c, raw)
}

// sendAssertion needs no person: a made-up code is refused with invalid_grant by a
// server that has accepted the client, and with invalid_client by one that has not.
func sendAssertion(ctx context.Context, p *probe.Probe, c *probe.Client, assertion string) (agent.Answer, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {"conformance-made-up"}, "redirect_uri": {c.RedirectURI()}, "code_verifier": {probe.NewVerifier()},
		"client_assertion_type": {probe.AssertionType}, "client_assertion": {assertion},
	}
	if c == p.Backend {
		form = url.Values{
			"grant_type": {"client_credentials"}, "scope": {backendScope(c)},
			"client_assertion_type": {probe.AssertionType}, "client_assertion": {assertion},
		}
	}
	return p.Token(ctx, nil, form)
}

// proven reports whether the server knows who sent the request.
func proven(a agent.Answer) bool { return a.Has("access_token") || a.Text("error") == "invalid_grant" }
