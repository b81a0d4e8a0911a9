package suite

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, token introspection; RFC 7662.
var introspectionChecks = []Check{
	{ID: "INTRO-01", Level: SHALL, Section: "RFC 7662 §2.1",
		Expect: "introspection by GET is refused",
		run: ofIntrospection(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			form, headers, err := p.WithCredentials(ctx, c, url.Values{"token": {"conformance-made-up"}})
			if err != nil {
				return unknown(err)
			}
			if c.Method != probe.AuthBasic { // a secret has no place in a URL
				form = url.Values{"token": {"conformance-made-up"}}
			}
			a, err := p.Get(ctx, endpoint+"?"+form.Encode(), headers...)
			return refused(a, err)
		})},
	{ID: "INTRO-02", Level: SHALL, Section: "RFC 7662 §2.1",
		Expect: "nobody introspects without saying who they are",
		run: ofIntrospection(func(ctx context.Context, p *probe.Probe, endpoint string, _ *probe.Client) Verdict {
			a, err := p.Post(ctx, nil, endpoint, url.Values{"token": {"conformance"}})
			return refused(a, err)
		})},
	{ID: "INTRO-05", Level: SHALL, Section: "RFC 7662 §2.3",
		Expect: "bad credentials get 401",
		run: ofIntrospection(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			a, err := p.Post(ctx, nil, endpoint, url.Values{"token": {"conformance"}}, "Authorization", probe.Basic(c.ID, "wrong"))
			return status(a, err, http.StatusUnauthorized)
		})},
	{ID: "INTRO-06", Level: SHALL, Section: "SMART App Launch 2.2, token introspection",
		Expect: "a live token is active, with scope, client_id and exp",
		run: introspected(func(g *probe.Grant, a agent.Answer) Verdict {
			if a.Object["active"] != true {
				return fail("active is %v", a.Object["active"])
			}
			if a.Text("client_id") != g.Request.Client.ID {
				return fail("client_id is %q", a.Text("client_id"))
			}
			return named(a.Has("scope") && a.Has("exp"), "scope or exp")
		})},
	{ID: "INTRO-07", Level: SHALL, Section: "SMART App Launch 2.2, token introspection",
		Expect: "scope is that of the token answer",
		run: introspected(func(g *probe.Grant, a agent.Answer) Verdict {
			if !sameWords(strings.Fields(a.Text("scope")), g.Scopes()) {
				return fail("granted %q, introspected %q", g.Text("scope"), a.Text("scope"))
			}
			return pass("they are equal")
		})},
	{ID: "INTRO-08", Level: SHALL, Section: "RFC 7662 §2.2",
		Expect: "exp is a whole number of seconds in the future",
		run: introspected(func(_ *probe.Grant, a agent.Answer) Verdict {
			n, ok := a.Object["exp"].(float64)
			if !ok || n != math.Trunc(n) || n < float64(time.Now().Unix()) {
				return fail("exp is %v", a.Object["exp"])
			}
			return pass("it is")
		})},
	{ID: "INTRO-09", Level: SHALL, Section: "SMART App Launch 2.2, token introspection",
		Expect: "the launch context of the token answer is repeated",
		run: introspected(func(g *probe.Grant, a agent.Answer) Verdict {
			for _, name := range []string{"patient", "encounter", "fhirContext", "intent", "need_patient_banner", "smart_style_url", "tenant"} {
				if g.Has(name) && !reflect.DeepEqual(g.Object[name], a.Object[name]) {
					return fail("%s was %v and is %v", name, g.Object[name], a.Object[name])
				}
			}
			return pass("it is")
		})},
	{ID: "INTRO-10", Level: SHALL, Section: "SMART App Launch 2.2, token introspection",
		Expect: "iss and sub are those of the ID token",
		run: introspected(func(g *probe.Grant, a agent.Answer) Verdict {
			if !g.Has("id_token") {
				return absent("there is no ID token")
			}
			id, err := probe.ParseJWT(g.Text("id_token"))
			if err != nil {
				return unknown(err)
			}
			if a.Text("iss") != id.Text("iss") || a.Text("sub") != id.Text("sub") {
				return fail("iss %q, sub %q differ from the ID token's", a.Text("iss"), a.Text("sub"))
			}
			return pass("they are equal")
		})},
	{ID: "INTRO-13", Level: SHALL, Section: "RFC 7662 §2.2",
		Expect: "a made-up token is active: false",
		run: ofIntrospection(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			a, err := p.Post(ctx, c, endpoint, url.Values{"token": {"conformance-made-up"}})
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			if a.Object["active"] != false {
				return fail("active is %v", a.Object["active"])
			}
			return pass("active is false")
		})},
	{ID: "INTRO-13b", Level: SHOULD, Section: "RFC 7662 §2.2",
		Expect: "and nothing more is said of it",
		run: ofIntrospection(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			a, err := p.Post(ctx, c, endpoint, url.Values{"token": {"conformance-made-up"}})
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			if len(a.Object) != 1 {
				return fail("%d members", len(a.Object))
			}
			return pass("one member")
		})},
	{ID: "INTRO-16", Level: SHALL, Section: "RFC 7662 §2.1",
		Expect: "a request without token gets 400",
		run: ofIntrospection(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			a, err := p.Post(ctx, c, endpoint, url.Values{})
			return status(a, err, http.StatusBadRequest)
		})},
	{ID: "INTRO-17", Level: SHALL, Section: "RFC 7662 §2.2",
		Expect: "the answer is application/json that no cache keeps",
		run: introspected(func(_ *probe.Grant, a agent.Answer) Verdict {
			if a.MediaType() != "application/json" || !noStore(a.Header) {
				return fail("%s, Cache-Control %q", a.MediaType(), a.Header.Get("Cache-Control"))
			}
			return pass("both")
		})},
	{ID: "INTRO-19", Level: SHALL, Section: "RFC 7662 §4",
		Expect: "a revoked token is inactive at once",
		run:    ofIntrospection(inactiveAfterRevocation)},
}

// ofIntrospection runs with the endpoint and a client that can prove itself.
func ofIntrospection(run func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict) check {
	return ofEndpoint("introspection_endpoint", func(ctx context.Context, p *probe.Probe, endpoint string) Verdict {
		c, err := p.Primary()
		if err != nil {
			return unknown(err)
		}
		if c.Method == probe.AuthNone {
			return unknown(errors.New("no confidential client was given"))
		}
		return run(ctx, p, endpoint, c)
	})
}

// introspected judges what is said about the token of the main launch.
func introspected(judge func(g *probe.Grant, a agent.Answer) Verdict) check {
	return ofIntrospection(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
		g, err := p.Main(ctx)
		if err != nil {
			return unknown(err)
		}
		a, err := p.Post(ctx, c, endpoint, url.Values{"token": {g.Access()}})
		if v := status(a, err, http.StatusOK); v.outcome != Pass {
			return v
		}
		return judge(g, a)
	})
}

func inactiveAfterRevocation(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
	revocation, err := p.Endpoint(ctx, "revocation_endpoint")
	if err != nil {
		return unknown(err)
	}
	g, err := p.Fresh(ctx, "to revoke its token")
	if err != nil {
		return unknown(err)
	}
	gone, err := p.Post(ctx, c, revocation, url.Values{"token": {g.Access()}})
	if v := status(gone, err, http.StatusOK); v.outcome != Pass {
		return unknown(errors.New("the token could not be revoked"))
	}
	a, err := p.Post(ctx, c, endpoint, url.Values{"token": {g.Access()}})
	switch {
	case err != nil:
		return unknown(err)
	case a.Object["active"] != false:
		return fail("active is %v", a.Object["active"])
	}
	return pass("active is false")
}
