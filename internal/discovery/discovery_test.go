package discovery_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/emberlatch/emberlatch/internal/discovery"
)

func features(capabilities ...string) discovery.Features {
	return discovery.Features{
		Issuer: "https://ehr.example.org", FHIRBase: "https://ehr.example.org/fhir", Authorize: "/authorize", Token: "/token",
		Introspect: "/introspect", Revoke: "/revoke", UserInfo: "/userinfo", JWKS: "/jwks.json", Logout: "/logout", Manage: "/manage",
		Capabilities: capabilities, Scopes: []string{"patient/*.rs"}, GrantTypes: []string{"authorization_code"}, AuthMethods: []string{"none"},
		IDTokenAlgorithms: []string{"RS256"},
	}
}

// The issuer of ID tokens stands in the SMART configuration exactly when there are
// ID tokens.
//
// spec: DISC-11
func TestTheIssuerStandsWithSingleSignOn(t *testing.T) {
	const sso = "sso-openid-connect"
	for _, capabilities := range [][]string{{"launch-standalone", sso}, {"launch-standalone"}} {
		d, err := discovery.New(features(capabilities...), func() []byte { return []byte(`{"keys":[]}`) })
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		d.SMARTConfiguration(w, httptest.NewRequest(http.MethodGet, "/fhir/.well-known/smart-configuration", nil))
		var doc map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		if _, there := doc["issuer"]; there != slices.Contains(capabilities, sso) {
			t.Errorf("capabilities %v, issuer %v", capabilities, doc["issuer"])
		}
	}
}
