package suite

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, backend services.
var backendChecks = []Check{
	{ID: "BS-05", Level: SHALL, Section: "SMART App Launch 2.2, backend services",
		Expect: "client_credentials with an assertion gives access_token, token_type, expires_in and scope",
		run: ofBackend(func(a agent.Answer) Verdict {
			for _, name := range []string{"access_token", "token_type", "expires_in", "scope"} {
				if !a.Has(name) {
					return fail("%s is missing", name)
				}
			}
			return pass("granted: %q", a.Text("scope"))
		})},
	{ID: "BS-03", Level: SHALL, Section: "SMART App Launch 2.2, backend services",
		Expect: "only system/ scopes are granted",
		run: ofBackend(func(a agent.Answer) Verdict {
			list := strings.Fields(a.Text("scope"))
			if len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return !strings.HasPrefix(s, "system/") }) {
				return fail("granted: %q", a.Text("scope"))
			}
			return pass("granted: %q", a.Text("scope"))
		})},
	{ID: "BS-06", Level: SHOULD, Section: "SMART App Launch 2.2, backend services",
		Expect: "the token lives five minutes at most",
		run: ofBackend(func(a agent.Answer) Verdict {
			n, ok := a.Object["expires_in"].(float64)
			if !ok || n > 300 {
				return fail("expires_in is %v", a.Object["expires_in"])
			}
			return pass("%v seconds", n)
		})},
	{ID: "BS-07", Level: SHOULD, Section: "SMART App Launch 2.2, backend services",
		Expect: "there is no refresh token, ID token or patient",
		run: ofBackend(func(a agent.Answer) Verdict {
			for _, name := range []string{"refresh_token", "id_token", "patient"} {
				if a.Has(name) {
					return fail("%s is there", name)
				}
			}
			return pass("none of them")
		})},
	{ID: "BS-02", Level: SHALL, Section: "SMART App Launch 2.2, backend services",
		Expect: "a request without scope is refused",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			return withBackend(ctx, p, url.Values{"grant_type": {"client_credentials"}}, func(a agent.Answer, err error) Verdict {
				return noToken(a, err, "invalid_scope", "invalid_request")
			})
		}},
	{ID: "SCOPE-23", Level: SHALL, Section: "SMART App Launch 2.2, backend services",
		Expect: "scopes of a person's app are not granted to a service",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			return withBackend(ctx, p, url.Values{"grant_type": {"client_credentials"}, "scope": {"patient/*.rs"}}, func(a agent.Answer, err error) Verdict {
				return noToken(a, err, "invalid_scope")
			})
		}},
}

// backendScope is what the client of backend services asks for.
func backendScope(c *probe.Client) string {
	if c.Scope == "" {
		return "system/*.rs"
	}
	return c.Scope
}

// ofBackend judges a plain request.
func ofBackend(judge func(a agent.Answer) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		form := url.Values{"grant_type": {"client_credentials"}}
		if p.Backend != nil {
			form.Set("scope", backendScope(p.Backend))
		}
		return withBackend(ctx, p, form, func(a agent.Answer, err error) Verdict {
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			return judge(a)
		})
	}
}

// withBackend sends a form as the client of backend services.
func withBackend(ctx context.Context, p *probe.Probe, form url.Values, judge func(agent.Answer, error) Verdict) Verdict {
	doc, err := p.SMART(ctx)
	switch {
	case err != nil:
		return unknown(err)
	case !doc.Lists("grant_types_supported", "client_credentials"):
		return absent("client_credentials is not advertised")
	case p.Backend == nil:
		return unknown(errors.New("no client of backend services was given"))
	}
	a, err := p.Token(ctx, p.Backend, form)
	return judge(a, err)
}
