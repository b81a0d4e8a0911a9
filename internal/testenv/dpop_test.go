package testenv_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/dpop/dpoptest"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// bound is an app of the sandbox, registered for DPoP by the operator, with a key.
func bound(t *testing.T, env *testenv.Env, id string) *testenv.Client {
	t.Helper()
	setDPoP(t, env, id, true)
	c := env.Client(id)
	c.Prover = dpoptest.New(t)
	return c
}

func setDPoP(t *testing.T, env *testenv.Env, id string, on bool) {
	t.Helper()
	value := "false"
	if on {
		value = "true"
	}
	if a := env.Admin(http.MethodPatch, "/clients/"+id, `{"dpop_bound_access_tokens":`+value+`}`); a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", id, a.Status, a.Raw)
	}
}

// approved is a request with its code.
func approved(t *testing.T, env *testenv.Env, c *testenv.Client, extra ...string) (testenv.Request, string) {
	t.Helper()
	r := c.Request(readAll, append([]string{"prompt", "consent"}, extra...)...)
	return r, env.Browser().Code(c, r, "maria", "")
}

// held is a token answer of a bound app.
func held(t *testing.T, env *testenv.Env, c *testenv.Client) testenv.Answer {
	t.Helper()
	a := c.Exchange(approved(t, env, c))
	if a.Status != http.StatusOK || a.String("token_type") != "DPoP" {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	return a
}

func thumbprintOf(t *testing.T, token string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Confirmation struct {
			Thumbprint string `json:"jkt"`
		} `json:"cnf"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.Confirmation.Thumbprint
}

// An app that is registered for it goes the whole way with proofs: code, record,
// UserInfo, introspection, refresh; as every kind of client.
//
// spec: AT-12, DISC-35
func TestTheWholeWayWithProofs(t *testing.T) {
	env := testenv.Start(t)
	for _, id := range []string{"sandbox-native", "sandbox-browser", "sandbox-confidential", "sandbox-asymmetric"} {
		t.Run(id, func(t *testing.T) {
			c := bound(t, env, id)
			a := held(t, env, c)
			checkTokenHeaders(t, a)
			for range 2 {
				token := a.String("access_token")
				if got := thumbprintOf(t, token); got != c.Prover.Thumbprint() {
					t.Errorf("bound to %q", got)
				}
				for _, target := range []string{env.FHIR + "/Patient/maria", env.FHIR + "/Observation?patient=maria&_count=1", env.URL + "/userinfo"} {
					for range 2 { // each with a proof of its own
						if got := c.Bound(http.MethodGet, target, token); got.Status != http.StatusOK {
							t.Errorf("%s: %d %s", target, got.Status, got.Raw)
						}
					}
				}
				checkIntrospection(t, env, c, token)
				a = c.Refresh(a.String("refresh_token"))
				if a.Status != http.StatusOK || a.String("token_type") != "DPoP" {
					t.Fatalf("%d %s", a.Status, a.Raw)
				}
			}
		})
	}
	service := bound(t, env, "sandbox-backend")
	a := service.Service("system/Patient.rs")
	if a.Status != http.StatusOK || a.String("token_type") != "DPoP" || thumbprintOf(t, a.String("access_token")) != service.Prover.Thumbprint() {
		t.Fatalf("a backend service: %d %s", a.Status, a.Raw)
	}
	if got := service.Bound(http.MethodGet, env.FHIR+"/Patient?_count=1", a.String("access_token")); got.Status != http.StatusOK {
		t.Errorf("a backend service: %d %s", got.Status, got.Raw)
	}
}

// checkIntrospection asks by the app's own credentials, by the token itself, and as a
// resource server does.
func checkIntrospection(t *testing.T, env *testenv.Env, c *testenv.Client, token string) {
	t.Helper()
	asked := map[string]testenv.Answer{
		"the token itself":   send(t, env, "/introspect", form, "token="+token, "Authorization", "DPoP "+token, "DPoP", c.Prover.Proof("POST", env.URL+"/introspect", token)),
		"a resource server":  env.Client("sandbox-confidential").Post("/introspect", url.Values{"token": {token}}),
		"without its proof":  send(t, env, "/introspect", form, "token="+token, "Authorization", "DPoP "+token),
		"as a Bearer token":  send(t, env, "/introspect", form, "token="+token, "Authorization", "Bearer "+token),
		"by another's proof": send(t, env, "/introspect", form, "token="+token, "Authorization", "DPoP "+token, "DPoP", dpoptest.New(t).Proof("POST", env.URL+"/introspect", token)),
	}
	for by, a := range asked {
		cnf, _ := a.Body["cnf"].(map[string]any)
		good := a.Status == http.StatusOK && a.Body["active"] == true && a.String("token_type") == "DPoP" && cnf["jkt"] == c.Prover.Thumbprint()
		if want := by == "the token itself" || by == "a resource server"; good != want || !want && a.Status != http.StatusUnauthorized {
			t.Errorf("asked by %s: %d %s", by, a.Status, a.Raw)
		}
	}
}

// A client that is not registered for it gets Bearer tokens, and what it sends of
// proofs and keys, good or bad, changes nothing.
//
// spec: AT-15
// attack: JW-16
func TestAProofOfAnUnregisteredClient(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	prover := dpoptest.New(t)
	good := func() string { return prover.Proof("POST", env.URL+"/token", "") }
	for name, proof := range map[string]func() string{"good": good, "nonsense": func() string { return "eyJ" }} {
		r, code := approved(t, env, c, "dpop_jkt", prover.Thumbprint())
		body := url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "code_verifier": {r.Verifier},
		}.Encode()
		a := send(t, env, "/token", form, body, "DPoP", proof())
		if a.Status != http.StatusOK || a.String("token_type") != "Bearer" || thumbprintOf(t, a.String("access_token")) != "" {
			t.Fatalf("%s: %d %s", name, a.Status, a.Raw)
		}
		for range 2 { // nor is it remembered as used
			if got := env.Get(a.String("access_token"), "Patient/maria", "DPoP", proof()); got.Status != http.StatusOK {
				t.Errorf("%s beside a Bearer token: %d", name, got.Status)
			}
		}
		a = send(t, env, "/token", form, "grant_type=refresh_token&refresh_token="+a.String("refresh_token"), "DPoP", proof())
		if a.Status != http.StatusOK || a.String("token_type") != "Bearer" {
			t.Errorf("%s: refresh %d %s", name, a.Status, a.Raw)
		}
	}
}

// A token request of a bound app without a good proof gets no token, is told why, and
// costs the app nothing but the request: its code is good afterwards.
//
// spec: ERR-35, AT-13
// attack: JW-16
func TestTokenRequestsWithoutAGoodProof(t *testing.T) {
	env := testenv.Start(t)
	c := bound(t, env, "sandbox-native")
	r, code := approved(t, env, c)
	body := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "code_verifier": {r.Verifier},
	}.Encode()
	at := env.URL + "/token"
	now := time.Now().Unix()
	used := c.Prover.Proof("POST", at, "", "jti", "the-same")
	if a := send(t, env, "/token", form, "grant_type=authorization_code&code=ac_x&redirect_uri=x&code_verifier="+strings.Repeat("v", 43)+"&client_id="+c.ID, "DPoP", used); a.String("error") != "invalid_grant" {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	for name, header := range map[string][]string{
		"none": nil, "nonsense": {"DPoP", "eyJ"}, "two": {"DPoP", c.Prover.Proof("POST", at, ""), "DPoP", c.Prover.Proof("POST", at, "")},
		"another method": {"DPoP", c.Prover.Proof("GET", at, "")}, "another endpoint": {"DPoP", c.Prover.Proof("POST", env.URL+"/par", "")},
		"another server": {"DPoP", c.Prover.Proof("POST", "https://evil.example.org/token", "")}, "an hour old": {"DPoP", c.Prover.Proof("POST", at, "", "iat", now-3600)},
		"an hour ahead": {"DPoP", c.Prover.Proof("POST", at, "", "iat", now+3600)}, "without jti": {"DPoP", c.Prover.Proof("POST", at, "", "jti", nil)},
	} {
		a := send(t, env, "/token", form, body, header...)
		if a.Status != http.StatusBadRequest || a.String("error") != "invalid_dpop_proof" || a.String("error_description") == "" || !strings.Contains(a.String("error_uri"), "#dpop.proof") {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
		checkTokenHeaders(t, a)
	}
	a := send(t, env, "/token", form, body, "DPoP", c.Prover.Proof("POST", at+"?a=b#c", "", "iat", now-10))
	if a.Status != http.StatusOK || a.String("token_type") != "DPoP" {
		t.Fatalf("the code afterwards, ten seconds late, with a query in htu: %d %s", a.Status, a.Raw)
	}
	refresh := "grant_type=refresh_token&client_id=" + c.ID + "&refresh_token=" + a.String("refresh_token")
	again := c.Prover.Proof("POST", at, "")
	for n, want := range []string{"", "invalid_dpop_proof"} {
		if a := send(t, env, "/token", form, refresh, "DPoP", again); a.String("error") != want || want != "" && !strings.HasSuffix(a.String("error_uri"), "#dpop.replayed") {
			t.Errorf("use %d of one proof: %d %s", n+1, a.Status, a.Raw)
		}
	}
	if a := send(t, env, "/token", form, refresh, "DPoP", used); a.String("error") != "invalid_dpop_proof" {
		t.Errorf("a proof that was used for something that failed: %d %s", a.Status, a.Raw)
	}
}

// A token without its key opens nothing at any door, and a proof is good for one
// request, one token and one key.
//
// spec: AT-13, AT-14
// attack: RT-17, P-19, JW-16
func TestABoundTokenWithoutItsKey(t *testing.T) {
	env := testenv.Start(t)
	c := bound(t, env, "sandbox-native")
	a, other := held(t, env, c), held(t, env, c)
	token := a.String("access_token")
	_, free := env.Token("sandbox-browser", readAll, "maria", "")
	bearer := free.String("access_token")
	thief := dpoptest.New(t)
	ask := func(method, target string, header ...string) testenv.Answer {
		req, err := http.NewRequest(method, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Add(header[i], header[i+1])
		}
		return env.Send(req)
	}
	for _, target := range []string{env.FHIR + "/Patient/maria", env.URL + "/userinfo"} {
		used := c.Prover.Proof("GET", target, token)
		for _, row := range []struct {
			name, scheme, token string
			proof               []string
			code                string // empty: it is let through
		}{
			{"right", "DPoP", token, []string{used}, ""},
			{"replayed", "DPoP", token, []string{used}, "invalid_dpop_proof"},
			{"lower case", "dpop", token, []string{c.Prover.Proof("GET", target, token)}, ""},
			{"Bearer", "Bearer", token, nil, "invalid_token"},
			{"Bearer with its proof", "Bearer", token, []string{c.Prover.Proof("GET", target, token)}, "invalid_token"},
			{"no proof", "DPoP", token, nil, "invalid_dpop_proof"},
			{"two proofs", "DPoP", token, []string{c.Prover.Proof("GET", target, token), c.Prover.Proof("GET", target, token)}, "invalid_dpop_proof"},
			{"a proof by another key", "DPoP", token, []string{thief.Proof("GET", target, token)}, "invalid_token"},
			{"a proof for the token endpoint", "DPoP", token, []string{c.Prover.Proof("POST", env.URL+"/token", token)}, "invalid_dpop_proof"},
			{"a proof for another record", "DPoP", token, []string{c.Prover.Proof("GET", env.FHIR+"/Patient/james", token)}, "invalid_dpop_proof"},
			{"a proof for another method", "DPoP", token, []string{c.Prover.Proof("POST", target, token)}, "invalid_dpop_proof"},
			{"a proof for another token", "DPoP", token, []string{c.Prover.Proof("GET", target, other.String("access_token"))}, "invalid_dpop_proof"},
			{"a proof for no token", "DPoP", token, []string{c.Prover.Proof("GET", target, "")}, "invalid_dpop_proof"},
			{"an hour old", "DPoP", token, []string{c.Prover.Proof("GET", target, token, "iat", time.Now().Unix()-3600)}, "invalid_dpop_proof"},
			{"an unbound token as DPoP", "DPoP", bearer, []string{thief.Proof("GET", target, bearer)}, "invalid_token"},
			{"an unbound token as DPoP without a proof", "DPoP", bearer, nil, "invalid_token"},
			{"no token at all", "DPoP", "nothing", []string{c.Prover.Proof("GET", target, "nothing")}, "invalid_token"},
		} {
			header := []string{"Authorization", row.scheme + " " + row.token}
			for _, p := range row.proof {
				header = append(header, "DPoP", p)
			}
			got := ask(http.MethodGet, target, header...)
			challenge := strings.Join(got.Header.Values("WWW-Authenticate"), ", ")
			if row.code == "" {
				if got.Status != http.StatusOK {
					t.Errorf("%s, %s: %d %s", target, row.name, got.Status, got.Raw)
				}
				continue
			}
			scheme := row.scheme + ` realm=`
			if got.Status != http.StatusUnauthorized || !strings.HasPrefix(challenge, scheme) || !strings.Contains(challenge, `error="`+row.code+`"`) || !strings.Contains(challenge, `algs="ES256`) {
				t.Errorf("%s, %s: %d, challenge %q", target, row.name, got.Status, challenge)
			}
		}
		got := ask(http.MethodGet, target)
		if list := got.Header.Values("WWW-Authenticate"); got.Status != http.StatusUnauthorized || len(list) != 2 || !strings.HasPrefix(list[0], "Bearer ") ||
			!strings.HasPrefix(list[1], "DPoP ") || strings.Contains(strings.Join(list, ""), "error=") {
			t.Errorf("%s without credentials: %d %q", target, got.Status, list)
		}
	}
	search := c.Bound(http.MethodPost, env.FHIR+"/Patient/_search", token)
	if search.Status == http.StatusUnauthorized {
		t.Errorf("POST: %d %s", search.Status, search.Raw)
	}
	// Without its key it can be given back, and then the key does not help either.
	if got := c.Post("/revoke", url.Values{"token": {token}}); got.Status != http.StatusOK {
		t.Fatal(got.Raw)
	}
	if got := c.Bound(http.MethodGet, env.FHIR+"/Patient/maria", token); got.Status != http.StatusUnauthorized {
		t.Errorf("after revocation: %d", got.Status)
	}
}

// The refresh token of a public app is good with its key only, and a try with another
// one ends nothing; a confidential app may change its key. What an app gets follows
// what it is registered for at the moment.
//
// spec: AT-12
// attack: RT-17
func TestRefreshTokensAndKeys(t *testing.T) {
	env := testenv.Start(t)
	c := bound(t, env, "sandbox-native")
	a := held(t, env, c)
	own := c.Prover
	c.Prover = dpoptest.New(t)
	if got := c.Refresh(a.String("refresh_token")); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
		t.Errorf("another key: %d %s", got.Status, got.Raw)
	}
	setDPoP(t, env, c.ID, false)
	c.Prover = nil
	if got := c.Refresh(a.String("refresh_token")); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
		t.Errorf("no key, once it is not asked for one: %d %s", got.Status, got.Raw)
	}
	if got := env.Get(a.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("the bound token as Bearer: %d", got.Status)
	}
	setDPoP(t, env, c.ID, true)
	c.Prover = own
	a = c.Refresh(a.String("refresh_token"))
	if a.Status != http.StatusOK {
		t.Fatalf("its own key afterwards: %d %s", a.Status, a.Raw)
	}

	secret := bound(t, env, "sandbox-confidential")
	a = held(t, env, secret)
	secret.Prover = dpoptest.New(t)
	a = secret.Refresh(a.String("refresh_token"))
	if a.Status != http.StatusOK || thumbprintOf(t, a.String("access_token")) != secret.Prover.Thumbprint() {
		t.Errorf("a confidential app with a new key: %d %s", a.Status, a.Raw)
	}

	_, before := env.Token("sandbox-browser", readAll, "maria", "")
	late := bound(t, env, "sandbox-browser")
	if got := env.Get(before.String("access_token"), "Patient/maria"); got.Status != http.StatusOK {
		t.Errorf("a Bearer token from before: %d", got.Status)
	}
	next := late.Refresh(before.String("refresh_token"))
	if next.Status != http.StatusOK || next.String("token_type") != "DPoP" {
		t.Fatalf("a refresh token from before: %d %s", next.Status, next.Raw)
	}
	late.Prover = dpoptest.New(t)
	if got := late.Refresh(next.String("refresh_token")); got.String("error") != "invalid_grant" {
		t.Errorf("bound since its first use: %d %s", got.Status, got.Raw)
	}
}

// dpop_jkt, or the proof of a pushed request, has the code be for one key: with another
// it is no code, and burnt.
//
// spec: PKCE-10
// attack: RT-17
func TestACodeForAKey(t *testing.T) {
	env := testenv.Start(t)
	c := bound(t, env, "sandbox-native")
	own, thief := c.Prover, dpoptest.New(t)
	push := func(prover *dpoptest.Prover, r testenv.Request) testenv.Answer {
		return send(t, env, "/par", form, r.Values.Encode(), "DPoP", prover.Proof("POST", env.URL+"/par", ""))
	}
	for name, ask := range map[string]func() (testenv.Request, string){
		"dpop_jkt": func() (testenv.Request, string) { return approved(t, env, c, "dpop_jkt", own.Thumbprint()) },
		"dpop_jkt, pushed": func() (testenv.Request, string) {
			r := c.Push(c.Request(readAll, "prompt", "consent", "dpop_jkt", own.Thumbprint()))
			return r, env.Browser().Code(c, r, "maria", "")
		},
		"pushed with a proof": func() (testenv.Request, string) {
			r := c.Request(readAll, "prompt", "consent")
			r.Pushed = push(own, r).String("request_uri")
			return r, env.Browser().Code(c, r, "maria", "")
		},
	} {
		r, code := ask()
		c.Prover = thief
		if got := c.Exchange(r, code); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
			t.Errorf("%s, another key: %d %s", name, got.Status, got.Raw)
		}
		c.Prover = own
		if got := c.Exchange(r, code); got.String("error") != "invalid_grant" {
			t.Errorf("%s, the right key too late: %d %s", name, got.Status, got.Raw)
		}
		r, code = ask()
		if got := c.Exchange(r, code); got.Status != http.StatusOK {
			t.Errorf("%s, the right key: %d %s", name, got.Status, got.Raw)
		}
	}
	for name, value := range map[string]string{"too short": "abc", "padded": own.Thumbprint() + "=", "hexadecimal": strings.Repeat("a0", 32)} {
		r := c.Request(readAll, "dpop_jkt", value)
		if p := env.Browser().Open(r.URL()); p.Left == nil || p.Left.Query().Get("error") != "invalid_request" {
			t.Errorf("%s: %s", name, p.Describe())
		}
		if got := c.Post("/par", r.Values); got.String("error") != "invalid_request" {
			t.Errorf("%s, pushed: %d %s", name, got.Status, got.Raw)
		}
	}
	both := c.Request(readAll, "dpop_jkt", own.Thumbprint())
	for prover, want := range map[*dpoptest.Prover]string{own: "", thief: "invalid_request"} {
		if got := push(prover, both); got.String("error") != want {
			t.Errorf("both: %d %s, want %q", got.Status, got.Raw, want)
		}
	}
	once := own.Proof("POST", env.URL+"/par", "")
	for n, want := range []string{"", "invalid_dpop_proof"} {
		if got := send(t, env, "/par", form, c.Request(readAll).Values.Encode(), "DPoP", once); got.String("error") != want {
			t.Errorf("use %d of one proof: %d %s", n+1, got.Status, got.Raw)
		}
	}
	if got := send(t, env, "/par", form, both.Values.Encode(), "DPoP", own.Proof("POST", env.URL+"/token", "")); got.String("error") != "invalid_dpop_proof" {
		t.Errorf("a proof for the token endpoint: %d %s", got.Status, got.Raw)
	}
}

// Off, offered, with a nonce: discovery says what is on. Off, the scheme opens nothing
// and an app that is registered for it gets no token; with a nonce each door asks for
// it and takes one, and the same everywhere.
//
// spec: XP-06, DISC-34, DISC-35, ERR-35, AT-13
// attack: JW-16
func TestTheSwitchOfDPoP(t *testing.T) {
	const metadata = `"token_endpoint_auth_method":"none","application_type":"native","redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access"}`
	const scope = "launch/patient patient/*.rs openid offline_access"
	for _, mode := range []string{app.DPoPOff, app.DPoPOffered, app.DPoPNonce} {
		t.Run(mode, func(t *testing.T) {
			env := testenv.Serve(t, func(c *app.Config) { c.Authorization.DPoP = mode })
			env.AddZoe()
			for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
				_, doc := document(t, env, path)
				if list, there := doc["dpop_signing_alg_values_supported"].([]any); there != (mode != app.DPoPOff) || there && (len(list) != 3 || list[0] != "ES256") {
					t.Errorf("%s: %v", path, doc["dpop_signing_alg_values_supported"])
				}
			}
			c := env.Register(`{"dpop_bound_access_tokens":true,` + metadata)
			c.Prover = dpoptest.New(t)
			r := c.Request(scope)
			code := env.Browser().Code(c, r, "zoe", "")
			a := c.Exchange(r, code)
			if mode == app.DPoPOff {
				if a.Status != http.StatusBadRequest || a.String("error") != "unauthorized_client" || !strings.HasSuffix(a.String("error_uri"), "#dpop.off") {
					t.Errorf("%d %s", a.Status, a.Raw)
				}
				checkOff(t, env, env.Register(`{`+metadata), scope)
				return
			}
			if mode == app.DPoPNonce {
				if a.Status != http.StatusBadRequest || a.String("error") != "use_dpop_nonce" || a.Header.Get("DPoP-Nonce") == "" {
					t.Fatalf("without a nonce: %d %s", a.Status, a.Raw)
				}
				a = c.Exchange(r, code)
			} else if a.Header.Get("DPoP-Nonce") != "" {
				t.Error("a nonce where none is asked for")
			}
			if a.Status != http.StatusOK || a.String("token_type") != "DPoP" {
				t.Fatalf("%d %s", a.Status, a.Raw)
			}
			if mode == app.DPoPNonce {
				checkNonces(t, env, c, a.String("access_token"))
			}
		})
	}
}

func checkOff(t *testing.T, env *testenv.Env, plain *testenv.Client, scope string) {
	t.Helper()
	r := plain.Request(scope)
	token := plain.Exchange(r, env.Browser().Code(plain, r, "zoe", "")).String("access_token")
	if got := env.Get(token, "Patient/zoe"); got.Status != http.StatusOK {
		t.Errorf("a Bearer token: %d %s", got.Status, got.Raw)
	}
	for _, scheme := range []string{"DPoP", "dpop"} {
		for _, path := range []string{env.FHIR + "/Patient/zoe", env.URL + "/userinfo"} {
			req, err := http.NewRequest(http.MethodGet, path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("DPoP", dpoptest.New(t).Proof("GET", path, token))
			req.Header.Set("Authorization", scheme+" "+token)
			got := env.Send(req)
			if list := got.Header.Values("WWW-Authenticate"); got.Status != http.StatusUnauthorized || len(list) != 1 || !strings.HasPrefix(list[0], "Bearer ") {
				t.Errorf("%s %s: %d %q", scheme, path, got.Status, list)
			}
		}
	}
}

// checkNonces: each door asks for a nonce, brings it, and takes the one of any other.
func checkNonces(t *testing.T, env *testenv.Env, c *testenv.Client, token string) {
	t.Helper()
	nonce := c.Prover.Nonce
	for _, target := range []string{env.FHIR + "/Patient/zoe", env.URL + "/userinfo"} {
		for _, made := range []string{"", "made-up"} {
			c.Prover.Nonce = made
			got := c.Bound(http.MethodGet, target, token)
			if challenge := got.Header.Get("WWW-Authenticate"); got.Status != http.StatusUnauthorized || got.Header.Get("DPoP-Nonce") == "" ||
				!strings.HasPrefix(challenge, "DPoP ") || !strings.Contains(challenge, `error="use_dpop_nonce"`) {
				t.Errorf("%s with the nonce %q: %d %q", target, made, got.Status, challenge)
			}
		}
		c.Prover.Nonce = nonce
		if got := c.Bound(http.MethodGet, target, token); got.Status != http.StatusOK || got.Header.Get("DPoP-Nonce") == "" {
			t.Errorf("%s: %d %s", target, got.Status, got.Raw)
		}
	}
	r := c.Request("launch/patient patient/*.rs openid")
	without := *c.Prover
	without.Nonce = ""
	if a := send(t, env, "/par", form, r.Values.Encode(), "DPoP", without.Proof("POST", env.URL+"/par", "")); a.Status != 400 || a.String("error") != "use_dpop_nonce" || a.Header.Get("DPoP-Nonce") == "" {
		t.Errorf("pushed without a nonce: %d %s", a.Status, a.Raw)
	}
	if a := send(t, env, "/par", form, r.Values.Encode(), "DPoP", c.Prover.Proof("POST", env.URL+"/par", "")); a.Status != http.StatusCreated {
		t.Errorf("pushed: %d %s", a.Status, a.Raw)
	}
}

// An app registers itself for it, and a page of it may send proofs and read nonces.
//
// spec: AT-12, REG-02, CORS-05
func TestAnAppRegistersItselfForDPoP(t *testing.T) {
	env := testenv.Start(t)
	initial := env.InitialAccessToken("9")
	a := env.JSON(http.MethodPost, "/register", initial, `{"dpop_bound_access_tokens":true,"client_name":"Keys","token_endpoint_auth_method":"none","redirect_uris":["https://keys.example.org/cb"],"scope":"`+readAll+`"}`)
	c := env.Registered(a)
	at, manage := a.String("registration_client_uri"), a.String("registration_access_token")
	if got := env.JSON(http.MethodGet, at, manage, ""); a.Body["dpop_bound_access_tokens"] != true || got.Body["dpop_bound_access_tokens"] != true {
		t.Errorf("told back: %s, %s", a.Raw, got.Raw)
	}
	if shown := env.Admin(http.MethodGet, "/clients/"+c.ID, ""); !strings.Contains(shown.Raw, `"dpop_bound_access_tokens":true`) {
		t.Errorf("client show: %s", shown.Raw)
	}
	c.Prover = dpoptest.New(t)
	held(t, env, c)
	for _, wrong := range []string{`"yes"`, `1`} {
		if got := env.JSON(http.MethodPost, "/register", initial, `{"dpop_bound_access_tokens":`+wrong+`,"redirect_uris":["https://keys.example.org/cb"]}`); got.Status != 400 || got.String("error") != "invalid_client_metadata" {
			t.Errorf("%s: %d %s", wrong, got.Status, got.Raw)
		}
	}
	req, err := http.NewRequest(http.MethodOptions, env.URL+"/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Origin": "https://keys.example.org", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "dpop"} {
		req.Header.Set(name, value)
	}
	if got := env.Send(req); !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "DPoP") || !strings.Contains(got.Header.Get("Access-Control-Expose-Headers"), "DPoP-Nonce") {
		t.Errorf("a page of the app: %v", got.Header)
	}
}

// Two processes: a proof that was used at the token endpoint of one is used at the
// other, a nonce of one is good at the other, and a bound token is bound at both.
//
// spec: AT-13
// attack: P-19
func TestProofsAtAnotherProcess(t *testing.T) {
	nodes := testenv.Nodes(t, 2, func(c *app.Config) { c.Authorization.DPoP = app.DPoPNonce })
	one, two := nodes[0], nodes[1]
	c := one.Register(`{"dpop_bound_access_tokens":true,"token_endpoint_auth_method":"none","redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access"}`)
	c.Prover = dpoptest.New(t)
	const scope = "launch/patient patient/*.rs openid offline_access"
	r := c.Request(scope)
	eventually(t, "a new client is known at the other process", func() bool {
		return two.Browser().Open(r.URL()).HasButton("action", "sign-in")
	})
	code := one.Browser().Code(c, r, "zoe", "")
	if a := c.Exchange(r, code); a.String("error") != "use_dpop_nonce" {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	a := c.At(two).Exchange(r, code) // with the nonce of the first
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	refresh := "grant_type=refresh_token&client_id=" + c.ID + "&refresh_token=" + a.String("refresh_token")
	proof := c.Prover.Proof("POST", one.URL+"/token", "")
	if got := send(t, one, "/token", form, refresh, "DPoP", proof); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	if got := send(t, two, "/token", form, refresh, "DPoP", proof); got.String("error") != "invalid_dpop_proof" {
		t.Errorf("the proof again at the other process: %d %s", got.Status, got.Raw)
	}
	for _, env := range nodes {
		if got := env.Get(a.String("access_token"), "Patient/zoe"); got.Status != http.StatusUnauthorized {
			t.Errorf("as a Bearer token: %d", got.Status)
		}
		if got := c.At(env).Bound(http.MethodGet, env.FHIR+"/Patient/zoe", a.String("access_token")); got.Status != http.StatusOK {
			t.Errorf("with a proof: %d %s", got.Status, got.Raw)
		}
	}
}
