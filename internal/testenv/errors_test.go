package testenv_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// lines is a log that tests read: one JSON object a line.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// of returns the lines about one request at the level of production.
func (l *lines) of(t *testing.T, id string) (found []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m["id"] == id {
			found = append(found, m)
		}
	}
	return found
}

// The number on an error page is that of the answer and of the one line in the log,
// which names the error; the page names it too, with the parameter and the rule, and
// leads to its explanation.
//
// spec: ERR-01, ERR-23
func TestTheNumberOfAnErrorLeadsToTheLog(t *testing.T) {
	log := &lines{}
	env := testenv.StartLogged(t, slog.NewJSONHandler(log, nil)) // Info, as in production
	c := env.Client("sandbox-native")
	for _, row := range []struct{ name, path, code, slug, parameter, section string }{
		{"unknown client", c.Request(readAll, "client_id", "nobody").URL(), "invalid_request", "client.unknown", "client_id", "RFC 6749 §4.1.2.1"},
		{"another redirect URI", c.Request(readAll, "redirect_uri", "https://evil.test/cb").URL(), "invalid_request", "client.redirect_not_registered", "redirect_uri", "RFC 9700 §2.1"},
		{"expired", "/authorize/continue?request=rq_x", "", "request.expired", "", "WCAG 2.2, 2.2.1"},
		{"logout", "/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.test&client_id=sandbox-native", "invalid_request", "logout.redirect_not_registered", "post_logout_redirect_uri", "OpenID Connect RP-Initiated Logout 1.0 §2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := env.Browser().Open(row.path)
			id := p.Value(t, "error-id")
			if id == "" || p.Header.Get("X-Request-Id") != id {
				t.Fatalf("the page says %q, the header %q", id, p.Header.Get("X-Request-Id"))
			}
			for _, want := range []string{`href="/errors#` + row.slug + `">` + row.slug, row.parameter, row.section} {
				if !strings.Contains(p.Body, want) {
					t.Errorf("the page says nothing of %q", want)
				}
			}
			found := log.of(t, id)
			if len(found) != 1 || found[0]["error"] != row.code || found[0]["slug"] != row.slug || found[0]["status"] != float64(p.Status) {
				t.Errorf("the log says %v", found)
			}
		})
	}
}

// Errors that go to apps carry error_uri, which leads to their explanation: a page
// that everybody may read, in the language of the reader, with no script. Their line
// in the log has the number of X-Request-Id, and nothing that was sent.
//
// spec: ERR-38
func TestErrorURILeadsToTheExplanation(t *testing.T) {
	log := &lines{}
	env := testenv.StartLogged(t, slog.NewJSONHandler(log, nil))
	c := env.Client("sandbox-browser")
	page := env.Browser().Open("/errors").Body
	explained := func(name, uri, slug, code string, header http.Header) {
		t.Helper()
		if uri != env.URL+"/errors#"+slug || !strings.Contains(page, `id="`+slug+`"`) {
			t.Errorf("%s: error_uri %q, want the explanation of %s", name, uri, slug)
		}
		found := log.of(t, header.Get("X-Request-Id"))
		if len(found) != 1 || found[0]["error"] != code || found[0]["slug"] != slug && slug != code {
			t.Errorf("%s: the log says %v", name, found)
		}
	}
	for _, row := range []struct{ path, body, code, slug string }{
		{"/token", "grant_type=password", "unsupported_grant_type", "grant_type.unsupported"},
		{"/token", "grant_type=authorization_code&client_id=hunter2-not-a-client&code=ac_hunter2", "invalid_client", "client.not_authenticated"},
		{"/token", "grant_type=authorization_code&client_id=sandbox-browser&code=ac_hunter2&redirect_uri=x&code_verifier=" + strings.Repeat("v", 43), "invalid_grant", "code.refused"},
		{"/token", "grant_type=refresh_token&client_id=sandbox-browser&refresh_token=rt_hunter2", "invalid_grant", "refresh_token.refused"},
		{"/token", "grant_type=a&grant_type=b", "invalid_request", "request.repeated"},
		{"/revoke", "client_id=sandbox-browser", "invalid_request", "request.parameter_missing"},
		{"/introspect", "client_id=sandbox-browser&token=hunter2", "invalid_client", "client.without_secret"},
		{"/launch", "client_id=sandbox-browser", "unauthorized_client", "client.may_not_launch"},
	} {
		a := send(t, env, row.path, "application/x-www-form-urlencoded", row.body)
		if a.String("error") != row.code {
			t.Errorf("%s %s: %s", row.path, row.body, a.Raw)
		}
		explained(row.path+" "+row.slug, a.String("error_uri"), row.slug, row.code, a.Header)
	}
	for _, row := range []struct{ parameter, value, code, slug string }{
		{"aud", "https://evil.example.org/fhir", "invalid_request", "launch.aud_mismatch"},
		{"code_challenge_method", "plain", "invalid_request", "pkce.method"},
		{"scope", "nonsense/hunter2", "invalid_scope", "scope.not_allowed_for_client"},
		{"prompt", "none", "login_required", "prompt.login"},
	} {
		p := env.Browser().Open(c.Request(readAll, row.parameter, row.value).URL())
		if p.Left == nil || p.Left.Query().Get("error") != row.code {
			t.Fatalf("%s: %s", row.slug, p.Describe())
		}
		explained(row.slug, p.Left.Query().Get("error_uri"), row.slug, row.code, p.Header)
	}
	if text := log.text.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "evil") {
		t.Error("the log holds what was sent")
	}
}

// The page that explains errors is for everybody: no session, no script, two
// languages, and every error and code at an address of its own.
//
// spec: ERR-38
func TestTheExplanationsAreForEverybody(t *testing.T) {
	env := testenv.Start(t)
	for lang, heading := range map[string]string{"en": "For the developer of an app", "es": "Para quien desarrolla una aplicación"} {
		p := env.Browser().Open("/errors?" + url.Values{"lang": {lang}}.Encode())
		if p.Status != http.StatusOK || !strings.Contains(p.Body, heading) || strings.Contains(p.Body, "<script") {
			t.Errorf("%s: %s", lang, p.Describe())
		}
	}
}
