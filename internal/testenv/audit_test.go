package testenv_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// What happens at the server is exported as AuditEvents, is a chain, and holds none
// of the secrets that went through it; that it was read stands in it too.
//
// spec: AUD-02, AUD-07, AUD-13, AUD-15, AUD-17
func TestTheSecurityRecordIsExportedAndVerified(t *testing.T) {
	env := testenv.Start(t)
	const chosen, wrong, secretSearch = "a planted pass phrase 1", "a planted wrong phrase 2", "planted-search-value-3"
	registered := env.Admin(http.MethodPost, "/clients", `{"client_name":"Planted","redirect_uris":["https://planted.example.org/cb"],"scope":"launch/patient patient/*.rs"}`)
	env.Admin(http.MethodPost, "/users/james/password", `{"password":"`+chosen+`"}`)
	c := env.Client("sandbox-confidential")
	b := env.Browser()
	b.Submit(b.Open(c.Request(readAll).URL()), "action", "sign-in", url.Values{"username": {"maria"}, "password": {wrong}})
	r, code, _ := pending(t, env, c, "maria")
	tokens := c.Exchange(r, code)
	access, refresh := tokens.String("access_token"), tokens.String("refresh_token")
	env.Get(access, "Observation?code="+secretSearch)
	env.Admin(http.MethodPost, "/explain", `{"token":"`+access+`","method":"GET","path":"Observation?code=`+secretSearch+`"}`)
	c.Exchange(r, code) // a replay ends the grant
	c.Post("/revoke", url.Values{"token": {refresh}})
	env.Admin(http.MethodPost, "/users/james/disable", "")
	env.Admin(http.MethodPost, "/keys/rotate", "")

	export := env.Admin(http.MethodGet, "/audit/export", "")
	kinds := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(export.Raw), "\n") {
		var e struct {
			ResourceType, Recorded, Outcome string
			Subtype                         []struct{ System, Code string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ResourceType != "AuditEvent" || !strings.HasSuffix(e.Recorded, "Z") {
			t.Fatalf("%v: %s", err, line)
		}
		kinds[e.Subtype[len(e.Subtype)-1].Code]++
	}
	for _, kind := range []string{"login", "login.failed", "client.added", "password.set", "user.disabled", "keys.rotated", "grant.ended", "access.explained", "audit.exported"} {
		if kinds[kind] == 0 {
			t.Errorf("no event %s in %v", kind, kinds)
		}
	}
	for name, secret := range map[string]string{
		"password": chosen, "wrong password": wrong, "search": secretSearch, "code": code, "access token": access, "refresh token": refresh,
		"client secret": registered.String("client_secret"), "a name": "Lopez",
	} {
		if secret == "" || strings.Contains(export.Raw, secret) {
			t.Errorf("%s %q is in the record, or was none", name, secret)
		}
	}
	report := env.Admin(http.MethodPost, "/audit/verify", "")
	if report.Status != http.StatusOK || !strings.Contains(report.Raw, `"ok":true`) || report.String("head") == "" {
		t.Fatalf("%d %s", report.Status, report.Raw)
	}
	if again := env.Admin(http.MethodPost, "/audit/verify?head="+report.String("head"), ""); !strings.Contains(again.Raw, `"ok":true`) {
		t.Error(again.Raw)
	}
	for path, method := range map[string]string{"/audit/verify?head=nonsense": "POST", "/audit/export?since=yesterday": "GET"} {
		if a := env.Admin(method, path, ""); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, a.Status, a.Raw)
		}
	}
	if later := env.Admin(http.MethodGet, "/audit/export?since=2999-01-01T00:00:00Z", ""); later.Status != http.StatusOK || later.Raw != "" {
		t.Errorf("events of the future: %s", later.Raw)
	}
}
