package suite

import (
	"context"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 9700 §2.2.2, §4.14.2: refresh tokens of public clients.
var rotationChecks = []Check{
	{ID: "RT-20", Level: SHALL, Section: "RFC 9700 §2.2.2",
		Expect: "a refresh token of a public client is replaced when it is used",
		run: ofRotation(func(_ context.Context, _ *probe.Probe, r rotation) Verdict {
			if r.second == "" || r.second == r.first {
				return fail("it is not replaced")
			}
			return pass("it is replaced")
		})},
	{ID: "RT-22", Level: SHALL, Section: "RFC 9700 §4.14.2",
		Expect: "one that was replaced twice is refused",
		run: ofRotation(func(_ context.Context, _ *probe.Probe, r rotation) Verdict {
			if r.second == "" || r.second == r.first {
				return absent("refresh tokens are not replaced")
			}
			return noToken(r.reuse, nil, "invalid_grant")
		})},
	{ID: "RT-22b", Level: SHALL, Section: "RFC 9700 §4.14.2",
		Expect: "its use ends the newest refresh token as well",
		run: ofRotation(func(ctx context.Context, p *probe.Probe, r rotation) Verdict {
			if r.second == "" || r.second == r.first {
				return absent("refresh tokens are not replaced")
			}
			a, err := p.RenewAs(ctx, p.Public, r.third, "")
			return noToken(a, err, "invalid_grant")
		})},
}

// rotation is what came of a refresh token that was used, replaced twice, and used
// again. Order: twice, because a server may let a lost answer be asked for again.
type rotation struct {
	first, second, third string
	reuse                agent.Answer
}

// ofRotation runs with a launch of the public client whose refresh token was reused.
func ofRotation(judge func(ctx context.Context, p *probe.Probe, r rotation) Verdict) check {
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
		g, err := p.Launch(ctx, "rotating", func() (probe.Request, error) {
			return p.Request(p.Public, p.Scope(ctx, p.Public), "to reuse a refresh token"), nil
		})
		if err != nil {
			return unknown(err)
		}
		if g.Refresh() == "" {
			return absent("a public client gets no refresh token")
		}
		r, err := rotate(ctx, p, g)
		if err != nil {
			return unknown(err)
		}
		return judge(ctx, p, r)
	}
}

// rotate does it once for all checks; what it saw is kept with the launch.
func rotate(ctx context.Context, p *probe.Probe, g *probe.Grant) (rotation, error) {
	r := rotation{first: g.Refresh()}
	if g.Again != nil {
		r.second, r.third, r.reuse = g.Kept[0], g.Kept[1], *g.Again
		return r, nil
	}
	for _, into := range []*string{&r.second, &r.third} {
		a, err := p.Renew(ctx, g, "")
		if err != nil {
			return r, err
		}
		if a.Status != http.StatusOK {
			return r, errors.New("a refresh of the public client fails: " + probe.Describe(a))
		}
		*into = a.Text("refresh_token")
	}
	a, err := p.RenewAs(ctx, p.Public, r.first, "")
	if err != nil {
		return r, err
	}
	r.reuse, g.Again, g.Kept = a, &a, []string{r.second, r.third}
	return r, nil
}
