package testenv_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// Every kind of client pushes a request, proves itself as at the token endpoint, and
// comes to its token by the reference.
//
// spec: AUTHZ-53, HDR-01
func TestPushedRequests(t *testing.T) {
	env := testenv.Start(t)
	for _, id := range []string{"sandbox-browser", "sandbox-native", "sandbox-confidential", "sandbox-confidential in the body", "sandbox-asymmetric"} {
		t.Run(id, func(t *testing.T) {
			name, inBody, _ := strings.Cut(id, " ")
			c := env.Client(name)
			c.InBody = inBody != ""
			r := c.Request(readAll, "prompt", "consent")
			a := c.Post("/par", r.Values)
			life, _ := a.Body["expires_in"].(float64)
			if a.Status != http.StatusCreated || len(a.Body) != 2 || life != 90 || !strings.HasPrefix(a.String("request_uri"), "urn:ietf:params:oauth:request_uri:") {
				t.Fatalf("%d %s", a.Status, a.Raw)
			}
			checkTokenHeaders(t, a)
			if secret := strings.TrimPrefix(a.String("request_uri"), "urn:ietf:params:oauth:request_uri:"); len(secret) < 43 || c.Post("/par", r.Values).String("request_uri") == a.String("request_uri") {
				t.Errorf("the reference can be guessed: %s", secret)
			}
			r.Pushed = a.String("request_uri")
			token := c.Exchange(r, env.Browser().Code(c, r, "maria", ""))
			if token.Status != http.StatusOK || token.String("patient") != "maria" || !token.Has("patient/*.rs") {
				t.Errorf("%d %s", token.Status, token.Raw)
			}
		})
	}
	c := env.Client("sandbox-browser")
	const own, another, evil = "http://127.0.0.1:9002", "https://companion.example.org", "https://evil.example.org"
	for origin, want := range map[string]string{own: own, another: "", evil: ""} {
		a := send(t, env, "/par", form, c.Request(readAll).Values.Encode(), "Origin", origin)
		if got := a.Header.Get("Access-Control-Allow-Origin"); a.Status != http.StatusCreated || got != want {
			t.Errorf("a page of %s: %d, readable by %q", origin, a.Status, got)
		}
	}
}

// What the authorization endpoint refuses is refused when it is pushed, with the same
// code, as JSON; nothing is told by a redirect, and nothing is fetched.
//
// spec: AUTHZ-55, ERR-19
// attack: AZ-21, AZ-22
func TestAPushedRequestIsCheckedLikeAnyOther(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	for _, row := range []struct{ name, change, value string }{
		{"redirect_uri missing", "redirect_uri", ""}, {"redirect_uri of another", "redirect_uri", "https://evil.example.org/cb"},
		{"redirect_uri with a slash behind", "redirect_uri", "http://127.0.0.1:9002/callback/"}, {"out-of-band", "redirect_uri", "urn:ietf:wg:oauth:2.0:oob"},
		{"response_type missing", "response_type", ""}, {"token", "response_type", "token"}, {"hybrid", "response_type", "code id_token"},
		{"state missing", "state", ""}, {"state too long", "state", strings.Repeat("s", 2049)}, {"nonce too long", "nonce", strings.Repeat("n", 513)},
		{"aud missing", "aud", ""}, {"aud of another", "aud", "https://evil.example.org/fhir"}, {"resource unknown", "resource", "https://evil.example.org/fhir"},
		{"challenge missing", "code_challenge", ""}, {"plain", "code_challenge_method", "plain"}, {"challenge too short", "code_challenge", strings.Repeat("a", 42)},
		{"scope missing", "scope", ""}, {"scope malformed", "scope", "patient/Patient.rs  openid"}, {"nothing grantable", "scope", "nonsense/only"}, {"system scopes", "scope", "system/*.rs"},
		{"launch without its scope", "launch", "zzz"}, {"launch without a value", "scope", "launch patient/*.rs"},
		{"AZ-21 request", "request", "eyJhbGciOiJub25lIn0.e30."}, {"ERR-19 registration", "registration", "{}"}, {"fragment", "response_mode", "fragment"},
		{"none with login", "prompt", "none login"}, {"max_age negative", "max_age", "-1"}, {"hint", "id_token_hint", "x"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := c.Request(readAll, row.change, row.value)
			want := "invalid_request" // of a page
			if p := env.Browser().Open(r.URL()); p.Left != nil {
				want = p.Left.Query().Get("error")
			} else if p.Status != http.StatusBadRequest {
				t.Fatalf("the authorization endpoint takes it: %s", p.Describe())
			}
			a := c.Post("/par", r.Values)
			if a.Status != http.StatusBadRequest || a.String("error") != want || a.String("error_description") == "" || a.Header.Get("Location") != "" {
				t.Errorf("got %d %s, want %s", a.Status, a.Raw, want)
			}
			checkTokenHeaders(t, a)
		})
	}
	good := c.Request(readAll)
	for _, row := range []struct{ name, more, code string }{
		{"AZ-22 request_uri", "&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Apr_x", "invalid_request"},
		{"AZ-21 a place to fetch from", "&request_uri=http%3A%2F%2F169.254.169.254%2F", "invalid_request"},
		{"scope twice", "&scope=openid", "invalid_request"},
		{"redirect_uri twice", "&redirect_uri=x", "invalid_request"},
	} {
		if a := send(t, env, "/par", form, good.Values.Encode()+row.more); a.Status != http.StatusBadRequest || a.String("error") != row.code {
			t.Errorf("%s: %d %s", row.name, a.Status, a.Raw)
		}
	}
	if a := env.Client("sandbox-confidential").Post("/par", url.Values{"response_type": {"code"}}); a.Status != http.StatusBadRequest || a.String("error") != "invalid_request" {
		t.Errorf("client_id missing beside Basic: %d %s", a.Status, a.Raw)
	}
	if a := env.Client("sandbox-confidential").Post("/par", good.Values); a.Status != http.StatusBadRequest || a.String("error") != "invalid_request" {
		t.Errorf("for another client: %d %s", a.Status, a.Raw)
	}
	if a := env.Client("sandbox-backend").Post("/par", url.Values{"client_id": {"sandbox-backend"}, "response_type": {"code"}, "redirect_uri": {"https://x"}}); a.Status != http.StatusBadRequest {
		t.Errorf("a backend service: %d %s", a.Status, a.Raw)
	}
}

// The endpoint takes forms by POST, of a size, from clients that have not failed too
// often.
//
// spec: AUTHZ-55
// attack: AZ-22, CA-27
func TestPushedRequestStatuses(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	r := c.Request(readAll)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		req, err := http.NewRequest(method, env.URL+"/par?"+r.Values.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := env.Send(req); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: %d, Allow %q", method, a.Status, a.Header.Get("Allow"))
		}
	}
	if a := send(t, env, "/par?"+r.Values.Encode(), form, ""); a.Status != http.StatusBadRequest {
		t.Errorf("parameters in the URL: %d", a.Status)
	}
	if a := send(t, env, "/par", "application/json", `{}`); a.Status != http.StatusBadRequest {
		t.Errorf("JSON: %d", a.Status)
	}
	if a := send(t, env, "/par", form, r.Values.Encode()+"&x="+strings.Repeat("x", 128<<10)); a.Status != http.StatusRequestEntityTooLarge || a.String("error") != "invalid_request" {
		t.Errorf("too large: %d %s", a.Status, a.Raw)
	}
	wrong := basicAuth("sandbox-confidential", "wrong")
	for range 300 {
		if a := send(t, env, "/par", form, "response_type=code", "Authorization", wrong); a.Status != http.StatusUnauthorized {
			t.Fatalf("wrong secret: %d %s", a.Status, a.Raw)
		}
	}
	for path, body := range map[string]string{"/par": "response_type=code", "/token": "grant_type=refresh_token&refresh_token=x"} {
		if a := send(t, env, path, form, body, "Authorization", wrong); a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s after 300 failures: %d %s", path, a.Status, a.Raw)
		}
	}
	if a := c.Post("/par", r.Values); a.Status != http.StatusCreated {
		t.Errorf("another client meanwhile: %d %s", a.Status, a.Raw)
	}
}

// A reference is good for its client, for one browser, until it has its answer.
//
// spec: AUTHZ-54
// attack: AZ-22, AZ-27
func TestTheReferenceOfAPushedRequest(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	refused := func(name string, p testenv.Page) {
		t.Helper()
		if p.Left != nil || p.Status != http.StatusBadRequest || p.Value(t, "error-id") == "" {
			t.Errorf("%s: %s", name, p.Describe())
		}
	}
	r := c.Push(c.Request(readAll))
	refused("by another client", env.Browser().Open("/authorize?"+url.Values{"client_id": {"sandbox-browser"}, "request_uri": {r.Pushed}}.Encode()))
	b := env.Browser()
	if p := b.Open(r.URL()); !p.HasButton("action", "sign-in") {
		t.Fatal(p.Describe())
	}
	refused("in another browser", env.Browser().Open(r.URL()))
	p := b.Open(r.URL() + "&state=other&redirect_uri=https%3A%2F%2Fevil.example.org%2F&scope=openid")
	if !p.HasButton("action", "sign-in") {
		t.Fatalf("loaded again: %s", p.Describe())
	}
	p = b.SignIn(p, "maria")
	if p = b.Open(r.URL()); !p.HasButton("decision", "allow") {
		t.Fatalf("loaded again in the middle: %s", p.Describe())
	}
	p = b.Submit(p, "decision", "allow", nil)
	if p.Left == nil || p.Left.Query().Get("state") != r.Values.Get("state") {
		t.Fatal(p.Describe())
	}
	refused("after the code", b.Open(r.URL()))
	token := c.Exchange(r, p.Left.Query().Get("code"))
	if token.Status != http.StatusOK {
		t.Fatalf("the code does not stand any more: %d %s", token.Status, token.Raw)
	}
	const urn = "urn:ietf:params:oauth:request_uri:"
	for name, other := range map[string]string{
		"a guess": "pr_" + strings.Repeat("A", 43), "a code": p.Left.Query().Get("code"), "a refresh token": token.String("refresh_token"), "nothing": "",
	} {
		refusal := env.Browser().Open("/authorize?" + url.Values{"client_id": {c.ID}, "request_uri": {urn + other}}.Encode())
		refused(name, refusal)
	}
	again := c.Push(c.Request(readAll))
	for _, code := range []string{again.Pushed, strings.TrimPrefix(again.Pushed, urn)} {
		if a := c.Exchange(again, code); a.Status != http.StatusBadRequest || a.String("error") != "invalid_grant" {
			t.Errorf("a reference as a code: %d %s", a.Status, a.Raw)
		}
	}
}

// attack: F-50
func TestAReferenceHasOneWinner(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	for range 5 {
		r := c.Push(c.Request(readAll))
		const callers = 16
		pages := make([]testenv.Page, callers)
		var start, done sync.WaitGroup
		start.Add(1)
		for i := range pages {
			b := env.Browser()
			done.Go(func() {
				start.Wait()
				pages[i] = b.Open(r.URL())
			})
		}
		start.Done()
		done.Wait()
		won := 0
		for _, p := range pages {
			switch {
			case p.HasButton("action", "sign-in"):
				won++
			case p.Status != http.StatusBadRequest:
				t.Errorf("lost: %s", p.Describe())
			}
		}
		if won != 1 {
			t.Fatalf("%d browsers began the request", won)
		}
	}
}

// An EHR launch goes through a pushed request as well.
//
// spec: AUTHZ-53, CTX-04
func TestALaunchThroughAPushedRequest(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	r := c.Push(c.Launched("launch patient/*.rs openid fhirUser", "maria"))
	a := c.Exchange(r, env.Browser().Code(c, r, "maria", ""))
	if a.Status != http.StatusOK || a.String("patient") != "maria" || !a.Has("launch") {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
}

// Off, offered, required: the metadata says what the endpoints do, for all clients
// and for the one that registered so.
//
// spec: DISC-34, DISC-35, DISC-36, XP-06, AUTHZ-53
func TestTheSwitchOfPushedRequests(t *testing.T) {
	const metadata = `"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid"}`
	for mode, want := range map[string]struct {
		endpoint, required bool
		plain, strict      string // what comes of a plain request: a page to sign in, or an error
	}{
		app.PushedOff:      {false, false, "", "invalid_request"},
		app.PushedOffered:  {true, false, "", "invalid_request"},
		app.PushedRequired: {true, true, "invalid_request", "invalid_request"},
	} {
		t.Run(mode, func(t *testing.T) {
			env := testenv.Serve(t, func(c *app.Config) { c.Authorization.PushedRequests = mode })
			for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
				_, doc := document(t, env, path)
				if endpoint, there := doc["pushed_authorization_request_endpoint"]; there != want.endpoint || there && endpoint != env.URL+"/par" ||
					doc["require_pushed_authorization_requests"] != want.required {
					t.Errorf("%s: endpoint %v, required %v", path, endpoint, doc["require_pushed_authorization_requests"])
				}
			}
			lenient, strict := env.Register(`{`+metadata), env.Register(`{"require_pushed_authorization_requests":true,`+metadata)
			for c, code := range map[*testenv.Client]string{lenient: want.plain, strict: want.strict} {
				r := c.Request("launch/patient patient/*.rs openid")
				if p := env.Browser().Open(r.URL()); p.HasButton("action", "sign-in") != (code == "") || p.Left != nil && p.Left.Query().Get("error") != code {
					t.Errorf("plain: %s, want %q", p.Describe(), code)
				}
				if !want.endpoint {
					if a := c.Post("/par", r.Values); a.Status != http.StatusNotFound {
						t.Errorf("pushed: %d %s", a.Status, a.Raw)
					}
					r.Values.Set("request_uri", "urn:ietf:params:oauth:request_uri:pr_x")
					if p := env.Browser().Open(r.URL()); p.Left == nil || p.Left.Query().Get("error") != "request_uri_not_supported" {
						t.Errorf("by a reference: %s", p.Describe())
					}
					continue
				}
				if p := env.Browser().Open(c.Push(r).URL()); !p.HasButton("action", "sign-in") {
					t.Errorf("pushed: %s", p.Describe())
				}
			}
		})
	}
}

// What was pushed to one process is begun at another.
//
// spec: AUTHZ-53
func TestAPushedRequestAtAnotherProcess(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	one, two := nodes[0], nodes[1]
	c := one.Register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid"}`)
	r := c.Request("launch/patient patient/*.rs openid")
	eventually(t, "a new client is known at the other process", func() bool {
		return two.Browser().Open(r.URL()).HasButton("action", "sign-in")
	})
	r = c.Push(r)
	b := two.Browser()
	if p := b.Open(r.URL()); !p.HasButton("action", "sign-in") {
		t.Fatal(p.Describe())
	}
	if p := b.At(one).Open(r.URL()); !p.HasButton("action", "sign-in") {
		t.Errorf("loaded again at the first: %s", p.Describe())
	}
	if p := one.Browser().Open(r.URL()); p.Status != http.StatusBadRequest {
		t.Errorf("another browser: %s", p.Describe())
	}
}

// Strangers push for a public client until their own network has too many; the app
// elsewhere, and confidential apps of the operator, go on.
//
// spec: AUTHZ-55
// attack: AZ-36
func TestPushingHasABoundForEachNetwork(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	r := c.Request(readAll)
	for n := range 200 {
		if a := c.Post("/par", r.Values); a.Status != http.StatusCreated {
			t.Fatalf("the %dth: %d %s", n+1, a.Status, a.Raw)
		}
	}
	a := c.Post("/par", r.Values)
	if a.Status != http.StatusTooManyRequests || a.String("error") != "temporarily_unavailable" || a.Header.Get("Retry-After") != "90" || a.String("request_uri") != "" {
		t.Errorf("one more: %d %s %q", a.Status, a.Raw, a.Header.Get("Retry-After"))
	}
	known := env.Client("sandbox-confidential")
	if a := known.Post("/par", known.Request(readAll).Values); a.Status != http.StatusCreated {
		t.Errorf("an app of the operator: %d %s", a.Status, a.Raw)
	}
}
