package testenv_test

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

const signedType = "application/token-introspection+jwt"

// asked sends the question of a client with an Accept header.
func asked(t *testing.T, env *testenv.Env, c *testenv.Client, accept, token string) testenv.Answer {
	t.Helper()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ID)+":"+url.QueryEscape(c.Secret)))
	return send(t, env, "/introspect", form, url.Values{"token": {token}}.Encode(), "Authorization", basic, "Accept", accept)
}

// publishedKeys is the key set of a server.
func publishedKeys(t *testing.T, env *testenv.Env) jose.JSONWebKeySet {
	t.Helper()
	a, _ := document(t, env, "/jwks.json")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(a.Raw), &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// verified is the header and the claims of what a published key has signed.
func verified(t *testing.T, env *testenv.Env, text string) (jose.Header, map[string]any) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	header := jws.Signatures[0].Protected
	set := publishedKeys(t, env)
	found := set.Key(header.KeyID)
	if len(found) != 1 {
		t.Fatalf("kid %s: %d keys", header.KeyID, len(found))
	}
	payload, err := jws.Verify(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return header, claims
}

// resourceServer registers a client that may ask about all tokens.
func resourceServer(env *testenv.Env, more string) *testenv.Client {
	return env.Register(`{"client_name":"Records","redirect_uris":["https://records.example.org/cb"],"emberlatch_may_introspect":true` + more + `}`)
}

// zoesToken goes all the way to a token of an app for zoe.
func zoesToken(env *testenv.Env, c *testenv.Client) testenv.Answer {
	r := c.Request(readAll)
	return c.Exchange(r, env.Browser().Code(c, r, "zoe", ""))
}

// Signed answers are off unless they are switched on; then the metadata says so, and
// who asks for one gets what JSON would say, signed for it alone.
//
// spec: INTRO-21, XP-06, INTRO-17, INTRO-13
// attack: IN-01, IN-04
func TestSignedAnswers(t *testing.T) {
	on := testenv.Serve(t, func(c *app.Config) { c.Introspection.SignedAnswers = true })
	off := testenv.Serve(t, func(*app.Config) {})
	for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		_, with := document(t, on, path)
		_, without := document(t, off, path)
		const name = "introspection_signing_alg_values_supported"
		if diff := cmp.Diff([]any{"ES256", "RS256"}, with[name]); diff != "" || without[name] != nil {
			t.Errorf("%s: on %v, off %v", path, with[name], without[name])
		}
		delete(with, name)
		if diff := cmp.Diff(without, with); diff != "" {
			t.Errorf("%s: the switch changes more: %s", path, diff)
		}
	}
	for _, env := range []*testenv.Env{on, off} {
		env.AddZoe()
	}
	if got := asked(t, off, resourceServer(off, ""), signedType, zoesToken(off, resourceServer(off, "")).String("access_token")); got.Header.Get("Content-Type") != "application/json" || got.Body["active"] != true {
		t.Errorf("switched off: %d %s %s", got.Status, got.Header.Get("Content-Type"), got.Raw)
	}
	env := on
	app := env.Register(`{"redirect_uris":["https://app.example.org/cb"]}`)
	token := zoesToken(env, app).String("access_token")
	for _, row := range []struct{ name, more, algorithm string }{
		{"as it comes", "", "RS256"}, {"registered", `,"introspection_signed_response_alg":"ES256"`, "ES256"}, {"registered the usual one", `,"introspection_signed_response_alg":"RS256"`, "RS256"},
	} {
		c := resourceServer(env, row.more)
		for text, active := range map[string]bool{token: true, "nonsense": false} {
			plain := asked(t, env, c, "application/json", text)
			before := time.Now().Unix()
			got := asked(t, env, c, signedType, text)
			if got.Status != 200 || got.Header.Get("Content-Type") != signedType {
				t.Fatalf("%s: %d %s %s", row.name, got.Status, got.Header.Get("Content-Type"), got.Raw)
			}
			checkHeaders(t, got)
			header, claims := verified(t, env, got.Raw)
			if header.Algorithm != row.algorithm || header.ExtraHeaders[jose.HeaderType] != "token-introspection+jwt" {
				t.Errorf("%s: header %+v", row.name, header)
			}
			iat, _ := claims["iat"].(float64)
			if iat < float64(before) || iat > float64(time.Now().Unix()) {
				t.Errorf("%s: iat %v", row.name, iat)
			}
			delete(claims, "iat")
			// RFC 9701 §5: neither sub nor exp beside the answer.
			if diff := cmp.Diff(map[string]any{"iss": env.URL, "aud": c.ID, "token_introspection": plain.Body}, claims); diff != "" || plain.Body["active"] != active || !active && len(plain.Body) != 1 {
				t.Errorf("%s: %s", row.name, diff)
			}
		}
		if a := env.Admin(http.MethodPatch, "/clients/"+c.ID, `{"introspection_signed_response_alg":"HS256"}`); a.Status != http.StatusBadRequest {
			t.Errorf("HS256 was registered: %d %s", a.Status, a.Raw)
		}
	}
	c := resourceServer(env, "")
	for accept, signed := range map[string]bool{
		signedType: true, "application/TOKEN-INTROSPECTION+jwt": true, signedType + ", application/json": true, "application/json;q=0.5, " + signedType + ";q=0.9": true, "*/*, " + signedType: true,
		"application/json, " + signedType + ";q=0.9": false, signedType + ";q=0": false, signedType + ";q=nonsense": false, "": false, "*/*": false, "application/*": false, "application/jwt": false, "application/json": false, "application/token-introspection+jwtx": false, ";;, ,": false,
	} {
		if got := asked(t, env, c, accept, token); (got.Header.Get("Content-Type") == signedType) != signed || got.Status != 200 {
			t.Errorf("Accept %q: %d %s", accept, got.Status, got.Header.Get("Content-Type"))
		}
	}
	// What the caller may not know, it does not learn in signed form either (attack P-71).
	if _, claims := verified(t, env, asked(t, env, env.Register(`{"redirect_uris":["https://other.example.org/cb"]}`), signedType, token).Raw); cmp.Diff(map[string]any{"active": false}, claims["token_introspection"]) != "" {
		t.Errorf("another client: %v", claims)
	}
	wrong := *c
	wrong.Secret = "wrong"
	if got := asked(t, env, &wrong, signedType, token); got.Status != http.StatusUnauthorized || got.Header.Get("Content-Type") != "application/json" || got.String("error") != "invalid_client" {
		t.Errorf("an error: %d %s", got.Status, got.Raw)
	}
	// A Bearer caller is its client.
	if _, claims := verified(t, env, send(t, env, "/introspect", form, "token="+token, "Authorization", "Bearer "+token, "Accept", signedType).Raw); claims["aud"] != app.ID {
		t.Errorf("for a Bearer caller: %v", claims)
	}
}

// checkHeaders: no cache keeps it.
func checkHeaders(t *testing.T, a testenv.Answer) {
	t.Helper()
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" {
		t.Errorf("headers %v", a.Header)
	}
}

// A signed answer opens nothing, wherever it is brought in the place of a token; and no
// token says of itself that it is an answer.
//
// spec: INTRO-21
// attack: JW-01, IN-03
func TestASignedAnswerIsNoToken(t *testing.T) {
	env := testenv.Serve(t, func(c *app.Config) { c.Introspection.SignedAnswers = true })
	env.AddZoe()
	c := resourceServer(env, "")
	first := zoesToken(env, c)
	token := first.String("access_token")
	for _, alg := range []string{"RS256", "ES256"} {
		if a := env.Admin(http.MethodPatch, "/clients/"+c.ID, `{"introspection_signed_response_alg":"`+alg+`"}`); a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		answer := asked(t, env, c, signedType, token).Raw
		if header, _ := verified(t, env, answer); header.Algorithm != alg {
			t.Fatalf("signed with %s", header.Algorithm)
		}
		if got := env.Get(answer, "Patient/zoe"); got.Status != http.StatusUnauthorized {
			t.Errorf("%s, a record: %d", alg, got.Status)
		}
		if got := send(t, env, "/userinfo", "", "", "Authorization", "Bearer "+answer); got.Status != http.StatusUnauthorized {
			t.Errorf("%s, UserInfo: %d", alg, got.Status)
		}
		if got := send(t, env, "/introspect", form, "token="+token, "Authorization", "Bearer "+answer); got.Status != http.StatusUnauthorized {
			t.Errorf("%s, a caller: %d", alg, got.Status)
		}
		if got := asked(t, env, c, "", answer); got.Raw != `{"active":false}` {
			t.Errorf("%s, introspected: %s", alg, got.Raw)
		}
		if got := c.Refresh(answer); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
			t.Errorf("%s, a refresh: %d %s", alg, got.Status, got.Raw)
		}
		if got := c.Exchange(c.Request(readAll), answer); got.String("error") != "invalid_grant" {
			t.Errorf("%s, a code: %s", alg, got.Raw)
		}
		proof := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {testenv.AssertionType}, "client_assertion": {answer}}
		if got := send(t, env, "/token", form, proof.Encode()); got.String("error") != "invalid_client" {
			t.Errorf("%s, an assertion: %s", alg, got.Raw)
		}
		if p := env.Browser().Open(c.Request(readAll, "prompt", "none", "id_token_hint", answer).URL()); p.Left == nil || p.Left.Query().Get("error") != "invalid_request" {
			t.Errorf("%s, a hint: %s", alg, p.Describe())
		}
		b := env.Browser()
		r := c.Request(readAll)
		b.Code(c, r, "zoe", "")
		if p := b.Open("/logout?" + url.Values{"id_token_hint": {answer}}.Encode()); !p.HasButton("action", "sign-out") {
			t.Errorf("%s, a hint at logout: %s", alg, p.Describe())
		}
	}
	for name, want := range map[string]string{"access_token": "at+jwt", "id_token": "JWT"} {
		if header, claims := verified(t, env, first.String(name)); header.ExtraHeaders[jose.HeaderType] != want || claims["token_introspection"] != nil {
			t.Errorf("%s: %v", name, header)
		}
	}
}

// partners is a server of ours that trusts two others: one by its keys, one by asking.
// Both are sandboxes with a network of their own.
func partners(t *testing.T, change func(*app.IntrospectionConfig)) (ours, keyed, asking *testenv.Env) {
	t.Helper()
	keyed, asking = testenv.Start(t), testenv.Start(t)
	secret := filepath.Join(t.TempDir(), "partner.secret")
	if err := os.WriteFile(secret, []byte("sandbox-confidential-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ours = testenv.Serve(t, func(c *app.Config) {
		c.Introspection.TrustedIssuers = []app.TrustedIssuerConfig{
			{Issuer: keyed.URL, Audience: keyed.FHIR, JWKSURI: keyed.URL + "/jwks.json"},
			{Issuer: asking.URL, Audience: asking.FHIR, Endpoint: asking.URL + "/introspect", ClientID: "sandbox-confidential", ClientSecretFile: secret},
		}
		change(&c.Introspection)
	})
	return ours, keyed, asking
}

// A resource server asks one place about the tokens of several servers. What is said is
// what those servers say, under their names, and none of their tokens is good here.
//
// spec: INTRO-04, INTRO-06, INTRO-07, INTRO-09, INTRO-13, INTRO-14, INTRO-19
// attack: IN-03, IN-04, IN-06
func TestTokensOfOtherServers(t *testing.T) {
	ours, keyed, asking := partners(t, func(c *app.IntrospectionConfig) { c.SignedAnswers = true })
	rs := resourceServer(ours, "")
	plain := ours.Register(`{"redirect_uris":["https://app.example.org/cb"]}`)
	for name, other := range map[string]*testenv.Env{"by keys": keyed, "by asking": asking} {
		c, a := other.Token("sandbox-confidential", readAll, "maria", "")
		token := a.String("access_token")
		there := c.Post("/introspect", url.Values{"token": {token}})
		got := asked(t, ours, rs, "application/json", token)
		if got.Status != 200 || got.Body["active"] != true || got.String("iss") != other.URL || got.String("aud") != other.FHIR || got.String("patient") != "maria" || got.String("scope") != a.String("scope") {
			t.Fatalf("%s: %d %s", name, got.Status, got.Raw)
		}
		checkHeaders(t, got)
		for member, value := range got.Body {
			if member != "fhirUser" && cmp.Diff(there.Body[member], value) != "" { // in a token it is a reference
				t.Errorf("%s: %s is %v, there %v", name, member, value, there.Body[member])
			}
		}
		if got.Body["gid"] != nil {
			t.Errorf("%s: more is copied than has a name: %s", name, got.Raw)
		}
		if _, claims := verified(t, ours, asked(t, ours, rs, signedType, token).Raw); cmp.Diff(got.Body, claims["token_introspection"]) != "" || claims["iss"] != ours.URL {
			t.Errorf("%s, signed: %v", name, claims)
		}
		if got := asked(t, ours, plain, "", token); got.Raw != `{"active":false}` {
			t.Errorf("%s: a client without the permission learns %s", name, got.Raw)
		}
		// At none of our doors is it a token of ours.
		if got := ours.Get(token, "Patient/maria"); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: our FHIR door: %d", name, got.Status)
		}
		if got := send(t, ours, "/userinfo", "", "", "Authorization", "Bearer "+token); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: our UserInfo: %d", name, got.Status)
		}
		if got := send(t, ours, "/introspect", form, "token="+token, "Authorization", "Bearer "+token); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: a caller of ours: %d", name, got.Status)
		}
		if got := rs.Post("/revoke", url.Values{"token": {token}}); got.Status != 200 || asked(t, ours, rs, "", token).Body["active"] != true {
			t.Errorf("%s: it was revoked here: %d", name, got.Status)
		}
		for kind, text := range map[string]string{"ID token": a.String("id_token"), "refresh token": a.String("refresh_token"), "altered": token[:len(token)-4] + "AAAA"} {
			if got := asked(t, ours, rs, "", text); got.Status != 200 || got.Raw != `{"active":false}` {
				t.Errorf("%s, %s: %d %s", name, kind, got.Status, got.Raw)
			}
		}
		if got := c.Post("/revoke", url.Values{"token": {token}}); got.Status != 200 {
			t.Fatal(got.Raw)
		}
		// Who is asked says at once that it has ended; keys say so when the token ends.
		if got := asked(t, ours, rs, "", token); (got.Body["active"] == true) != (other == keyed) {
			t.Errorf("%s, after revocation there: %s", name, got.Raw)
		}
	}
	if _, a := testenv.Start(t).Token("sandbox-confidential", readAll, "maria", ""); asked(t, ours, rs, "", a.String("access_token")).Raw != `{"active":false}` {
		t.Error("a token of a server that is not listed is active")
	}
	ours.AddZoe()
	if got := asked(t, ours, rs, "", zoesToken(ours, plain).String("access_token")); got.Body["active"] != true || got.String("iss") != ours.URL {
		t.Errorf("ours, beside them: %s", got.Raw)
	}
}

// Where the other server is away nobody can say: the caller is told to come again,
// within bounded time; and who asks in vain, again and again, waits for a no only.
//
// spec: INTRO-20, INTRO-13
// attack: JW-12, IN-16
func TestOtherServersThatAreAway(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }))
	t.Cleanup(broken.Close)
	ours, keyed, _ := partners(t, func(c *app.IntrospectionConfig) {
		c.TrustedIssuers[1].OpaqueTokens = true
		c.TrustedIssuers[1].Endpoint = away.URL + "/introspect"
		c.TrustedIssuers = append(c.TrustedIssuers, app.TrustedIssuerConfig{Issuer: broken.URL, Audience: "x", JWKSURI: broken.URL + "/jwks"})
	})
	ours.AddZoe()
	rs := resourceServer(ours, "")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, text := range map[string]string{
		"nobody there": "opaque", "no keys": encode(`{"alg":"ES256","typ":"at+jwt","kid":"k"}`) + "." + encode(`{"iss":"`+broken.URL+`"}`) + ".AAAA",
	} {
		for range 3 {
			began := time.Now()
			got := asked(t, ours, rs, signedType, text)
			if got.Status != http.StatusServiceUnavailable || got.String("error") != "temporarily_unavailable" || got.Header.Get("Retry-After") == "" || time.Since(began) > 8*time.Second {
				t.Errorf("%s: %d %s after %s", name, got.Status, got.Raw, time.Since(began))
			}
		}
	}
	if got := asked(t, ours, rs, "", "rt_ours-and-shown-to-nobody"); got.Raw != `{"active":false}` {
		t.Errorf("a secret of ours: %d %s", got.Status, got.Raw)
	}
	_, there := keyed.Token("sandbox-confidential", readAll, "maria", "")
	good, other := zoesToken(ours, rs).String("access_token"), there.String("access_token")
	for range 1300 { // good tokens of other servers are not in vain
		if got := asked(t, ours, rs, "", other); got.Body["active"] != true {
			t.Fatalf("a good token of another server: %d %s", got.Status, got.Raw)
		}
	}
	statuses := map[int]int{}
	for range 1300 {
		statuses[asked(t, ours, rs, "", "rt_nonsense").Status]++
	}
	if statuses[200] > 1200 || statuses[200] < 1100 || statuses[200]+statuses[429] != 1300 {
		t.Errorf("asked in vain: %v", statuses)
	}
	tired := asked(t, ours, rs, "", "rt_nonsense")
	if tired.Header.Get("Retry-After") == "" || tired.String("error") != "temporarily_unavailable" {
		t.Errorf("%d %s", tired.Status, tired.Raw)
	}
	if got := asked(t, ours, rs, "", good); got.Body["active"] != true {
		t.Errorf("a good token meanwhile: %d %s", got.Status, got.Raw)
	}
	if got := asked(t, ours, rs, "", other); got.Status != http.StatusTooManyRequests { // asking costs the other server
		t.Errorf("another server meanwhile: %d %s", got.Status, got.Raw)
	}
	if got := asked(t, ours, resourceServer(ours, ""), "", "rt_nonsense"); got.Status != 200 {
		t.Errorf("another caller: %d", got.Status)
	}
}

// Who asked about which token stands in the log, by its name; no token, whole or in
// part, does.
//
// spec: INTRO-20
// attack: LO-01
func TestIntrospectionIsAudited(t *testing.T) {
	log := &lines{}
	env := testenv.StartLogged(t, slog.NewJSONHandler(log, nil)) // Info, as in production
	c, a := env.Token("sandbox-confidential", readAll, "maria", "")
	token := a.String("access_token")
	good := c.Post("/introspect", url.Values{"token": {token}})
	bad := c.Post("/introspect", url.Values{"token": {"hunter2-hunter2"}})
	for outcome, answer := range map[string]testenv.Answer{"active": good, "inactive": bad} {
		found := log.of(t, answer.Header.Get("X-Request-Id"))
		if len(found) != 1 || found[0]["msg"] != "introspection" || found[0]["caller"] != c.ID || found[0]["outcome"] != outcome {
			t.Errorf("%s: the log says %v", outcome, found)
		}
		if outcome == "active" && (found[0]["jti"] != good.String("jti") || found[0]["client"] != c.ID || found[0]["issuer"] != env.URL) {
			t.Errorf("the log says %v", found)
		}
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	for _, secret := range append(strings.Split(token, "."), "hunter2", a.String("refresh_token"), "sandbox-confidential-secret") {
		if strings.Contains(log.text.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	if slices.Contains([]string{"", "null"}, good.String("jti")) {
		t.Error("no jti")
	}
}
