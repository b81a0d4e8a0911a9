package suite

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 7009; 45 CFR 170.315(g)(10)(vi).
var revocationChecks = []Check{
	{ID: "REVOKE-01", Level: SHALL, Section: "RFC 7009 §2.1",
		Expect: "a confidential client without its secret revokes nothing",
		run: ofRevocation(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			if c.Method == probe.AuthNone {
				return absent("no confidential client was given")
			}
			a, err := p.Post(ctx, nil, endpoint, url.Values{"token": {"conformance"}, "client_id": {c.ID}})
			return noToken(a, err, "invalid_client")
		})},
	{ID: "REVOKE-02", Level: SHALL, Section: "RFC 7009 §2.1",
		Expect: "a revoked refresh token is refused with invalid_grant",
		run: revokedRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			a, err := p.RenewAs(ctx, g.Request.Client, g.Refresh(), "")
			return noToken(a, err, "invalid_grant")
		})},
	{ID: "REVOKE-02b", Level: SHOULD, Section: "RFC 7009 §2.1",
		Expect: "with it the access tokens of the grant end",
		run:    revokedRefresh(dead)},
	{ID: "REVOKE-03", Level: SHOULD, Section: "RFC 7009 §2",
		Expect: "a revoked access token opens nothing",
		run: ofRevocation(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			g, err := p.Fresh(ctx, "to revoke its access token")
			if err != nil {
				return unknown(err)
			}
			a, err := p.Post(ctx, c, endpoint, url.Values{"token": {g.Access()}})
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			return dead(ctx, p, g)
		})},
	{ID: "REVOKE-04", Level: SHALL, Section: "RFC 7009 §2.2",
		Expect: "a made-up token is revoked with 200",
		run: ofRevocation(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			a, err := p.Post(ctx, c, endpoint, url.Values{"token": {"conformance-made-up"}})
			return status(a, err, http.StatusOK)
		})},
	{ID: "REVOKE-06", Level: SHALL, Section: "RFC 7009 §2.1",
		Expect: "a wrong hint does not save a token",
		run: ofRevocation(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			g, err := p.Fresh(ctx, "to revoke its token with a wrong hint")
			if err != nil {
				return unknown(err)
			}
			if g.Refresh() == "" {
				return absent("there is no refresh token")
			}
			if a, err := p.Post(ctx, c, endpoint, url.Values{"token": {g.Refresh()}, "token_type_hint": {"access_token"}}); err != nil || a.Status != http.StatusOK {
				return status(a, err, http.StatusOK)
			}
			a, err := p.RenewAs(ctx, c, g.Refresh(), "")
			return noToken(a, err, "invalid_grant")
		})},
	{ID: "REVOKE-07", Level: SHALL, Section: "RFC 7009 §2.2.1",
		Expect: "a request without token gets 400",
		run: ofRevocation(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
			a, err := p.Post(ctx, c, endpoint, url.Values{})
			return status(a, err, http.StatusBadRequest)
		})},
}

// ofRevocation runs with the endpoint and the primary client.
func ofRevocation(run func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict) check {
	return ofEndpoint("revocation_endpoint", func(ctx context.Context, p *probe.Probe, endpoint string) Verdict {
		c, err := p.Primary()
		if err != nil {
			return unknown(err)
		}
		return run(ctx, p, endpoint, c)
	})
}

// revokedRefresh runs with a launch whose refresh token was revoked.
func revokedRefresh(run func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict) check {
	return ofRevocation(func(ctx context.Context, p *probe.Probe, endpoint string, c *probe.Client) Verdict {
		g, err := p.Fresh(ctx, "to revoke its refresh token")
		if err != nil {
			return unknown(err)
		}
		if g.Refresh() == "" {
			return absent("there is no refresh token")
		}
		a, err := p.Post(ctx, c, endpoint, url.Values{"token": {g.Refresh()}})
		if v := status(a, err, http.StatusOK); v.outcome != Pass {
			return unknown(errors.New("the refresh token could not be revoked"))
		}
		return run(ctx, p, g)
	})
}
