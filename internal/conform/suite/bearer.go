package suite

import (
	"context"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 6750 §2; RFC 9068 §4; RFC 9700 §4.3.2: access tokens at the FHIR API.
var bearerChecks = []Check{
	{ID: "RS-03", Level: SHALL, Section: "RFC 9700 §4.3.2",
		Expect: "a token in the query opens nothing",
		run: ofMain(func(ctx context.Context, p *probe.Probe, _ *probe.Grant) Verdict {
			if _, _, err := reading(ctx, p); err != nil {
				return unknown(err)
			}
			g, err := p.Fresh(ctx, "for a token that is sent in a URL")
			if err != nil {
				return unknown(err)
			}
			path, err := ownRecord(g)
			if err != nil {
				return unknown(err)
			}
			a, err := p.FHIR(ctx, "", path+"?access_token="+url.QueryEscape(g.Access()))
			return status(a, err, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden)
		})},
	{ID: "AT-05", Level: SHALL, Section: "RFC 9068 §4",
		Expect: "a token with one character changed opens nothing",
		run:    asBearer(func(g *probe.Grant) string { return probe.Spoiled(g.Access()) })},
	{ID: "AT-04", Level: SHALL, Section: "RFC 9068 §4",
		Expect: "an ID token opens nothing",
		run:    asBearer(func(g *probe.Grant) string { return g.Text("id_token") })},
	{ID: "RT-30", Level: SHALL, Section: "RFC 6749 §1.5",
		Expect: "a refresh token opens nothing",
		run:    asBearer((*probe.Grant).Refresh)},
	{ID: "TK-11", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "an access token refreshes nothing",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			a, err := p.RenewAs(ctx, g.Request.Client, g.Access(), "")
			return noToken(a, err, "invalid_grant")
		})},
	{ID: "CORS-09", Level: SHALL, Section: "Fetch §4.9",
		Expect: "no answer is readable by every origin and with credentials",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			for _, target := range []string{p.SMARTURL(), p.Base + "/metadata", p.Base + "/Patient/conformance"} {
				a, err := p.Get(ctx, target, "Origin", stranger)
				if err != nil {
					return unknown(err)
				}
				if a.Header.Get("Access-Control-Allow-Credentials") == "true" {
					return fail("%s allows credentials to %s", target, stranger)
				}
			}
			return pass("three answers")
		}},
}

// asBearer sends another text in place of the access token.
func asBearer(text func(g *probe.Grant) string) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		g, path, err := reading(ctx, p)
		if err != nil {
			return unknown(err)
		}
		other := text(g)
		if other == "" {
			return absent("there is none")
		}
		a, err := p.FHIR(ctx, other, path)
		return status(a, err, http.StatusUnauthorized)
	}
}
