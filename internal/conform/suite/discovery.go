package suite

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, conformance: the SMART configuration.
var discoveryChecks = []Check{
	{ID: "DISC-01", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "the SMART configuration stands below the FHIR base",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.Get(ctx, p.SMARTURL())
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			if a.Object == nil {
				return fail("status 200, and no JSON object")
			}
			return pass("%s", p.SMARTURL())
		}},
	{ID: "DISC-02", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "it is application/json whatever the Accept header says",
		run:    smartAccept},
	{ID: "DISC-03", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "it needs no authorization and ignores a bad one",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.Get(ctx, p.SMARTURL(), "Authorization", "Bearer junk")
			return status(a, err, http.StatusOK)
		}},
	{ID: "DISC-04", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "every endpoint is an absolute https URL (http on loopback only)",
		run:    ofSMART(absoluteURLs)},
	{ID: "DISC-05", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "authorization_endpoint is there when a launch is advertised",
		run: ofSMART(func(doc agent.Answer) Verdict {
			if !doc.Lists("capabilities", "launch-standalone") && !doc.Lists("capabilities", "launch-ehr") {
				return absent("no launch is advertised")
			}
			return member(doc, "authorization_endpoint")
		})},
	{ID: "DISC-06", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "token_endpoint is there",
		run:    ofSMART(func(doc agent.Answer) Verdict { return member(doc, "token_endpoint") })},
	{ID: "DISC-07", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "grant_types_supported has what the launches and backend services need",
		run:    ofSMART(grantTypes)},
	{ID: "DISC-08", Level: SHOULD, Section: "RFC 9700 §2.1.2",
		Expect: "grant_types_supported has neither implicit nor password",
		run: ofSMART(func(doc agent.Answer) Verdict {
			return listsNone(doc, "grant_types_supported", "implicit", "password")
		})},
	{ID: "DISC-09", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "capabilities is an array of strings and not empty",
		run: ofSMART(func(doc agent.Answer) Verdict {
			list, ok := doc.List("capabilities")
			if !ok || len(list) == 0 {
				return fail("capabilities is missing, empty or no array of strings")
			}
			return pass("%d capabilities", len(list))
		})},
	{ID: "DISC-10", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "code_challenge_methods_supported has S256 and not plain",
		run: ofSMART(func(doc agent.Answer) Verdict {
			if !doc.Lists("code_challenge_methods_supported", "S256") {
				return fail("S256 is not listed")
			}
			return listsNone(doc, "code_challenge_methods_supported", "plain")
		})},
	{ID: "DISC-11", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "issuer is there exactly when sso-openid-connect is advertised",
		run: ofSMART(func(doc agent.Answer) Verdict {
			if advertised := doc.Lists("capabilities", "sso-openid-connect"); advertised != (doc.Text("issuer") != "") {
				return fail("sso-openid-connect advertised: %t, issuer: %q", advertised, doc.Text("issuer"))
			}
			return pass("issuer %q", doc.Text("issuer"))
		})},
	{ID: "DISC-13", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "jwks_uri is there when sso-openid-connect is advertised",
		run: signsIn(ofSMART(func(doc agent.Answer) Verdict {
			return member(doc, "jwks_uri")
		}))},
	{ID: "DISC-14", Level: SHOULD, Section: "SMART App Launch 2.2, conformance",
		Expect: "token_endpoint_auth_methods_supported fits the kinds of client that are advertised",
		run:    ofSMART(authMethods)},
	{ID: "DISC-16", Level: SHOULD, Section: "SMART App Launch 2.2, conformance",
		Expect: "scopes_supported has at least one scope for FHIR data",
		run: ofSMART(func(doc agent.Answer) Verdict {
			list, _ := doc.List("scopes_supported")
			if !slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "/") && strings.Contains(s, ".") }) {
				return fail("%d scopes, none for FHIR data", len(list))
			}
			return pass("%d scopes", len(list))
		})},
	{ID: "DISC-19", Level: SHOULD, Section: "SMART App Launch 2.2, conformance",
		Expect: "introspection_endpoint is there",
		run:    ofSMART(func(doc agent.Answer) Verdict { return member(doc, "introspection_endpoint") })},
	{ID: "DISC-20", Level: SHOULD, Section: "SMART App Launch 2.2, conformance",
		Expect: "revocation_endpoint is there",
		run:    ofSMART(func(doc agent.Answer) Verdict { return member(doc, "revocation_endpoint") })},
	{ID: "DISC-22", Level: SHOULD, Section: "RFC 9700 §2.1.2",
		Expect: "response_types_supported is code alone",
		run: ofSMART(func(doc agent.Answer) Verdict {
			list, _ := doc.List("response_types_supported")
			if !slices.Equal(list, []string{"code"}) {
				return fail("response_types_supported is %q", list)
			}
			return pass("code")
		})},
	{ID: "DISC-39", Level: SHOULD, Section: "RFC 8414 §3.3",
		Expect: "it may be cached briefly",
		run: ofSMART(func(doc agent.Answer) Verdict {
			if doc.Header.Get("Cache-Control") == "" && doc.Header.Get("ETag") == "" {
				return fail("neither Cache-Control nor ETag")
			}
			return pass("Cache-Control %q, ETag %q", doc.Header.Get("Cache-Control"), doc.Header.Get("ETag"))
		})},
	{ID: "TLS-01", Level: SHALL, Section: "45 CFR 170.315(g)(10)(iv)",
		Expect: "TLS 1.2 or newer, and nothing older",
		run:    oldTLS},
}

func smartAccept(ctx context.Context, p *probe.Probe) Verdict {
	for _, accept := range []string{"", "*/*", "application/fhir+json", "text/html"} {
		var headers []string
		if accept != "" {
			headers = []string{"Accept", accept}
		}
		a, err := p.Get(ctx, p.SMARTURL(), headers...)
		switch {
		case err != nil:
			return unknown(err)
		case a.Status != http.StatusOK || a.MediaType() != "application/json":
			return fail("with Accept %q: status %d, %s", accept, a.Status, a.MediaType())
		}
	}
	return pass("application/json for four Accept headers")
}

func member(doc agent.Answer, name string) Verdict {
	if doc.Text(name) == "" {
		return fail("%s is missing or no string", name)
	}
	return pass("%s", doc.Text(name))
}

func listsNone(doc agent.Answer, name string, unwanted ...string) Verdict {
	for _, u := range unwanted {
		if doc.Lists(name, u) {
			return fail("%s has %s", name, u)
		}
	}
	return pass("none of %s", strings.Join(unwanted, ", "))
}

func absoluteURLs(doc agent.Answer) Verdict {
	n := 0
	for name, value := range doc.Object {
		if !strings.HasSuffix(name, "_endpoint") && !strings.HasSuffix(name, "_uri") {
			continue
		}
		text, _ := value.(string)
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !agent.Loopback(u)) {
			return fail("%s is %q", name, text)
		}
		n++
	}
	return pass("%d URLs", n)
}

func grantTypes(doc agent.Answer) Verdict {
	if _, ok := doc.List("grant_types_supported"); !ok {
		return fail("grant_types_supported is missing")
	}
	for capability, grant := range map[string]string{
		"launch-standalone": "authorization_code", "launch-ehr": "authorization_code",
	} {
		if doc.Lists("capabilities", capability) && !doc.Lists("grant_types_supported", grant) {
			return fail("%s is advertised, and %s is not listed", capability, grant)
		}
	}
	return pass("they fit the capabilities")
}

func authMethods(doc agent.Answer) Verdict {
	const name = "token_endpoint_auth_methods_supported"
	if doc.Lists("capabilities", "client-confidential-symmetric") && !doc.Lists(name, probe.AuthBasic) && !doc.Lists(name, probe.AuthPost) {
		return fail("client-confidential-symmetric is advertised, and neither client_secret_basic nor client_secret_post is listed")
	}
	return pass("they fit the capabilities")
}
