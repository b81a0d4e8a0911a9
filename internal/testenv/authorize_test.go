package testenv_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// What is wrong with a request, and where the answer goes: to a page, or back to
// the app with a code.
//
// spec: AUTHZ-04, AUTHZ-06, AUTHZ-07, AUTHZ-08, AUTHZ-09, AUTHZ-11, AUTHZ-12, AUTHZ-19, AUTHZ-20, AUTHZ-33, AUTHZ-34, AUTHZ-35, AUTHZ-37, AUTHZ-41, AUTHZ-46, AUTHZ-49, AUTHZ-56, AUTHZ-57
// spec: ERR-01, ERR-03, ERR-05, ERR-06, ERR-08, ERR-09, ERR-10, ERR-11, ERR-12, ERR-13, ERR-14, ERR-19, ERR-20, PKCE-01, PKCE-02, PKCE-03
// spec: CTX-05, CTX-06, SCOPE-22, SCOPE-44, HDR-03
// attack: AZ-01, AZ-03, AZ-06, AZ-09, AZ-11, AZ-12
func TestAuthorizationRequestErrors(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	const page = "page"
	for _, row := range []struct {
		name, change, value string
		want                string // page, or the error code
	}{
		{"ERR-01 client_id missing", "client_id", "", page},
		{"ERR-01 client_id unknown", "client_id", "nobody", page},
		{"ERR-03 redirect_uri missing", "redirect_uri", "", page},
		{"AUTHZ-12 another port", "redirect_uri", "http://127.0.0.1:9003/callback", page},
		{"AUTHZ-12 another path", "redirect_uri", "http://127.0.0.1:9002/callback/", page},
		{"AUTHZ-12 a query", "redirect_uri", "http://127.0.0.1:9002/callback?x=1", page},
		{"AUTHZ-12 another case", "redirect_uri", "http://127.0.0.1:9002/Callback", page},
		{"AUTHZ-49 out-of-band", "redirect_uri", "urn:ietf:wg:oauth:2.0:oob", page},
		{"ERR-05 response_type missing", "response_type", "", "invalid_request"},
		{"AUTHZ-35 token", "response_type", "token", "unsupported_response_type"},
		{"AUTHZ-35 hybrid", "response_type", "code id_token", "unsupported_response_type"},
		{"AZ-06 id_token", "response_type", "id_token", "unsupported_response_type"},
		{"AZ-06 code token", "response_type", "code token", "unsupported_response_type"},
		{"AZ-06 none", "response_type", "none", "unsupported_response_type"},
		{"AZ-06 another case", "response_type", "CODE", "unsupported_response_type"},
		{"AZ-06 twice in one", "response_type", "code code", "unsupported_response_type"},
		{"AZ-06 a blank behind", "response_type", "code ", "unsupported_response_type"},
		{"AZ-11 lower case", "code_challenge_method", "s256", "invalid_request"},
		{"AZ-11 S512", "code_challenge_method", "S512", "invalid_request"},
		{"AZ-11 a blank behind", "code_challenge_method", "S256 ", "invalid_request"},
		{"AZ-11 a list", "code_challenge_method", "S256,plain", "invalid_request"},
		{"ERR-08 state missing", "state", "", "invalid_request"},
		{"AUTHZ-06 aud missing", "aud", "", "invalid_request"},
		{"AUTHZ-06 aud of another", "aud", "https://evil.example.org/fhir", "invalid_request"},
		{"AUTHZ-07 two slashes", "aud", env.FHIR + "//", "invalid_request"},
		{"AUTHZ-07 another case", "aud", strings.ToUpper(env.FHIR), "invalid_request"},
		{"ERR-11 resource unknown", "resource", "https://evil.example.org/fhir", "invalid_target"},
		{"PKCE-01 challenge missing", "code_challenge", "", "invalid_request"},
		{"PKCE-02 plain", "code_challenge_method", "plain", "invalid_request"},
		{"PKCE-02 method missing", "code_challenge_method", "", "invalid_request"},
		{"PKCE-03 too short", "code_challenge", strings.Repeat("a", 42), "invalid_request"},
		{"PKCE-03 padded", "code_challenge", strings.Repeat("a", 42) + "=", "invalid_request"},
		{"PKCE-03 not base64url", "code_challenge", strings.Repeat("a", 42) + "+", "invalid_request"},
		{"ERR-13 scope missing", "scope", "", "invalid_scope"},
		{"ERR-13 scope malformed", "scope", "patient/Patient.rs  openid", "invalid_scope"},
		{"SCOPE-44 nothing grantable", "scope", "nonsense/only", "invalid_scope"},
		{"SCOPE-22 system scopes", "scope", "system/*.rs", "invalid_scope"},
		{"CTX-05 launch unknown", "launch", "zzz", "invalid_request"},
		{"AUTHZ-46 request", "request", "eyJ", "request_not_supported"},
		{"AUTHZ-46 request_uri", "request_uri", "https://x.example.org", "request_uri_not_supported"},
		{"ERR-19 registration", "registration", "{}", "registration_not_supported"},
		{"AUTHZ-37 fragment", "response_mode", "fragment", "invalid_request"},
		{"AUTHZ-37 a word of nobody", "response_mode", "web_message", "invalid_request"},
		{"AUTHZ-41 none with login", "prompt", "none login", "invalid_request"},
		{"ERR-20 prompt unknown", "prompt", "dance", "invalid_request"},
		{"ERR-20 max_age negative", "max_age", "-1", "invalid_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := c.Request(readAll, row.change, row.value)
			p := env.Browser().Open(r.URL())
			if row.want == page {
				if p.Left != nil || p.Status != http.StatusBadRequest || p.Value(t, "error-id") == "" {
					t.Fatalf("got %s, want a page with status 400 and an error id", p.Describe())
				}
				return
			}
			if p.Left == nil || p.Status != http.StatusSeeOther {
				t.Fatalf("got %s, want %s back at the app", p.Describe(), row.want)
			}
			// HDR-03
			if p.Header.Get("Cache-Control") != "no-store" || p.Header.Get("Referrer-Policy") != "no-referrer" || p.Left.Fragment != "" {
				t.Errorf("headers %v, fragment %q", p.Header, p.Left.Fragment)
			}
			q := p.Left.Query()
			if q.Get("error") != row.want || q.Get("code") != "" || q.Get("iss") != env.URL {
				t.Errorf("answer %v, want %s", q, row.want)
			}
			if q.Get("state") != r.Values.Get("state") {
				t.Errorf("state %q", q.Get("state"))
			}
			if strings.ContainsAny(q.Get("error_description"), "\"\\") {
				t.Errorf("description %q", q.Get("error_description"))
			}
		})
	}
	t.Run("AUTHZ-34 scope twice", func(t *testing.T) {
		p := env.Browser().Open(c.Request(readAll).URL() + "&scope=openid")
		if p.Left == nil || p.Left.Query().Get("error") != "invalid_request" {
			t.Error(p.Describe())
		}
	})
	t.Run("AUTHZ-34 redirect_uri twice", func(t *testing.T) {
		evil := "redirect_uri=https%3A%2F%2Fevil.example.org%2Fcb&"
		own := strings.TrimPrefix(c.Request(readAll).URL(), "/authorize?")
		for _, query := range []string{own + "&" + strings.TrimSuffix(evil, "&"), evil + own} { // both orders
			if p := env.Browser().Open("/authorize?" + query); p.Left != nil || p.Status != http.StatusBadRequest {
				t.Error(p.Describe())
			}
		}
	})
	t.Run("AZ-12 aud empty", func(t *testing.T) {
		p := env.Browser().Open(c.Request(readAll, "aud", "").URL() + "&aud=")
		if p.Left == nil || p.Left.Query().Get("error") != "invalid_request" {
			t.Error(p.Describe())
		}
	})
	t.Run("AUTHZ-56 PUT", func(t *testing.T) {
		req, err := http.NewRequest(http.MethodPut, env.URL+"/authorize", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := env.Send(req); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") == "" {
			t.Errorf("%d, Allow %q", a.Status, a.Header.Get("Allow"))
		}
	})
	t.Run("AUTHZ-57 too long by GET", func(t *testing.T) {
		if p := env.Browser().Open(c.Request(readAll, "login_hint", strings.Repeat("x", 9000)).URL()); p.Status != http.StatusRequestURITooLong {
			t.Error(p.Describe())
		}
	})
	t.Run("AUTHZ-33 unknown and empty parameters", func(t *testing.T) {
		if p := env.Browser().Open(c.Request(readAll, "foo", "bar", "display", "popup", "acr_values", "x", "claims_locales", "de", "client_secret", "s").URL() + "&launch="); !p.HasButton("action", "sign-in") {
			t.Error(p.Describe())
		}
	})
	t.Run("AUTHZ-09 resource in place of aud", func(t *testing.T) {
		if p := env.Browser().Open(c.Request(readAll, "aud", "", "resource", env.FHIR+"/").URL()); !p.HasButton("action", "sign-in") {
			t.Error(p.Describe())
		}
	})
}

// By POST from another site, as a form that submits itself, without any cookie:
// the login page comes by a GET of its own.
//
// spec: AUTHZ-01, AUTHZ-02, AUTHZ-03, AUTHZ-31, AUTHZ-32, CORS-11
func TestAuthorizeByCrossSitePost(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	r := c.Request(readAll)
	a := env.CrossSitePost("/authorize", r.Values)
	if a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/authorize/continue?request=") {
		t.Fatalf("%d %s", a.Status, a.Header.Get("Location"))
	}
	if a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the authorization endpoint answers CORS")
	}
	b := env.Browser()
	p := b.Post("/authorize", r.Values)
	p = b.SignIn(p, "maria")
	p = b.Submit(p, "decision", "allow", nil)
	if got := c.Exchange(r, p.Left.Query().Get("code")); got.Status != http.StatusOK {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
	req, err := http.NewRequest(http.MethodPost, env.URL+"/authorize", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	// spec: ERR-04
	if a := env.Send(req); a.Status != http.StatusUnsupportedMediaType {
		t.Errorf("a JSON body: %d", a.Status)
	}
}

// Odd states come back byte for byte.
//
// spec: AUTHZ-17, AUTHZ-18
func TestStateComesBackAsItWas(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	state := strings.Repeat("a+b%20&c=d#é漢/?", 90)
	r := c.Request(readAll, "state", state)
	b := env.Browser()
	p := b.SignIn(b.Open(r.URL()), "maria")
	p = b.Submit(p, "decision", "deny", nil)
	// spec: CONS-10, ERR-16
	if got := p.Left.Query(); got.Get("state") != state || got.Get("error") != "access_denied" {
		t.Errorf("state changed, or error %q", got.Get("error"))
	}
}

// Two authorizations in one browser do not mix, in whichever order they end.
//
// spec: AUTHZ-28, AUTHZ-29, AUTHZ-30
func TestTwoTabs(t *testing.T) {
	env := testenv.Start(t)
	one, two := env.Client("sandbox-browser"), env.Client("sandbox-confidential")
	b := env.Browser()
	r1, r2 := one.Request(readAll), two.Request("launch/patient patient/Condition.rs openid")
	p1 := b.SignIn(b.Open(r1.URL()), "maria")
	p2 := b.Open(r2.URL())
	p2 = b.Submit(p2, "decision", "allow", nil)
	p1 = b.Submit(p1, "decision", "allow", nil)
	a2, a1 := two.Exchange(r2, p2.Left.Query().Get("code")), one.Exchange(r1, p1.Left.Query().Get("code"))
	if a1.Status != http.StatusOK || a2.Status != http.StatusOK || a1.Has("patient/Condition.rs") || !a2.Has("patient/Condition.rs") {
		t.Errorf("mixed: %s and %s", a1.Raw, a2.Raw)
	}
	gone := b.Open("/approve?request=rq_unknown")
	if gone.Status != http.StatusBadRequest || gone.Value(t, "error-id") == "" {
		t.Errorf("an unknown request: %s", gone.Describe())
	}
}

// A request that another site posts arrives without cookies. It belongs to the
// browser that then comes for it, once, and leaves what is under way there alone.
//
// spec: AUTHZ-03, AUTHZ-28, AUTHZ-29
func TestACrossSitePostLeavesOtherTabsAlone(t *testing.T) {
	env := testenv.Start(t)
	one, two := env.Client("sandbox-browser"), env.Client("sandbox-confidential")
	b := env.Browser()
	r1, r2 := one.Request(readAll), two.Request("launch/patient patient/Condition.rs openid")
	p1 := b.Open(r1.URL())
	p2 := b.CrossSitePost("/authorize", r2.Values)
	p1 = b.SignIn(p1, "maria")
	p1 = b.Submit(p1, "decision", "allow", nil)
	if p1.Left == nil || one.Exchange(r1, p1.Left.Query().Get("code")).Status != http.StatusOK {
		t.Errorf("the tab that was there before: %s", p1.Describe())
	}
	p2 = b.Submit(b.Open(p2.URL.RequestURI()), "action", "continue", nil)
	p2 = b.Submit(p2, "decision", "allow", nil)
	if p2.Left == nil || two.Exchange(r2, p2.Left.Query().Get("code")).Status != http.StatusOK {
		t.Errorf("the one that was posted: %s", p2.Describe())
	}

	// Whoever comes first has it; another browser with the same address does not.
	first, late := env.Browser(), env.Browser()
	address := env.CrossSitePost("/authorize", r1.Values).Header.Get("Location")
	for range 2 {
		if p := first.Open(address); !p.HasButton("action", "sign-in") {
			t.Errorf("the browser that came for it: %s", p.Describe())
		}
	}
	if p := late.Open(address); p.Status != http.StatusBadRequest {
		t.Errorf("another browser: %s", p.Describe())
	}
}

// A code that was given without asking is worth what it stands on when it is redeemed: a
// session that lives, an app that was not stopped, a first use.
//
// spec: AUTHZ-25, CONS-14, REVOKE-15
// attack: TK-01, TK-04
func TestASilentCodeStandsOnItsSession(t *testing.T) {
	for name, row := range map[string]struct {
		meanwhile func(t *testing.T, env *testenv.Env, b *testenv.Browser)
		verifier  string
		status    int
	}{
		"nothing happens": {nothingHappens, "", http.StatusOK},
		"signed out": {func(_ *testing.T, _ *testenv.Env, b *testenv.Browser) {
			b.Submit(b.Open("/logout"), "action", "sign-out", nil)
		}, "", http.StatusBadRequest},
		"the app is stopped": {func(t *testing.T, env *testenv.Env, b *testenv.Browser) {
			stop(t, b, connectedApps(t, env, b, "maria"))
		}, "", http.StatusBadRequest},
		"another verifier": {nothingHappens, strings.Repeat("w", 43), http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			env := testenv.Start(t)
			c := env.Client("sandbox-confidential")
			c.RedirectURI = "https://companion.example.org/callback"
			b := env.Browser()
			r := c.Request(readAll)
			p := b.SignIn(b.Open(r.URL()), "maria")
			p = b.Submit(p, "decision", "allow", url.Values{"remember": {"yes"}})
			c.Exchange(r, p.Left.Query().Get("code"))

			silent := c.Request(readAll, "prompt", "none")
			code := b.Open(silent.URL()).Left.Query().Get("code")
			row.meanwhile(t, env, b)
			right := silent.Verifier
			if row.verifier != "" {
				silent.Verifier = row.verifier
			}
			first := c.Exchange(silent, code)
			if first.Status != row.status || row.status != http.StatusOK && first.String("error") != "invalid_grant" {
				t.Errorf("%d %s", first.Status, first.Raw)
			}
			silent.Verifier = right
			if again := c.Exchange(silent, code); again.Status != http.StatusBadRequest || again.String("error") != "invalid_grant" {
				t.Errorf("again: %d %s", again.Status, again.Raw)
			}
			if row.status == http.StatusOK {
				if got := env.Get(first.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
					t.Errorf("the token of a replayed code: %d", got.Status)
				}
			}
		})
	}
}

func nothingHappens(*testing.T, *testenv.Env, *testenv.Browser) {}

// prompt and max_age: no page where none may be shown, a page where one is asked for.
//
// spec: AUTHZ-39, AUTHZ-40, AUTHZ-42, AUTHZ-44, AUTHZ-45, AUTHZ-47, ERR-18, OIDC-22, OIDC-23
func TestPrompts(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	c.RedirectURI = "https://companion.example.org/callback"
	b := env.Browser()
	expect := func(name string, p testenv.Page, code string) {
		t.Helper()
		if p.Left == nil || p.Left.Query().Get("error") != code {
			t.Errorf("%s: %s, want %s", name, p.Describe(), code)
		}
	}
	expect("nobody signed in", b.Open(c.Request(readAll, "prompt", "none").URL()), "login_required")
	r := c.Request(readAll)
	p := b.SignIn(b.Open(r.URL()), "maria")
	expect("not approved", b.Open(c.Request(readAll, "prompt", "none").URL()), "consent_required")
	p = b.Submit(p, "decision", "allow", url.Values{"remember": {"yes"}})
	first := c.Exchange(r, p.Left.Query().Get("code"))
	silent := c.Request(readAll, "prompt", "none", "claims", `{"id_token":{}}`, "id_token_hint", first.String("id_token"))
	p = b.Open(silent.URL())
	if p.Left == nil || p.Left.Query().Get("code") == "" {
		t.Fatalf("silent authorization: %s", p.Describe())
	}
	if a := c.Exchange(silent, p.Left.Query().Get("code")); a.Status != http.StatusOK || a.String("patient") != "maria" {
		t.Errorf("silent token: %d %s", a.Status, a.Raw)
	}
	// spec: CONS-14
	if p := b.Open(c.Request(readAll + " user/Patient.r").URL()); !p.HasButton("decision", "allow") {
		t.Errorf("more was asked for and nobody was asked: %s", p.Describe())
	}
	if p := b.Open(c.Request(readAll, "prompt", "consent").URL()); !p.HasButton("decision", "allow") {
		t.Errorf("prompt=consent: %s", p.Describe())
	}
	if p := b.Open(c.Request(readAll, "prompt", "login").URL()); !p.HasButton("action", "sign-in") || p.HasButton("action", "continue") {
		t.Errorf("prompt=login: %s", p.Describe())
	}
	if p := b.Open(c.Request(readAll, "prompt", "select_account").URL()); !p.HasButton("action", "continue") {
		t.Errorf("prompt=select_account: %s", p.Describe())
	}
	expect("max_age=0", b.Open(c.Request(readAll, "prompt", "none", "max_age", "0").URL()), "login_required")
	other := env.Browser()
	other.SignIn(other.Open(c.Request(readAll).URL()), "james")
	expect("a hint at somebody else", other.Open(c.Request(readAll, "prompt", "none", "id_token_hint", first.String("id_token")).URL()), "login_required")
	clinician := env.Browser()
	clinician.SignIn(clinician.Open(c.Request(readAll).URL()), "chen")
	expect("a patient has to be chosen", clinician.Open(c.Request(readAll, "prompt", "none").URL()), "interaction_required")
	// spec: ERR-17
	nobody := env.Browser()
	p = nobody.SignIn(nobody.Open(c.Request(readAll).URL()), "admin")
	expect("no patient at all", p, "access_denied")
}
