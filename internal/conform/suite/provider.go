package suite

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// OpenID Connect Discovery §3 and §4; RFC 8414.
var providerChecks = []Check{
	{ID: "DISC-31", Level: SHALL, Section: "OpenID Connect Discovery §4.1",
		Expect: "the OpenID configuration stands below the issuer as application/json",
		run: signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.Provider(ctx)
			switch {
			case errors.Is(err, probe.ErrNoDocument):
				return fail("%v", err)
			case err != nil:
				return unknown(err)
			case a.MediaType() != "application/json":
				return fail("status %d, %s", a.Status, a.MediaType())
			}
			return pass("%s", a.URL)
		})},
	{ID: "DISC-32", Level: SHALL, Section: "OpenID Connect Discovery §3",
		Expect: "it has the members that OpenID Connect Discovery requires, RS256 among them",
		run:    ofProvider(requiredMembers)},
	{ID: "DISC-32b", Level: SHALL, Section: "OpenID Connect Discovery §3",
		Expect: "ID tokens are never offered with the algorithm none",
		run: ofProvider(func(doc agent.Answer) Verdict {
			return listsNone(doc, "id_token_signing_alg_values_supported", "none")
		})},
	{ID: "DISC-12", Level: SHALL, Section: "OpenID Connect Discovery §4.3",
		Expect: "issuer is equal in both documents and in the ID token",
		run:    signsIn(sameIssuer)},
	{ID: "DISC-33", Level: SHOULD, Section: "RFC 8414 §3",
		Expect: "authorization server metadata is there",
		run: signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.ServerMetadata(ctx)
			switch {
			case errors.Is(err, probe.ErrNoDocument):
				return fail("%v", err)
			case err != nil:
				return unknown(err)
			}
			return pass("%s", a.URL)
		})},
	{ID: "DISC-34", Level: SHALL, Section: "RFC 8414 §2",
		Expect: "the documents name the same endpoints",
		run:    signsIn(noContradiction)},
	{ID: "DISC-36", Level: SHOULD, Section: "OpenID Connect Discovery §3",
		Expect: "it says whether request and request_uri are supported",
		run: ofProvider(func(doc agent.Answer) Verdict {
			for _, name := range []string{"request_parameter_supported", "request_uri_parameter_supported"} {
				if _, ok := doc.Object[name].(bool); !ok {
					return fail("%s is missing", name)
				}
			}
			return pass("both are there")
		})},
	{ID: "CORS-02", Level: SHOULD, Section: "RFC 9700 §2.6",
		Expect: "any origin may read the OpenID configuration and the keys",
		run: signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
			documents := []func() (string, error){
				func() (string, error) { return p.ProviderURL(ctx) },
				func() (string, error) { return p.Endpoint(ctx, "jwks_uri") },
			}
			var list []Verdict
			for _, document := range documents {
				target, err := document()
				if err != nil {
					return unknown(err)
				}
				a, err := p.Get(ctx, target, "Origin", stranger)
				list = append(list, readableBy(a, err, stranger))
			}
			return all(list...)
		})},
}

func requiredMembers(doc agent.Answer) Verdict {
	for _, name := range []string{"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"} {
		if doc.Text(name) == "" {
			return fail("%s is missing", name)
		}
	}
	for _, name := range []string{"response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"} {
		if list, ok := doc.List(name); !ok || len(list) == 0 {
			return fail("%s is missing", name)
		}
	}
	if !doc.Lists("id_token_signing_alg_values_supported", "RS256") {
		return fail("id_token_signing_alg_values_supported has no RS256")
	}
	return pass("all of them")
}

// sameIssuer: OpenID Connect Discovery §4.3.
func sameIssuer(ctx context.Context, p *probe.Probe) Verdict {
	issuer, err := p.Issuer(ctx)
	if err != nil {
		return unknown(err)
	}
	doc, err := p.Provider(ctx)
	if err != nil {
		return unknown(err)
	}
	if doc.Text("issuer") != issuer {
		return fail("the SMART configuration says %q, the OpenID configuration %q", issuer, doc.Text("issuer"))
	}
	id, err := p.IDToken(ctx)
	if err != nil {
		return unknown(err)
	}
	if id.Text("iss") != issuer {
		return fail("the documents say %q, the ID token %q", issuer, id.Text("iss"))
	}
	return pass("%s", issuer)
}

// noContradiction compares the places that two documents share; each may list scopes
// and methods of its own.
func noContradiction(ctx context.Context, p *probe.Probe) Verdict {
	smart, err := p.SMART(ctx)
	if err != nil {
		return unknown(err)
	}
	doc, err := p.Provider(ctx)
	if err != nil {
		return unknown(err)
	}
	others := []agent.Answer{doc}
	if metadata, err := p.ServerMetadata(ctx); err == nil && metadata.Status == http.StatusOK {
		others = append(others, metadata)
	}
	for _, other := range others {
		for name, value := range smart.Object {
			isPlace := name == "issuer" || strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri")
			if theirs, shared := other.Object[name]; shared && isPlace && !reflect.DeepEqual(value, theirs) {
				return fail("%s differs in %s", name, other.URL)
			}
		}
	}
	return pass("%d documents agree with the SMART configuration", len(others))
}
