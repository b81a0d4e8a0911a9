package testenv_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// The example of the page that the product was described by: a confidential
// desktop client without PKCE and state, a code off a page, the secret in the body,
// a scope that is ignored.
//
// spec: AUTHZ-22, AUTHZ-48, TOK-04, TOK-08, TOK-09, TOK-10, TOK-11, TOK-13, CAUTH-05, CONS-01, LOGIN-01, PKCE-08, SCOPE-10, CTX-15, CTX-16
func TestTheExampleOfThePage(t *testing.T) {
	env := testenv.Start(t)
	const client, secret, oob = "C85533AE-E3A4-455C-BE5C-DAC0F695408F", "supersecret", "urn:ietf:wg:oauth:2.0:oob"
	const scope = "launch/patient patient/*.read openid fhirUser offline_access"
	b := env.Browser()
	p := b.Open("/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {oob}, "scope": {scope}, "aud": {env.FHIR},
	}.Encode())
	p = b.SignIn(p, "maria")
	if !p.HasButton("decision", "allow") || !p.HasButton("decision", "deny") {
		t.Fatalf("no approval page on the first use: %s", p.Body)
	}
	p = b.Submit(p, "decision", "allow", nil)
	code := p.Value(t, "authorization-code")
	if p.Status != http.StatusOK || len(code) < 40 {
		t.Fatalf("no code on the page: %s %q", p.Describe(), code)
	}
	if strings.Contains(p.URL.String(), code) {
		t.Error("the code stands in the URL")
	}
	req, err := http.NewRequest(http.MethodPost, env.URL+"/token", strings.NewReader(url.Values{
		"code": {code}, "redirect_uri": {oob}, "client_id": {client}, "scope": {scope}, "client_secret": {secret}, "grant_type": {"authorization_code"},
	}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a := env.Send(req)
	if a.Status != http.StatusOK || a.Body["expires_in"] != 1200.0 || a.String("token_type") != "Bearer" {
		t.Fatalf("token answer: %d %s", a.Status, a.Raw)
	}
	if got := strings.Count(a.String("access_token"), "."); got != 2 {
		t.Errorf("the access token has %d parts", got+1)
	}
	if a.String("patient") != "maria" || a.String("scope") != scope {
		t.Errorf("patient %q, scope %q", a.String("patient"), a.String("scope"))
	}
	token := a.String("access_token")
	if got := env.Get(token, "Patient/maria"); got.Status != http.StatusOK {
		t.Errorf("own record: %d %s", got.Status, got.Raw)
	}
	if got := env.Get(token, "Condition?patient=maria"); got.Status != http.StatusOK || !strings.Contains(got.Raw, "44054006") {
		t.Errorf("own problems: %d %s", got.Status, got.Raw)
	}
	missing, other := env.Get(token, "Patient/nobody"), env.Get(token, "Patient/james")
	if other.Status != http.StatusNotFound || other.Raw != missing.Raw {
		t.Errorf("the record of another: %d %s; a missing one: %d %s", other.Status, other.Raw, missing.Status, missing.Raw)
	}
	if got := env.Get(token, "Condition?patient=james"); got.Status != http.StatusOK || strings.Contains(got.Raw, `"entry"`) {
		t.Errorf("the problems of another: %d %s", got.Status, got.Raw)
	}
}
