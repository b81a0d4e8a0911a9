package suite

import (
	"context"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 6749 §3.1 and §4.1; RFC 9700 §2.1.2; RFC 9207: authorization requests.
var requestChecks = []Check{
	{ID: "AZ-01", Level: SHALL, Section: "RFC 6749 §4.1.2.1",
		Expect: "an unknown client gets a page",
		run:    pageOnly(func(v url.Values) { v.Set("client_id", "conformance-nobody") })},
	{ID: "ERR-01", Level: SHALL, Section: "RFC 6749 §4.1.2.1",
		Expect: "a request without client_id gets a page",
		run:    pageOnly(func(v url.Values) { v.Del("client_id") })},
	{ID: "AZ-03", Level: SHALL, Section: "RFC 6749 §3.1",
		Expect: "redirect_uri twice gets a page",
		run: pageFor(func(v url.Values) {
			v["redirect_uri"] = []string{v.Get("redirect_uri"), "https://evil.test/cb"}
		})},
	{ID: "AZ-03b", Level: SHALL, Section: "RFC 6749 §3.1",
		Expect: "in the opposite order, too",
		run: pageFor(func(v url.Values) {
			v["redirect_uri"] = []string{"https://evil.test/cb", v.Get("redirect_uri")}
		})},
	{ID: "AUTHZ-34", Level: SHALL, Section: "RFC 6749 §3.1",
		Expect: "another parameter twice is refused",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			r, err := p.Usual(ctx, "a request that must be refused")
			if err != nil {
				return unknown(err)
			}
			r.Values.Add("scope", r.Values.Get("scope"))
			page, err := p.Attempt(ctx, r)
			return noCode(page, err, "invalid_request")
		}},
	{ID: "AUTHZ-35", Level: SHALL, Section: "RFC 9700 §2.1.2",
		Expect: "response_type=token is refused",
		run:    attempt("response_type", "token")},
	{ID: "AUTHZ-35b", Level: SHALL, Section: "RFC 9700 §2.1.2",
		Expect: "response_type=id_token is refused",
		run:    attempt("response_type", "id_token")},
	{ID: "AUTHZ-35c", Level: SHALL, Section: "RFC 9700 §2.1.2",
		Expect: "response_type=code id_token is refused",
		run:    attempt("response_type", "code id_token")},
	{ID: "ERR-05", Level: SHALL, Section: "RFC 6749 §4.1.2.1",
		Expect: "a request without response_type is refused",
		run:    attemptFor([]string{"invalid_request", "unsupported_response_type"}, "response_type", "")},
	{ID: "AZ-21", Level: SHALL, Section: "OpenID Connect Core §3.1.2.6",
		Expect: "a request_uri of nobody is refused",
		run:    attempt("request_uri", "https://conformance.example/request")},
	{ID: "AZ-39", Level: SHALL, Section: "RFC 9207 §2",
		Expect: "iss is in the answer when that is advertised",
		run:    ofAnswerIssuer},
	{ID: "AUTHZ-19", Level: SHALL, Section: "RFC 6749 §4.1.2.1",
		Expect: "an error answer carries state",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			r, err := p.Usual(ctx, "a request that must be refused", "response_type", "token")
			if err != nil {
				return unknown(err)
			}
			page, err := p.Attempt(ctx, r)
			switch {
			case err != nil:
				return unknown(err)
			case page.Left == nil:
				return absent("the error is shown on a page")
			case page.Left.Query().Get("error") == "":
				return absent("there is no error in the query")
			case page.Left.Query().Get("state") != r.Values.Get("state"):
				return fail("state is not the one that was sent")
			}
			return pass("it does")
		}},
	{ID: "AUTHZ-32", Level: SHALL, Section: "RFC 9700 §2.6",
		Expect: "no page of another origin may call the authorization endpoint",
		run: ofEndpoint("authorization_endpoint", func(ctx context.Context, p *probe.Probe, endpoint string) Verdict {
			a, err := p.Get(ctx, endpoint, "Origin", stranger)
			if err != nil {
				return unknown(err)
			}
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != "" {
				return fail("Access-Control-Allow-Origin is %q", got)
			}
			return pass("no Access-Control-Allow-Origin")
		})},
	{ID: "AUTHZ-56", Level: SHOULD, Section: "RFC 9110 §15.5.6",
		Expect: "methods other than GET and POST are refused",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			r, err := p.Usual(ctx, "")
			if err != nil {
				return unknown(err)
			}
			r.Method = http.MethodPut
			page, err := p.Open(ctx, p.Stranger(), r)
			return refused(page.Answer, err)
		}},
	{ID: "DISC-37", Level: SHALL, Section: "RFC 9700 §4.13",
		Expect: "advertised URLs do not come from the request",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			doc, err := p.SMART(ctx)
			if err != nil {
				return unknown(err)
			}
			for _, headers := range [][]string{{"Host", "evil.test"}, {"X-Forwarded-Host", "evil.test"}, {"Forwarded", "host=evil.test"}} {
				a, err := p.Get(ctx, p.SMARTURL(), headers...)
				if err != nil {
					return unknown(err)
				}
				if a.Status == http.StatusOK && a.Text("token_endpoint") != doc.Text("token_endpoint") {
					return fail("with %s the token endpoint is %q", headers[0], a.Text("token_endpoint"))
				}
			}
			return pass("three forged headers change nothing")
		}},
}

// RFC 9207 §2 and §3.
func ofAnswerIssuer(ctx context.Context, p *probe.Probe) Verdict {
	g, err := p.Main(ctx)
	if err != nil {
		return unknown(err)
	}
	advertised := false
	if doc, err := p.SMART(ctx); err == nil {
		advertised = doc.Object["authorization_response_iss_parameter_supported"] == true
	}
	if doc, err := p.Provider(ctx); err == nil && !advertised {
		advertised = doc.Object["authorization_response_iss_parameter_supported"] == true
	}
	if !advertised {
		return absent("authorization_response_iss_parameter_supported is not advertised")
	}
	issuer, err := p.Issuer(ctx)
	if err != nil {
		return unknown(err)
	}
	if g.Callback.Get("iss") != issuer {
		return fail("iss is %q, the issuer is %q", g.Callback.Get("iss"), issuer)
	}
	return pass("%s", issuer)
}
