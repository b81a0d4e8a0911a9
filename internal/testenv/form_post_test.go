package testenv_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// answerForm is the form that brings an answer to the app.
func answerForm(t *testing.T, p testenv.Page, c *testenv.Client) url.Values {
	t.Helper()
	if p.Left != nil || len(p.Forms) != 1 || p.Forms[0].Action != c.RedirectURI {
		t.Fatalf("no form to the app: %s\n%s", p.Describe(), p.Body)
	}
	if p.Header.Get("Cache-Control") != "no-store" || !strings.Contains(p.Header.Get("Content-Security-Policy"), "form-action https:; script-src 'sha256-") {
		t.Errorf("headers %v", p.Header)
	}
	return p.Forms[0].Values
}

// The whole way with response_mode=form_post: the code comes in a form, also for a
// request that was pushed, and is good for tokens; so does a refusal.
//
// spec: AUTHZ-37, DISC-18
func TestAnAnswerByForm(t *testing.T) {
	env := testenv.Start(t)
	for _, path := range []string{"/.well-known/openid-configuration", "/fhir/.well-known/smart-configuration"} {
		_, doc := document(t, env, path)
		if modes, _ := doc["response_modes_supported"].([]any); !slices.Equal(modes, []any{"query", "form_post"}) {
			t.Errorf("%s: response modes %v", path, modes)
		}
	}
	c := env.Register(`{"client_name":"Portal <b>","redirect_uris":["https://portal.example.org/signin-oidc"],"scope":"launch/patient patient/*.rs openid fhirUser offline_access"}`)
	for name, push := range map[string]bool{"at once": false, "pushed": true} {
		r := c.Request("launch/patient patient/Patient.rs openid", "response_mode", "form_post")
		if push {
			r = c.Push(r)
		}
		b := env.Browser()
		p := b.Submit(b.SignIn(b.Open(r.URL()), "maria"), "decision", "allow", nil)
		fields := answerForm(t, p, c)
		if p.Status != http.StatusOK || fields.Get("state") != r.Values.Get("state") || fields.Get("iss") != env.URL || strings.Contains(p.URL.String(), fields.Get("code")) {
			t.Errorf("%s: %s %v", name, p.Describe(), fields)
		}
		if a := c.Exchange(r, fields.Get("code")); a.Status != http.StatusOK || a.String("id_token") == "" {
			t.Errorf("%s: %s", name, a.Raw)
		}
		if again := b.Open(p.URL.RequestURI()); again.Status != http.StatusBadRequest || len(again.Forms) != 0 {
			t.Errorf("%s: the page comes again: %s", name, again.Describe())
		}
		r = c.Request("launch/patient patient/Patient.rs openid", "response_mode", "form_post", "prompt", "consent")
		if fields := answerForm(t, b.Submit(b.Open(r.URL()), "decision", "deny", nil), c); fields.Get("error") != "access_denied" || fields.Has("code") {
			t.Errorf("%s: refused: %v", name, fields)
		}
	}
}
