package suite

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

const formType = "application/x-www-form-urlencoded"

// RFC 6749 §3.2, §4.1.3, §5.2; RFC 9700 §2.1.1, §4.5: codes and the token endpoint.
var codeChecks = []Check{
	{ID: "AUTHZ-22", Level: SHALL, Section: "RFC 6749 §10.10",
		Expect: "a code has room for 128 bits, and two differ",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			_, other, err := p.Code(ctx, "to compare codes")
			if err != nil {
				return unknown(err)
			}
			first := g.Callback.Get("code")
			if len(first) < 22 || first == other {
				return fail("%d characters, equal: %t", len(first), first == other)
			}
			return pass("%d characters", len(first))
		})},
	{ID: "TK-01", Level: SHALL, Section: "RFC 6749 §4.1.2",
		Expect: "a code is good once",
		run: ofReplay(func(_ context.Context, _ *probe.Probe, _ *probe.Grant, again agent.Answer) Verdict {
			return noToken(again, nil, "invalid_grant")
		})},
	{ID: "AUTHZ-25", Level: SHOULD, Section: "RFC 9700 §2.1.1",
		Expect: "a replay ends the access token that the code gave",
		run: ofReplay(func(ctx context.Context, p *probe.Probe, g *probe.Grant, _ agent.Answer) Verdict {
			return dead(ctx, p, g)
		})},
	{ID: "AUTHZ-25b", Level: SHOULD, Section: "RFC 9700 §2.1.1",
		Expect: "and its refresh token",
		run: ofReplay(func(ctx context.Context, p *probe.Probe, g *probe.Grant, _ agent.Answer) Verdict {
			if g.Refresh() == "" {
				return absent("there is no refresh token")
			}
			a, err := p.RenewAs(ctx, g.Request.Client, g.Refresh(), "")
			return noToken(a, err, "invalid_grant")
		})},
	{ID: "TOK-18", Level: SHALL, Section: "RFC 6749 §4.1.3",
		Expect: "a code with another redirect URI is refused",
		run: redeem(func(r probe.Request, code string) url.Values {
			return probe.CodeForm(r, code, "redirect_uri", r.Values.Get("redirect_uri")+"/")
		}, "invalid_grant")},
	{ID: "TK-06", Level: SHALL, Section: "RFC 6749 §4.1.3",
		Expect: "a code without its redirect URI is refused",
		run: redeem(func(r probe.Request, code string) url.Values {
			return probe.CodeForm(r, code, "redirect_uri", "")
		}, "invalid_grant", "invalid_request")},
	{ID: "TOK-19", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "a code of another client is refused",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			second, err := p.Second()
			if err != nil {
				return unknown(err)
			}
			r, code, err := p.Code(ctx, "for a code that another client tries")
			if err != nil {
				return unknown(err)
			}
			a, err := p.Token(ctx, second, probe.CodeForm(r, code))
			return noToken(a, err, "invalid_grant")
		}},
	{ID: "TOK-20", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "a made-up code gets 400 with invalid_grant",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			r, err := p.Usual(ctx, "")
			if err != nil {
				return unknown(err)
			}
			a, err := p.Exchange(ctx, r, "conformance-made-up")
			return all(noToken(a, err, "invalid_grant"), status(a, err, http.StatusBadRequest))
		}},
	{ID: "TOK-01", Level: SHALL, Section: "RFC 6749 §3.2",
		Expect: "a code by GET is refused",
		run: raw(func(form url.Values) rawRequest {
			return rawRequest{http.MethodGet, form.Encode(), "", ""}
		})},
	{ID: "TOK-01b", Level: SHALL, Section: "RFC 6749 §3.2",
		Expect: "a code in a JSON body is refused",
		run: rawForm(func(form url.Values) (string, string) {
			object := map[string]string{}
			for name := range form {
				object[name] = form.Get(name)
			}
			body, _ := json.Marshal(object) //nolint:errchkjson // strings only
			return "application/json", string(body)
		})},
	{ID: "TOK-02", Level: SHALL, Section: "RFC 6749 §2.3.1",
		Expect: "a code in the query of a POST is refused",
		run: raw(func(form url.Values) rawRequest {
			return rawRequest{http.MethodPost, form.Encode(), formType, ""}
		})},
	{ID: "TOK-03", Level: SHALL, Section: "RFC 6749 §3.2",
		Expect: "a code sent twice is refused",
		run: rawForm(func(form url.Values) (string, string) {
			return formType, form.Encode() + "&code=" + url.QueryEscape(form.Get("code"))
		})},
	{ID: "TK-21", Level: SHOULD, Section: "RFC 6749 §3.2",
		Expect: "a body with a malformed escape is refused",
		run: rawForm(func(form url.Values) (string, string) {
			return formType, form.Encode() + "&conformance=%ZZ"
		})},
	{ID: "TK-23", Level: SHALL, Section: "RFC 6749 §3.3",
		Expect: "a scope beside a code widens nothing",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			r, code, err := p.Code(ctx, "for a code with a wider scope")
			if err != nil {
				return unknown(err)
			}
			a, err := p.Exchange(ctx, r, code, "scope", "user/*.cruds system/*.cruds")
			if err != nil {
				return unknown(err)
			}
			asked := strings.Fields(r.Values.Get("scope"))
			for _, s := range strings.Fields(a.Text("scope")) {
				if !slices.Contains(asked, s) && (strings.HasPrefix(s, "user/") || strings.HasPrefix(s, "system/")) {
					return fail("%s is granted", s)
				}
			}
			return pass("%s", probe.Describe(a))
		}},
	{ID: "AUTHZ-36", Level: SHALL, Section: "RFC 9700 §2.4",
		Expect: "the password grant does not exist",
		run:    grantType("password", "username", "conformance", "password", "conformance")},
	{ID: "ERR-26", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "an unknown grant type is unsupported_grant_type",
		run:    grantType("urn:conformance:nothing")},
}

func grantType(name string, more ...string) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		c, err := p.Primary()
		if err != nil {
			return unknown(err)
		}
		form := url.Values{"grant_type": {name}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		a, err := p.Token(ctx, c, form)
		return noToken(a, err, "unsupported_grant_type")
	}
}

// redeem spoils the redemption of a fresh code.
func redeem(form func(r probe.Request, code string) url.Values, codes ...string) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		r, code, err := p.Code(ctx, "for a code that is redeemed wrongly")
		if err != nil {
			return unknown(err)
		}
		a, err := p.Token(ctx, r.Client, form(r, code))
		return noToken(a, err, codes...)
	}
}

// ofReplay redeems a code twice, once for all checks, and judges what came of it.
func ofReplay(judge func(ctx context.Context, p *probe.Probe, g *probe.Grant, again agent.Answer) Verdict) check {
	return ofMain(func(ctx context.Context, p *probe.Probe, _ *probe.Grant) Verdict {
		g, err := p.Launch(ctx, "replayed", func() (probe.Request, error) { return p.Usual(ctx, "for a code that is redeemed twice") })
		if err != nil {
			return unknown(err)
		}
		if g.Again == nil {
			a, err := p.Exchange(ctx, g.Request, g.Callback.Get("code"))
			if err != nil {
				return unknown(err)
			}
			g.Again = &a
		}
		return judge(ctx, p, g, *g.Again)
	})
}

// rawRequest is a token request that is no form in a body.
type rawRequest struct{ method, query, mediaType, body string }

// raw sends a fresh code in a request of another shape.
func raw(shape func(form url.Values) rawRequest) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		r, code, err := p.Code(ctx, "for a code that is sent in another shape")
		if err != nil {
			return unknown(err)
		}
		form, headers, err := p.WithCredentials(ctx, r.Client, probe.CodeForm(r, code))
		if err != nil {
			return unknown(err)
		}
		q := shape(form)
		a, err := p.TokenRaw(ctx, q.method, q.query, q.mediaType, q.body, headers...)
		return refused(a, err)
	}
}

// rawForm sends a fresh code in a body of another shape.
func rawForm(shape func(form url.Values) (mediaType, body string)) check {
	return raw(func(form url.Values) rawRequest {
		mediaType, body := shape(form)
		return rawRequest{http.MethodPost, "", mediaType, body}
	})
}
