package testenv_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// Revocation ends what it says at once, for nobody but its owner, and tells nobody
// whether a token exists.
//
// spec: REVOKE-01, REVOKE-02, REVOKE-03, REVOKE-04, REVOKE-05, REVOKE-06, REVOKE-07, REVOKE-10, REVOKE-11, REVOKE-12, RS-10, AT-11, INTRO-19, ERR-39
// attack: IN-06, RT-20
func TestRevocation(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	b := env.Browser()
	fresh := func() testenv.Answer {
		r := c.Request(readAll)
		return c.Exchange(r, b.Code(c, r, "maria", ""))
	}
	reads := func(a testenv.Answer) int { return env.Get(a.String("access_token"), "Patient/maria").Status }

	a := fresh()
	stranger := env.Client("sandbox-browser")
	for _, text := range []string{a.String("refresh_token"), a.String("access_token"), "garbage", "rt_garbage"} {
		if got := stranger.Post("/revoke", url.Values{"token": {text}}); got.Status != http.StatusOK || got.Raw != "" {
			t.Errorf("a stranger revokes: %d %q", got.Status, got.Raw)
		}
	}
	if reads(a) != 200 {
		t.Fatal("a stranger ended the access")
	}
	if got := c.Post("/revoke", url.Values{"token": {a.String("access_token")}, "token_type_hint": {"refresh_token"}}); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	if reads(a) != http.StatusUnauthorized {
		t.Error("the access token lives")
	}
	next := c.Refresh(a.String("refresh_token"))
	if next.Status != 200 {
		t.Errorf("the refresh token died with its access token: %d", next.Status)
	}
	if got := c.Post("/revoke", url.Values{"token": {next.String("refresh_token")}, "token_type_hint": {"access_token"}}); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	if reads(next) != http.StatusUnauthorized {
		t.Error("an access token of a revoked grant lives")
	}
	if got := c.Refresh(next.String("refresh_token")); got.Status != 400 || got.String("error") != "invalid_grant" {
		t.Errorf("refresh after revocation: %d %s", got.Status, got.Raw)
	}
	if got := c.Post("/revoke", url.Values{"token": {next.String("refresh_token")}}); got.Status != 200 {
		t.Errorf("twice: %d", got.Status)
	}
	if got := c.Post("/revoke", url.Values{}); got.Status != 400 || got.String("error") != "invalid_request" {
		t.Errorf("no token: %d %s", got.Status, got.Raw)
	}
	if got := send(t, env, "/revoke", form, "client_id="+c.ID+"&token=x"); got.Status != http.StatusUnauthorized {
		t.Errorf("a confidential client without its secret: %d", got.Status)
	}
	if got := c.Post("/introspect", url.Values{"token": {next.String("access_token")}}); got.Raw != `{"active":false}` {
		t.Errorf("introspection after revocation: %s", got.Raw)
	}
}

// Introspection tells the holder of a token what it is good for, and everybody else
// nothing.
//
// spec: INTRO-01, INTRO-02, INTRO-03, INTRO-04, INTRO-05, INTRO-06, INTRO-07, INTRO-08, INTRO-09, INTRO-10, INTRO-11, INTRO-12, INTRO-13, INTRO-14, INTRO-15, INTRO-16, INTRO-17, INTRO-18, CORS-12, AUTHZ-10
// attack: IN-01, IN-03, IN-04
func TestIntrospection(t *testing.T) {
	env := testenv.Start(t)
	_, foreign := env.Token("sandbox-native", readAll, "maria", "")
	c, own := env.Token("sandbox-confidential", readAll, "maria", "")
	for name, a := range map[string]testenv.Answer{"own": own, "another client's": foreign} {
		got := c.Post("/introspect", url.Values{"token": {a.String("access_token")}, "token_type_hint": {"refresh_token"}})
		if got.Status != 200 || got.Body["active"] != true || got.String("scope") != a.String("scope") || got.String("patient") != "maria" ||
			got.String("fhirUser") != env.FHIR+"/Patient/maria" || got.String("iss") != env.URL || got.String("sub") == "" || got.String("aud") != env.FHIR {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
		if exp, _ := got.Body["exp"].(float64); exp-got.Body["iat"].(float64) != 1200 {
			t.Errorf("%s: exp %v, iat %v", name, got.Body["exp"], got.Body["iat"])
		}
		checkTokenHeaders(t, got)
	}
	by := func(auth, token string) testenv.Answer {
		return send(t, env, "/introspect", form, "token="+token, "Authorization", auth)
	}
	bearer := "Bearer " + foreign.String("access_token")
	if got := by(bearer, foreign.String("access_token")); got.Body["active"] != true {
		t.Errorf("its own token by Bearer: %d %s", got.Status, got.Raw)
	}
	if got := by(bearer, own.String("access_token")); got.Raw != `{"active":false}` {
		t.Errorf("a client without the permission asks about another's token: %s", got.Raw)
	}
	for name, text := range map[string]string{
		"garbage": "x", "refresh token": own.String("refresh_token"), "ID token": own.String("id_token"), "altered": own.String("access_token") + "x",
	} {
		if got := c.Post("/introspect", url.Values{"token": {text}}); got.Status != 200 || got.Raw != `{"active":false}` {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
	}
	for name, got := range map[string]testenv.Answer{
		"anonymous":         send(t, env, "/introspect", form, "token=x"),
		"public client":     send(t, env, "/introspect", form, "token=x&client_id=sandbox-native"),
		"wrong secret":      send(t, env, "/introspect", form, "token=x&client_id=sandbox-confidential&client_secret=no"),
		"made-up Bearer":    by("Bearer x", "x"),
		"refresh as Bearer": by("Bearer "+own.String("refresh_token"), "x"),
	} {
		if got.Status != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
	}
	if got := c.Post("/introspect", url.Values{}); got.Status != 400 || got.String("error") != "invalid_request" {
		t.Errorf("no token: %d %s", got.Status, got.Raw)
	}
	req, err := http.NewRequest(http.MethodGet, env.URL+"/introspect?token=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "http://127.0.0.1:9002")
	if got := env.Send(req); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("GET: %d, origin %q", got.Status, got.Header.Get("Access-Control-Allow-Origin"))
	}
}

// UserInfo tells who it is, within the scopes, and only for an access token.
//
// spec: OIDC-18, OIDC-19, OIDC-20, OIDC-21, OIDC-24
// attack: IN-08
func TestUserInfo(t *testing.T) {
	env := testenv.Start(t)
	ask := func(method, token string) testenv.Answer {
		req, err := http.NewRequest(method, env.URL+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		req.Header.Set("Origin", "http://127.0.0.1:9002")
		return env.Send(req)
	}
	_, a := env.Token("sandbox-native", readAll, "maria", "")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		got := ask(method, a.String("access_token"))
		if got.Status != 200 || got.String("fhirUser") != env.FHIR+"/Patient/maria" || got.Header.Get("Access-Control-Allow-Origin") != "http://127.0.0.1:9002" {
			t.Errorf("%s: %d %s", method, got.Status, got.Raw)
		}
		checkTokenHeaders(t, got)
	}
	_, only := env.Token("sandbox-native", "launch/patient patient/Patient.rs openid", "maria", "")
	if got := ask(http.MethodGet, only.String("access_token")); got.Status != 200 || len(got.Body) != 1 || got.String("sub") == "" {
		t.Errorf("only openid: %s", got.Raw)
	}
	_, without := env.Token("sandbox-native", "launch/patient patient/Patient.rs", "maria", "")
	if got := ask(http.MethodGet, without.String("access_token")); got.Status != 403 || !strings.Contains(got.Header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("without openid: %d %s", got.Status, got.Raw)
	}
	askInForm(t, env, a.String("access_token"))
	for name, token := range map[string]string{"nothing": "", "garbage": "x", "refresh token": a.String("refresh_token")} {
		if got := ask(http.MethodGet, token); got.Status != 401 || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
	}
}

func document(t *testing.T, env *testenv.Env, path string, header ...string) (testenv.Answer, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, env.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a := env.Send(req)
	return a, a.Body
}

// The three metadata documents say the same, name only what works, and come from
// the configuration.
//
// spec: DISC-01, DISC-02, DISC-03, DISC-04, DISC-05, DISC-06, DISC-07, DISC-08, DISC-09, DISC-10, DISC-13, DISC-14, DISC-15, DISC-16, DISC-18, DISC-19, DISC-21, DISC-22, DISC-23, DISC-25, DISC-27, DISC-33, DISC-34, DISC-35, DISC-36, DISC-37, DISC-39, OIDC-05, SCOPE-09, CORS-01, CORS-02
// attack: IN-11, IN-13, IN-14
func TestDiscovery(t *testing.T) {
	env := testenv.Start(t)
	paths := []string{"/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
	var docs []map[string]any
	for _, path := range paths {
		for _, accept := range []string{"", "*/*", "application/fhir+json", "text/html"} {
			a, doc := document(t, env, path, "Accept", accept, "Authorization", "Bearer junk", "Origin", "https://anybody.example.org", "X-Forwarded-Host", "evil.example.org")
			if a.Status != 200 || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Access-Control-Allow-Origin") != "https://anybody.example.org" {
				t.Fatalf("%s: %d %v", path, a.Status, a.Header)
			}
			if strings.Contains(a.Raw, "evil") {
				t.Errorf("%s repeats a header of the request", path)
			}
			if accept == "" {
				docs = append(docs, doc)
				if got, _ := document(t, env, path, "If-None-Match", a.Header.Get("ETag")); got.Status != http.StatusNotModified {
					t.Errorf("%s: revalidation %d", path, got.Status)
				}
			}
		}
	}
	for name, value := range docs[0] {
		for i, other := range docs[1:] {
			if name == "capabilities" || name == "management_endpoint" || strings.HasPrefix(name, "user_access_brand_") { // SMART alone has a word for these
				continue
			}
			x, _ := json.Marshal(value)
			y, _ := json.Marshal(other[name])
			if string(x) != string(y) {
				t.Errorf("%s: %s says %s, %s says %s", name, paths[0], x, paths[i+1], y)
			}
		}
		if text, ok := value.(string); ok && (strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri")) && !strings.HasPrefix(text, env.URL+"/") {
			t.Errorf("%s is %q", name, text)
		}
	}
	strs := func(v any) []string {
		var list []string
		all, _ := v.([]any)
		for _, s := range all {
			list = append(list, s.(string))
		}
		return list
	}
	for name, want := range map[string][]string{
		"response_types_supported": {"code"}, "code_challenge_methods_supported": {"S256"},
		"grant_types_supported":                                    {"authorization_code", "refresh_token", "client_credentials"},
		"token_endpoint_auth_methods_supported":                    {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"introspection_endpoint_auth_methods_supported":            {"client_secret_basic", "client_secret_post", "private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported":         {"RS384", "ES384", "PS384", "ES256"},
		"revocation_endpoint_auth_signing_alg_values_supported":    {"RS384", "ES384", "PS384", "ES256"},
		"introspection_endpoint_auth_signing_alg_values_supported": {"RS384", "ES384", "PS384", "ES256"},
	} {
		if got := strs(docs[0][name]); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, certified := range []string{ // DISC-23
		"launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
		"sso-openid-connect", "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient",
		"permission-offline", "permission-patient", "permission-user", "permission-v1", "permission-v2",
	} {
		if got := strs(docs[0]["capabilities"]); !slices.Contains(got, certified) {
			t.Errorf("capabilities: %v without %s", got, certified)
		}
	}
	if got := strs(docs[1]["id_token_signing_alg_values_supported"]); !slices.Contains(got, "RS256") {
		t.Errorf("ID token algorithms: %v", got)
	}
	if got, want := docs[0]["management_endpoint"], env.URL+"/manage"; got != want { // DISC-20
		t.Errorf("management_endpoint: %v", got)
	}
	for _, name := range []string{"smart_app_state_endpoint"} {
		if docs[0][name] != nil || docs[1][name] != nil {
			t.Errorf("%s is advertised and not offered", name)
		}
	}
	for i, doc := range docs { // openid-client and the tests of pushed requests use it
		if doc["pushed_authorization_request_endpoint"] != env.URL+"/par" || doc["require_pushed_authorization_requests"] != false {
			t.Errorf("%s: pushed requests at %v, required %v", paths[i], doc["pushed_authorization_request_endpoint"], doc["require_pushed_authorization_requests"])
		}
	}
	for _, doc := range docs[1:] {
		if got, want := doc["end_session_endpoint"], env.URL+"/logout"; got != want {
			t.Errorf("end_session_endpoint: %v", got)
		}
	}
	for _, name := range []string{"request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"} {
		if docs[1][name] != false {
			t.Errorf("%s is %v", name, docs[1][name])
		}
	}
	a, keys := document(t, env, "/jwks.json")
	if a.Header.Get("Content-Type") != "application/json" || !strings.Contains(a.Header.Get("Cache-Control"), "max-age=") {
		t.Errorf("headers of the key set: %v", a.Header)
	}
	if list, _ := keys["keys"].([]any); a.Status != 200 || len(list) < 3 {
		t.Errorf("keys: %s", a.Raw)
	}
	for _, private := range []string{`"d"`, `"p"`, `"q"`, "x5c"} {
		if strings.Contains(a.Raw, private+":") {
			t.Errorf("the key set has %s", private)
		}
	}
	for _, path := range []string{"/authorize/", "/Authorize", "/debug/pprof/", "/debug/vars", "/metrics", "/admin", "/token/", "//token"} {
		if got, _ := document(t, env, path); got.Status != http.StatusNotFound || !strings.Contains(got.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
}

// Every scope that discovery names can be granted.
//
// spec: DISC-17, SCOPE-25, SCOPE-26, SCOPE-27, SCOPE-28, SCOPE-29, SCOPE-30, SCOPE-37, SCOPE-39
func TestAdvertisedScopesAreGrantable(t *testing.T) {
	env := testenv.Start(t)
	_, doc := document(t, env, "/fhir/.well-known/smart-configuration")
	var scopes, system []string
	for _, s := range doc["scopes_supported"].([]any) {
		switch text := s.(string); {
		case text == "online_access": // offline access takes its place when both are asked for
		case strings.HasPrefix(text, "system/"):
			system = append(system, text)
		default:
			scopes = append(scopes, text)
		}
	}
	c := env.Client("sandbox-browser")                                                               // an app that is started from a chart
	r := c.Launched(strings.Join(scopes, " "), "maria", "encounter", visits(t, env, "maria", "")[0]) // launch needs a chart
	b := env.Browser()
	p := b.SignIn(b.Post("/authorize", r.Values), "maria")
	p = b.Submit(p, "decision", "allow", nil)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	for _, s := range scopes {
		if !a.Has(s) {
			t.Errorf("%s is advertised and was not granted", s)
		}
	}
	service := env.Client("sandbox-backend").Service(strings.Join(system, " "))
	for _, s := range system {
		if !service.Has(s) {
			t.Errorf("%s is advertised and was not granted: %s", s, service.Raw)
		}
	}
	_, online := env.Token("sandbox-confidential", "launch/patient patient/Patient.rs online_access", "maria", "")
	if !online.Has("online_access") {
		t.Error("online_access is advertised and was not granted")
	}
}

// Browser apps of registered origins get CORS headers, on errors as well; others do
// not; a preflight needs no token.
//
// spec: CORS-03, CORS-04, CORS-05, CORS-06, CORS-07, CORS-08, CORS-09, CORS-10, REVOKE-08, RSX-26
func TestCrossOrigin(t *testing.T) {
	env := testenv.Start(t)
	const own, other = "http://127.0.0.1:9002", "https://evil.example.org"
	for _, path := range []string{"/token", "/revoke", "/userinfo", "/fhir/Patient/maria"} {
		for _, origin := range []string{own, other} {
			want := ""
			if origin == own {
				want = own
			}
			req, err := http.NewRequest(http.MethodOptions, env.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", origin)
			req.Header.Set("Access-Control-Request-Method", "POST")
			req.Header.Set("Access-Control-Request-Headers", "authorization")
			preflight := env.Send(req)
			if preflight.Status != http.StatusNoContent || preflight.Header.Get("Access-Control-Allow-Origin") != want {
				t.Errorf("preflight %s from %s: %d %q", path, origin, preflight.Status, preflight.Header.Get("Access-Control-Allow-Origin"))
			}
			if want != "" && !strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
				t.Error("Authorization may not be sent")
			}
			failed := send(t, env, path, form, "x=y", "Origin", origin)
			if failed.Status < 400 || failed.Header.Get("Access-Control-Allow-Origin") != want || failed.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("error of %s from %s: %d %q", path, origin, failed.Status, failed.Header.Get("Access-Control-Allow-Origin"))
			}
			if !slices.Contains(failed.Header.Values("Vary"), "Origin") {
				t.Errorf("%s: Vary %v", path, failed.Header.Values("Vary"))
			}
		}
	}
}

// What two readers of a request could understand differently is refused before
// anything is done, and every answer carries an id.
//
// spec: RS-14, HDR-06, HDR-09
func TestRequestsThatAreRefused(t *testing.T) {
	env := testenv.Start(t)
	for name, change := range map[string]func(*http.Request){
		"another host":     func(r *http.Request) { r.Host = "evil.example.org" },
		"content encoding": func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") },
		"two tokens":       func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer a", "Bearer b"} },
		"upgrade":          func(r *http.Request) { r.Header.Set("Upgrade", "websocket"); r.Header.Set("Connection", "upgrade") },
	} {
		req, err := http.NewRequest(http.MethodGet, env.FHIR+"/Patient/maria", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		if a := env.Send(req); a.Status < 400 || a.Status >= 500 || a.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
	a, _ := document(t, env, "/health/ready", "X-Request-Id", "my-request-1")
	if a.Status != 200 || a.Header.Get("X-Request-Id") != "my-request-1" {
		t.Errorf("ready: %d, id %q", a.Status, a.Header.Get("X-Request-Id"))
	}
	a, _ = document(t, env, "/health/live", "X-Request-Id", `"><script>`)
	if strings.Contains(a.Header.Get("X-Request-Id"), "<") {
		t.Error("a request id came back as it was sent")
	}
}
