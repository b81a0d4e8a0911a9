package authorize_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// post sends a request with one part in the URL and another in the body.
func (e *env) post(query, body url.Values) answer {
	e.t.Helper()
	target := issuer + "/authorize"
	if query != nil {
		target += "?" + query.Encode()
	}
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return e.serve(e.door.ServeHTTP, r)
}

// Parameters stand in one place: what the URL of a POST says is never merged with
// its body, nor passed over.
//
// attack: AZ-05
func TestParametersAreNotMerged(t *testing.T) {
	e := newEnv(t)
	whole := e.values("web", "openid user/Patient.rs")
	first, second := url.Values{}, url.Values{}
	for name, list := range whole {
		if name < "d" {
			first[name] = list
		} else {
			second[name] = list
		}
	}
	evil := url.Values{"redirect_uri": {"https://evil.test/cb"}}
	for name, parts := range map[string][2]url.Values{
		"half and half": {first, second}, "all of it in both": {whole, whole}, "one again in the URL": {url.Values{"scope": {"openid"}}, whole},
		"another redirect URI in the URL": {evil, whole}, "what nobody knows": {url.Values{"x": {"y"}}, whole}, "all in the URL": {whole, nil},
	} {
		a := e.post(parts[0], parts[1])
		if a.outcome() != "page" || a.status != http.StatusBadRequest || len(e.store.requests) != 0 || !strings.Contains(a.body, "invalid_request") {
			t.Errorf("%s: %d %s, %d requests", name, a.status, a.outcome(), len(e.store.requests))
		}
	}
	if a := e.post(nil, whole); a.status != http.StatusSeeOther || len(e.store.requests) != 1 {
		t.Errorf("all in the body: %d, %d requests", a.status, len(e.store.requests))
	}
}

// No client goes without a challenge, however it authenticates.
//
// spec: PKCE-01
// attack: AZ-08
func TestEveryClientNeedsAChallenge(t *testing.T) {
	for _, method := range []store.AuthMethod{store.AuthNone, store.AuthSecretBasic, store.AuthSecretPost, store.AuthPrivateKeyJWT} {
		e := newEnv(t)
		e.signIn("maria")
		e.store.remembered = *before(nil)
		c := e.clients["web"]
		c.AuthMethod = method
		c.PKCEOptional = method == store.AuthNone // a public client never has the switch; if it had, it would not count
		e.clients["web"] = c
		for _, pairs := range [][]string{
			{"code_challenge", "", "code_challenge_method", ""}, {"code_challenge", ""}, {"code_challenge", "", "code_challenge_method", "plain"},
		} {
			a := e.begin(e.values("web", patientScopes, pairs...))
			if a.outcome() != "invalid_request" || len(e.store.requests)+len(e.store.issued) != 0 {
				t.Errorf("%s, %v: %s", method, pairs, a.outcome())
			}
		}
		if got := e.begin(e.values("web", patientScopes)).outcome(); method != store.AuthNone && got != "code" {
			t.Errorf("%s with a challenge: %s", method, got)
		}
	}
}

// What is wrong with the client rather than with the request.
//
// spec: ERR-02, ERR-07, REG-06
func TestClientsThatMayNotAsk(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*store.Client)
		want   string
		status int
	}{
		{"ERR-02 suspended", func(c *store.Client) { c.Disabled = true }, "page", http.StatusForbidden},
		{"ERR-02 suspended, and nothing of the rest is right", func(c *store.Client) { c.Disabled, c.GrantTypes, c.Scope = true, nil, "" }, "page", http.StatusForbidden},
		{"REG-06 waits for a review", waits, "page", http.StatusForbidden},
		{"REG-06 registered itself, and nobody says how far it is", func(c *store.Client) { c.SelfRegistered = true }, "page", http.StatusForbidden},
		{"ERR-07 registered for another grant", func(c *store.Client) { c.GrantTypes = []string{"client_credentials"} }, "unauthorized_client", http.StatusSeeOther},
		{"ERR-07 registered for none", func(c *store.Client) { c.GrantTypes = nil }, "unauthorized_client", http.StatusSeeOther},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			c := e.clients["web"]
			row.change(&c)
			e.clients["web"] = c
			a := e.begin(e.values("web", "openid user/Patient.rs"))
			if a.outcome() != row.want || a.status != row.status || len(e.store.requests) != 0 {
				t.Errorf("got %d %s, want %d %s", a.status, a.outcome(), row.status, row.want)
			}
			if row.want != "page" && (a.query("state") != "st" || a.query("iss") != issuer) {
				t.Errorf("answer %v", a.location)
			}
		})
	}
}

// waits is an app whose review is not over.
func waits(c *store.Client) {
	c.SelfRegistered, c.Review = true, store.Review{RegisteredAt: time.Unix(1, 0), VerifiedAt: time.Unix(2, 0)}
}

// busy is a failure that passes.
type busy struct{}

func (busy) Error() string   { return "the database is busy" }
func (busy) Temporary() bool { return true }

// When the server cannot, the app is told so once client and redirect URI are
// proven, and the person on a page where neither is known; nothing of the inside
// is in either.
//
// spec: ERR-21
func TestFailuresOnOurSide(t *testing.T) {
	for code, broken := range map[string]error{"temporarily_unavailable": busy{}, "server_error": errors.New("disk /dev/sdb1 is gone")} {
		e := newEnv(t)
		e.store.broken = broken
		a := e.begin(e.values("web", "openid user/Patient.rs"))
		if a.outcome() != code || a.query("state") != "st" || strings.Contains(a.location.String(), "sdb1") {
			t.Errorf("a request that cannot be stored: %s, want %s (%v)", a.outcome(), code, a.location)
		}

		e = newEnv(t)
		e.signIn("chen")
		vouched := e.clients["web"]
		vouched.Preapproved = true
		e.clients["web"] = vouched
		e.store.broken = broken
		if a := e.begin(e.values("web", "openid user/Patient.rs")); a.outcome() != code || len(e.store.issued) != 0 {
			t.Errorf("a code that cannot be stored: %s, want %s", a.outcome(), code)
		}

		e = newEnv(t)
		e.begin(e.values("web", patientScopes))
		handle := e.handle()
		e.store.broken = broken
		want := map[string]int{"temporarily_unavailable": http.StatusServiceUnavailable, "server_error": http.StatusInternalServerError}[code]
		if a := e.continues(handle); a.outcome() != "page" || a.status != want || strings.Contains(a.body, "sdb1") {
			t.Errorf("a request that cannot be loaded: %d %s, want %d", a.status, a.outcome(), want)
		}
	}
}

// A request whose time is over ends on a page, with a way to start again at the app
// and nowhere else.
//
// spec: ERR-23, AUTHZ-29
// attack: AZ-38
func TestARequestThatIsTooOld(t *testing.T) {
	e := newEnv(t)
	e.begin(e.values("web", patientScopes))
	handle := e.handle()
	e.store.broken = store.ErrExpired
	a := e.continues(handle)
	if a.outcome() != "page" || a.status != http.StatusBadRequest || !strings.Contains(a.body, `id="error-id"`) || strings.Contains(a.body, "web.example.org") {
		t.Errorf("%d %s: %s", a.status, a.outcome(), a.body)
	}
}

// A desktop app that reads codes off a page has every error on a page too, with its
// code and without a redirect.
//
// spec: ERR-22, AUTHZ-50
func TestOutOfBandErrorsAreOnAPage(t *testing.T) {
	for _, row := range []struct {
		name  string
		pairs []string
		code  oauth.Code
	}{
		{"scope", []string{"scope", "none/such"}, oauth.InvalidScope},
		{"response type", []string{"response_type", "token"}, oauth.UnsupportedResponseType},
		{"audience", []string{"aud", "https://evil.test/fhir"}, oauth.InvalidRequest},
		{"resource", []string{"resource", "https://evil.test/fhir"}, oauth.InvalidTarget},
		{"challenge", []string{"code_challenge", ""}, oauth.InvalidRequest},
		{"nobody signed in", []string{"prompt", "none"}, oauth.LoginRequired},
		{"request object", []string{"request", "e30"}, oauth.RequestNotSupported},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			a := e.begin(e.values("desktop", "openid user/Patient.rs", row.pairs...))
			if a.outcome() != "page" || a.status != http.StatusBadRequest || !strings.Contains(a.body, `id="error-code">`+string(row.code)+`<`) {
				t.Errorf("%d %s: %s", a.status, a.outcome(), a.body)
			}
		})
	}
	t.Run("declined", func(t *testing.T) {
		e := newEnv(t)
		e.signIn("maria")
		e.begin(e.values("desktop", patientScopes))
		for key, r := range e.store.requests {
			r.Refused = string(oauth.AccessDenied)
			e.store.requests[key] = r
		}
		a := e.continues(e.handle())
		if a.outcome() != "page" || !strings.Contains(a.body, `id="error-code">access_denied<`) {
			t.Errorf("%d %s: %s", a.status, a.outcome(), a.body)
		}
	})
}

// An app that nobody vouches for cannot use our address to send anybody anywhere: a
// request that fails ends on a page that names the place, with a link and without a
// redirect; a code, which a person has approved, goes the usual way.
//
// attack: AZ-29
func TestNobodyIsBouncedToAnUntrustedApp(t *testing.T) {
	untrusted := func(t *testing.T) *env {
		e := newEnv(t)
		for id, c := range e.clients {
			c.Trusted = false
			e.clients[id] = c
		}
		return e
	}
	for _, row := range []struct {
		name, client string
		pairs        []string
		host, to     string // what the page names, and how its link begins
	}{
		{"a bad scope", "web", []string{"scope", "none/such"}, "web.example.org", "https://web.example.org/cb?keep=1&amp;error=invalid_scope"},
		{"silently", "web", []string{"prompt", "none"}, "web.example.org", "https://web.example.org/cb?keep=1&amp;error=login_required"},
		{"a nonce too long", "browser", []string{"nonce", strings.Repeat("n", 600)}, "browser.example.org", "https://browser.example.org/cb?error=invalid_request"},
		{"loopback", "native", []string{"scope", ""}, "127.0.0.1", "http://127.0.0.1/cb?error=invalid_scope"},
		{"a private scheme", "native", []string{"scope", "", "redirect_uri", "org.example.app:/cb"}, "org.example.app", "org.example.app:/cb?error=invalid_scope"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := untrusted(t)
			a := e.begin(e.values(row.client, "openid user/Patient.rs", row.pairs...))
			if a.outcome() != "page" || a.status != http.StatusBadRequest || a.header.Get("Refresh") != "" {
				t.Fatalf("%d %s %v", a.status, a.outcome(), a.location)
			}
			for _, want := range []string{`href="` + row.to, "The app is at " + row.host + ".", `id="error-id"`} {
				if !strings.Contains(a.body, want) {
					t.Errorf("the page lacks %s:\n%s", want, a.body)
				}
			}
			e = newEnv(t)
			if a := e.begin(e.values(row.client, "openid user/Patient.rs", row.pairs...)); a.location == nil {
				t.Errorf("a trusted app is not told: %d %s", a.status, a.outcome())
			}
		})
	}
	t.Run("declined", func(t *testing.T) {
		e := untrusted(t)
		e.signIn("maria")
		e.begin(e.values("web", patientScopes))
		for key, r := range e.store.requests {
			r.Refused = string(oauth.AccessDenied)
			e.store.requests[key] = r
		}
		if a := e.continues(e.handle()); a.outcome() != "page" || !strings.Contains(a.body, "error=access_denied") {
			t.Errorf("%d %s", a.status, a.outcome())
		}
	})
	t.Run("approved", func(t *testing.T) {
		e := untrusted(t)
		e.signIn("maria")
		e.begin(e.values("web", patientScopes))
		e.approve(patientScopes, nil)
		if a := e.continues(e.handle()); a.outcome() != "code" {
			t.Errorf("%d %s", a.status, a.outcome())
		}
	})
}
