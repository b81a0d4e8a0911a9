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

// RFC 6749 §2.3, §3.2.1, §5.2; RFC 9700 §2.5: client authentication.
var clientChecks = []Check{
	{ID: "CAUTH-02", Level: SHALL, Section: "RFC 9700 §2.5",
		Expect: "a confidential client without its secret is refused",
		run: ofSecretAndCode(func(ctx context.Context, p *probe.Probe, c *probe.Client, form url.Values) Verdict {
			form.Set("client_id", c.ID)
			a, err := p.Token(ctx, nil, form)
			return noToken(a, err, "invalid_client")
		})},
	{ID: "CAUTH-06", Level: SHALL, Section: "RFC 6749 §2.3",
		Expect: "two ways of authentication in one request are refused",
		run: ofSecretAndCode(func(ctx context.Context, p *probe.Probe, c *probe.Client, form url.Values) Verdict {
			form.Set("client_id", c.ID)
			form.Set("client_secret", c.Secret)
			a, err := p.Token(ctx, nil, form, "Authorization", probe.Basic(c.ID, c.Secret))
			return noToken(a, err, "invalid_request", "invalid_client")
		})},
	{ID: "CAUTH-07", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "a wrong secret by Basic gets 401 with WWW-Authenticate: Basic",
		run: ofSecretAndCode(func(ctx context.Context, p *probe.Probe, c *probe.Client, form url.Values) Verdict {
			a, err := p.Token(ctx, nil, form, "Authorization", probe.Basic(c.ID, "conformance-wrong"))
			if v := all(noToken(a, err, "invalid_client"), status(a, err, http.StatusUnauthorized)); v.outcome != Pass {
				return v
			}
			if !strings.HasPrefix(strings.ToLower(a.Header.Get("WWW-Authenticate")), "basic") {
				return fail("WWW-Authenticate is %q", a.Header.Get("WWW-Authenticate"))
			}
			return pass("%s", probe.Describe(a))
		})},
	{ID: "CAUTH-08", Level: SHOULD, Section: "RFC 6749 §5.2",
		Expect: "an unknown client and a wrong secret get the same answer",
		run: ofSecret(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
			known, err1 := wrongSecret(ctx, p, c.ID)
			nobody, err2 := wrongSecret(ctx, p, "conformance-nobody")
			if err := errors.Join(err1, err2); err != nil {
				return unknown(err)
			}
			if known.Status != nobody.Status || known.Text("error") != nobody.Text("error") || known.Text("error_description") != nobody.Text("error_description") {
				return fail("%s, and %s", probe.Describe(known), probe.Describe(nobody))
			}
			return pass("%s", probe.Describe(known))
		})},
	{ID: "TOK-06", Level: SHALL, Section: "RFC 6749 §3.2.1",
		Expect: "client_id of another client beside credentials is refused",
		run: ofSecretAndCode(func(ctx context.Context, p *probe.Probe, c *probe.Client, form url.Values) Verdict {
			second, err := p.Second()
			if err != nil {
				return unknown(err)
			}
			form.Set("client_id", second.ID)
			a, err := p.Token(ctx, nil, form, "Authorization", probe.Basic(c.ID, c.Secret))
			return noToken(a, err, "invalid_client", "invalid_request")
		})},
	{ID: "RT-03", Level: SHALL, Section: "RFC 6749 §6",
		Expect: "a refresh token of another client is refused",
		run: ofLiveRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			second, err := p.Second()
			if err != nil {
				return unknown(err)
			}
			a, err := p.RenewAs(ctx, second, g.Current(), "")
			return noToken(a, err, "invalid_grant")
		})},
	{ID: "RT-04", Level: SHALL, Section: "RFC 6749 §6",
		Expect: "a refresh token of a confidential client needs its secret",
		run: ofSecret(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
			return ofLiveRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
				if g.Request.Client != c {
					return absent("the launch is not of this client")
				}
				a, err := p.Token(ctx, nil, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.Current()}, "client_id": {c.ID}})
				return noToken(a, err, "invalid_client")
			})(ctx, p)
		})},
	{ID: "REVOKE-05", Level: SHALL, Section: "RFC 7009 §2.1",
		Expect: "a client does not revoke tokens of another",
		run: ofRevocation(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			second, err := p.Second()
			if err != nil {
				return unknown(err)
			}
			g, err := p.Fresh(ctx, "for a token that another client tries to revoke")
			if err != nil {
				return unknown(err)
			}
			if _, err := p.Post(ctx, second, endpoint, url.Values{"token": {g.Access()}}); err != nil {
				return unknown(err)
			}
			path, err := ownRecord(g)
			if err != nil {
				return unknown(err)
			}
			a, err := p.FHIR(ctx, g.Access(), path)
			return status(a, err, http.StatusOK)
		})},
}

// ofSecret runs with the client that has a secret. Order: a launch first, so that
// the secret is known to be right.
func ofSecret(run func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict) check {
	return ofMain(func(ctx context.Context, p *probe.Probe, _ *probe.Grant) Verdict {
		if !p.Advertises(ctx, "client-confidential-symmetric") {
			return absent("client-confidential-symmetric is not advertised")
		}
		if p.Confidential == nil {
			return unknown(errors.New("no client with a secret was given"))
		}
		return run(ctx, p, p.Confidential)
	})
}

// ofSecretAndCode runs with the redemption of a fresh code of that client, without
// credentials: only who asks is wrong with it.
func ofSecretAndCode(run func(ctx context.Context, p *probe.Probe, c *probe.Client, form url.Values) Verdict) check {
	return ofSecret(func(ctx context.Context, p *probe.Probe, c *probe.Client) Verdict {
		r, code, err := p.Code(ctx, "for a code that nobody proves to own")
		switch {
		case err != nil:
			return unknown(err)
		case r.Client != c:
			return absent("the launch is not of this client")
		}
		return run(ctx, p, c, probe.CodeForm(r, code))
	})
}

func wrongSecret(ctx context.Context, p *probe.Probe, id string) (agent.Answer, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {"conformance-made-up"}, "redirect_uri": {"https://conformance.example/"}}
	return p.Token(ctx, nil, form, "Authorization", probe.Basic(id, "conformance-wrong"))
}
