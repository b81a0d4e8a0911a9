package suite

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, app launch: the token answer; RFC 6749 §5.1.
var tokenChecks = []Check{
	{ID: "TOK-08", Level: SHALL, Section: "RFC 6749 §5.1",
		Expect: "the token answer is 200 and application/json",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if g.Status != http.StatusOK || g.MediaType() != "application/json" {
				return fail("status %d, %s", g.Status, g.MediaType())
			}
			return pass("both")
		})},
	{ID: "TOK-09", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "it has access_token, token_type and scope",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			for _, name := range []string{"access_token", "token_type", "scope"} {
				if g.Text(name) == "" {
					return fail("%s is missing", name)
				}
			}
			return pass("all three")
		})},
	{ID: "TOK-10", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "token_type is Bearer",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if !strings.EqualFold(g.Text("token_type"), "Bearer") {
				return fail("token_type is %q", g.Text("token_type"))
			}
			return pass("%s", g.Text("token_type"))
		})},
	{ID: "TOK-11", Level: SHALL, Section: "RFC 6749 §5.1",
		Expect: "expires_in is a JSON number",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			n, ok := g.Object["expires_in"].(float64)
			if !ok || n <= 0 {
				return fail("expires_in is %v", g.Object["expires_in"])
			}
			return pass("%v seconds", n)
		})},
	{ID: "TOK-12", Level: SHOULD, Section: "SMART App Launch 2.2, app launch",
		Expect: "an access token lives an hour at most",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			n, _ := g.Object["expires_in"].(float64)
			if n > 3600 {
				return fail("%v seconds", n)
			}
			return pass("%v seconds", n)
		})},
	{ID: "TOK-13", Level: SHALL, Section: "RFC 6749 §5.1",
		Expect: "no cache may keep it: Cache-Control no-store, Pragma no-cache",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if !noStore(g.Header) || !strings.Contains(strings.ToLower(g.Header.Get("Pragma")), "no-cache") {
				return fail("Cache-Control %q, Pragma %q", g.Header.Get("Cache-Control"), g.Header.Get("Pragma"))
			}
			return pass("both headers")
		})},
	{ID: "TOK-14", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "no refresh token without offline_access or online_access",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			g, err := short(ctx, p)
			switch {
			case err != nil:
				return unknown(err)
			case g.Has("refresh_token") && !granted(g, "offline_access") && !granted(g, "online_access"):
				return fail("there is one")
			}
			return pass("there is none")
		}},
	{ID: "AT-02", Level: SHOULD, Section: "RFC 6749 §A.12",
		Expect: "tokens have only characters that forms leave alone",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			for _, name := range []string{"access_token", "refresh_token"} {
				if g.Has(name) && !plainToken.MatchString(g.Text(name)) {
					return fail("%s has other characters", name)
				}
			}
			if !plainToken.MatchString(g.Callback.Get("code")) {
				return fail("the code has other characters")
			}
			return pass("letters, digits and . _ ~ -")
		})},
	{ID: "TOK-22", Level: SHOULD, Section: "RFC 6749 §1.4",
		Expect: "a second launch does not end the first",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			path, err := ownRecord(g)
			if err != nil {
				return unknown(err)
			}
			if _, err := p.Fresh(ctx, "a second launch"); err != nil {
				return unknown(err)
			}
			a, err := p.FHIR(ctx, g.Access(), path)
			return status(a, err, http.StatusOK)
		})},
}

var plainToken = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
