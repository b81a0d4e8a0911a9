package suite

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, conformance: capabilities; FHIR R4, capabilities.
var capabilityChecks = []Check{
	{ID: "DISC-15", Level: SHALL, Section: "SMART App Launch 2.2, asymmetric clients",
		Expect: "private_key_jwt and its algorithms are listed when asymmetric clients are advertised",
		run: ofSMART(func(doc agent.Answer) Verdict {
			if !doc.Lists("capabilities", "client-confidential-asymmetric") {
				return absent("client-confidential-asymmetric is not advertised")
			}
			if !doc.Lists("token_endpoint_auth_methods_supported", probe.AuthJWT) {
				return fail("private_key_jwt is not listed")
			}
			const name = "token_endpoint_auth_signing_alg_values_supported"
			if !doc.Lists(name, "RS384") && !doc.Lists(name, "ES384") {
				return fail("neither RS384 nor ES384 is listed")
			}
			return listsNone(doc, name, "none", "HS256")
		})},
	{ID: "DISC-25", Level: SHALL, Section: "SMART App Launch 2.2, conformance",
		Expect: "capabilities that SMART does not define are full URIs",
		run: ofSMART(func(doc agent.Answer) Verdict {
			list, _ := doc.List("capabilities")
			for _, c := range list {
				if !slices.Contains(definedCapabilities, c) && !strings.Contains(c, ":") {
					return fail("%q is neither defined by SMART nor a URI", c)
				}
			}
			return pass("%d capabilities", len(list))
		})},
	{ID: "DISC-28", Level: SHALL, Section: "FHIR R4, capabilities",
		Expect: "the CapabilityStatement needs no token",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.Capability(ctx)
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			if a.Text("resourceType") != "CapabilityStatement" {
				return fail("status 200, and no CapabilityStatement")
			}
			return pass("status 200")
		}},
	{ID: "DISC-29", Level: SHOULD, Section: "FHIR R4, security",
		Expect: "it names SMART-on-FHIR as a security service",
		run: ofSecurity(func(_ agent.Answer, s securityOfREST) Verdict {
			for _, service := range s.Service {
				for _, c := range service.Coding {
					if c.Code == "SMART-on-FHIR" {
						return pass("the coding is there")
					}
				}
			}
			return fail("no coding SMART-on-FHIR in rest.security.service")
		})},
	{ID: "DISC-30", Level: SHALL, Section: "SMART App Launch 1.0, conformance",
		Expect: "its oauth-uris extension, if any, mirrors the SMART configuration",
		run:    ofSecurity(mirrorsEndpoints)},
}

// definedCapabilities are of SMART App Launch 1.0 to 2.2.
var definedCapabilities = []string{
	"launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric",
	"client-confidential-asymmetric", "sso-openid-connect", "context-banner", "context-style", "context-ehr-patient",
	"context-ehr-encounter", "context-standalone-patient", "context-standalone-encounter", "permission-offline",
	"permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2", "smart-app-state",
}

// securityOfREST is CapabilityStatement.rest.security.
type securityOfREST struct {
	Extension []extension `json:"extension"`
	Service   []struct {
		Coding []struct {
			Code string `json:"code"`
		} `json:"coding"`
	} `json:"service"`
}

type extension struct {
	URL       string      `json:"url"`
	ValueURI  string      `json:"valueUri"`
	Extension []extension `json:"extension"`
}

// ofSecurity judges rest.security beside the SMART configuration.
func ofSecurity(judge func(smart agent.Answer, s securityOfREST) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		smart, err := p.SMART(ctx)
		if err != nil {
			return unknown(err)
		}
		a, err := p.Capability(ctx)
		if v := status(a, err, http.StatusOK); v.outcome != Pass {
			return unknown(errNoStatement)
		}
		var statement struct {
			REST []struct {
				Security securityOfREST `json:"security"`
			} `json:"rest"`
		}
		if err := decode(a.Body, &statement); err != nil || len(statement.REST) == 0 {
			return fail("the CapabilityStatement has no rest")
		}
		return judge(smart, statement.REST[0].Security)
	}
}

// mirrorsEndpoints: SMART App Launch 1.0, conformance: oauth-uris.
func mirrorsEndpoints(smart agent.Answer, s securityOfREST) Verdict {
	i := slices.IndexFunc(s.Extension, func(e extension) bool { return strings.HasSuffix(e.URL, "/oauth-uris") })
	if i < 0 {
		return absent("there is no oauth-uris extension")
	}
	stated := map[string]string{}
	for _, e := range s.Extension[i].Extension {
		stated[e.URL] = e.ValueURI
	}
	for name, memberName := range map[string]string{
		"authorize": "authorization_endpoint", "token": "token_endpoint", "register": "registration_endpoint",
		"introspect": "introspection_endpoint", "revoke": "revocation_endpoint", "manage": "management_endpoint",
	} {
		if stated[name] != smart.Text(memberName) {
			return fail("%s is %q, and %s is %q", name, stated[name], memberName, smart.Text(memberName))
		}
	}
	return pass("they are equal")
}
