package suite

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, app launch: refresh; RFC 6749 §6.
var refreshChecks = []Check{
	{ID: "RT-01", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "offline_access gives a refresh token",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if !granted(g, "offline_access") && !granted(g, "online_access") {
				return absent("neither offline_access nor online_access was granted")
			}
			return named(g.Refresh() != "", "refresh_token")
		})},
	{ID: "RT-05", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a refresh without scope gives the scopes of the grant",
		run: renewed(func(g *probe.Grant, a agent.Answer) Verdict {
			if !sameWords(strings.Fields(a.Text("scope")), g.Scopes()) {
				return fail("granted %q, refreshed %q", g.Text("scope"), a.Text("scope"))
			}
			return pass("they are equal")
		})},
	{ID: "RT-06", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a refresh with all granted scopes succeeds",
		run: ofRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			a, err := p.Renew(ctx, g, g.Text("scope"))
			return status(a, err, http.StatusOK)
		})},
	{ID: "RT-09", Level: SHALL, Section: "RFC 6749 §6",
		Expect: "a refresh for more than was granted is refused with invalid_scope",
		run: ofRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			a, err := p.Renew(ctx, g, g.Text("scope")+" system/*.cruds")
			return noToken(a, err, "invalid_scope")
		})},
	{ID: "RT-11", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a refresh has access_token, token_type, expires_in and scope",
		run: renewed(func(_ *probe.Grant, a agent.Answer) Verdict {
			for _, name := range []string{"access_token", "token_type", "expires_in", "scope"} {
				if !a.Has(name) {
					return fail("%s is missing", name)
				}
			}
			return pass("all four")
		})},
	{ID: "RT-12", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a refresh names no other patient",
		run: renewed(func(g *probe.Grant, a agent.Answer) Verdict {
			if a.Has("patient") && a.Text("patient") != g.Text("patient") {
				return fail("patient was %q and is %q", g.Text("patient"), a.Text("patient"))
			}
			return pass("patient is %q", a.Text("patient"))
		})},
	{ID: "RT-26", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "a made-up refresh token gets 400 with invalid_grant",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			c, err := p.Primary()
			if err != nil {
				return unknown(err)
			}
			a, err := p.RenewAs(ctx, c, "conformance-made-up", "")
			return all(noToken(a, err, "invalid_grant"), status(a, err, http.StatusBadRequest))
		}},
}

var errNoRefresh = errors.New("the token answer has no refresh token")

// refreshing is the launch whose refresh tokens are used.
func refreshing(ctx context.Context, p *probe.Probe) (*probe.Grant, error) {
	g, err := p.Launch(ctx, "refreshing", func() (probe.Request, error) { return p.Usual(ctx, "to refresh its token") })
	if err == nil && g.Refresh() == "" {
		return nil, errNoRefresh
	}
	return g, err
}

// ofRefresh runs with a grant that has a refresh token.
func ofRefresh(run func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict) check {
	return ofMain(func(ctx context.Context, p *probe.Probe, first *probe.Grant) Verdict {
		if first.Refresh() == "" && !granted(first, "offline_access") && !granted(first, "online_access") {
			return absent("neither offline_access nor online_access was granted")
		}
		g, err := refreshing(ctx, p)
		if err != nil {
			return unknown(err)
		}
		return run(ctx, p, g)
	})
}

// ofLiveRefresh runs with a grant whose refresh token is proven to be good now.
func ofLiveRefresh(run func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict) check {
	return ofRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
		for range 2 {
			a, err := p.Renew(ctx, g, "")
			if err != nil {
				return unknown(err)
			}
			if a.Status == http.StatusOK {
				return run(ctx, p, g)
			}
			p.Forget() // an earlier check has spoiled it
			if g, err = refreshing(ctx, p); err != nil {
				return unknown(err)
			}
		}
		return unknown(errors.New("a good refresh token is refused, so a refusal proves nothing"))
	})
}

// renewed judges a plain refresh.
func renewed(judge func(g *probe.Grant, a agent.Answer) Verdict) check {
	return ofRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
		a, err := p.Renew(ctx, g, "")
		if v := status(a, err, http.StatusOK); v.outcome != Pass {
			return v
		}
		return judge(g, a)
	})
}

// sameWords compares without order.
func sameWords(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
