package testenv_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// send posts a raw body to the token endpoint.
func send(t *testing.T, env *testenv.Env, path, contentType, body string, header ...string) testenv.Answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, env.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return env.Send(req)
}

const form = "application/x-www-form-urlencoded"

// What is wrong with a token request that never gets to a code.
//
// spec: TOK-01, TOK-02, TOK-03, TOK-05, TOK-06, TOK-17, TOK-24, CAUTH-02, CAUTH-06, CAUTH-07, CAUTH-08, AUTHZ-36
// spec: ERR-24, ERR-25, ERR-26, ERR-27, ERR-28, ERR-29, ERR-31, ERR-36, ERR-37, ERR-38, HDR-01, RT-26, PKCE-05
// attack: TK-12, TK-14, TK-15, TK-18, TK-21
func TestTokenRequestErrors(t *testing.T) {
	env := testenv.Start(t)
	const pub, conf = "client_id=sandbox-native", "sandbox-confidential"
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	good := basic(conf, "sandbox-confidential-secret")
	code := "&grant_type=authorization_code&code=ac_x&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&code_verifier=" + strings.Repeat("v", 43)
	for _, row := range []struct {
		name, contentType, body, auth string
		status                        int
		code                          string
	}{
		{"ERR-25 JSON", "application/json", `{"grant_type":"authorization_code"}`, "", 400, "invalid_request"},
		{"TK-14 no content type", "", pub + code, "", 400, "invalid_request"},
		{"TK-14 multipart", "multipart/form-data; boundary=x", "--x", "", 400, "invalid_request"},
		{"TK-14 text", "text/plain", pub + code, "", 400, "invalid_request"},
		{"TK-14 utf-16", form + "; charset=utf-16", pub + code, "", 400, "invalid_request"},
		{"TOK-03 code twice", form, pub + code + "&code=ac_y", "", 400, "invalid_request"},
		{"TK-21 malformed escape", form, pub + "&grant_type=authorization_code&code=a%ZZ", "", 400, "invalid_request"},
		{"HT semicolon", form, pub + ";grant_type=authorization_code", "", 400, "invalid_request"},
		{"ERR-25 grant_type missing", form, pub, "", 400, "invalid_request"},
		{"ERR-26 unknown grant", form, pub + "&grant_type=not_a_grant_type", "", 400, "unsupported_grant_type"},
		{"AUTHZ-36 password", form, pub + "&grant_type=password&username=maria&password=x", "", 400, "unsupported_grant_type"},
		{"ERR-29 client_credentials", form, pub + "&grant_type=client_credentials&scope=patient%2F*.rs", "", 400, "unauthorized_client"},
		{"TK-25 client_credentials by a secret", form, "grant_type=client_credentials&scope=system%2F*.rs", good, 400, "unauthorized_client"},
		{"CAUTH-07 nobody", form, strings.TrimPrefix(code, "&"), "", 400, "invalid_client"},
		{"CAUTH-08 unknown client", form, "client_id=nobody" + code, "", 400, "invalid_client"},
		{"CAUTH-02 confidential without secret", form, "client_id=" + conf + code, "", 400, "invalid_client"},
		{"CAUTH-07 wrong secret by Basic", form, strings.TrimPrefix(code, "&"), basic(conf, "wrong"), 401, "invalid_client"},
		{"CAUTH-07 wrong secret in the body", form, "client_id=" + conf + "&client_secret=wrong" + code, "", 400, "invalid_client"},
		{"TK-20 public client with a secret", form, pub + "&client_secret=x" + code, "", 400, "invalid_client"},
		{"TK-20 public client by Basic", form, strings.TrimPrefix(code, "&"), basic("sandbox-native", ""), 401, "invalid_client"},
		{"CAUTH-06 two methods", form, "client_secret=x" + code, good, 400, "invalid_request"},
		{"ERR-28 Basic and assertion", form, "client_assertion=x&client_assertion_type=y" + code, good, 400, "invalid_request"},
		{"CAUTH-30 assertion", form, pub + "&client_assertion=x&client_assertion_type=not-an-assertion" + code, "", 400, "invalid_client"},
		{"TK-18 another client_id", form, "client_id=sandbox-native" + code, good, 400, "invalid_request"},
		{"TK-17 Basic without colon", form, code[1:], "Basic " + base64.StdEncoding.EncodeToString([]byte("abc")), 401, "invalid_client"},
		{"TK-17 Basic not base64", form, code[1:], "Basic %%%", 401, "invalid_client"},
		{"TOK-05 code missing", form, pub + "&grant_type=authorization_code&redirect_uri=x&code_verifier=" + strings.Repeat("v", 43), "", 400, "invalid_request"},
		{"TOK-05 redirect_uri missing", form, pub + "&grant_type=authorization_code&code=x&code_verifier=" + strings.Repeat("v", 43), "", 400, "invalid_request"},
		{"TOK-05 verifier missing", form, pub + "&grant_type=authorization_code&code=x&redirect_uri=x", "", 400, "invalid_request"},
		{"TK-12 made-up code", form, pub + code, "", 400, "invalid_grant"},
		{"TK-12 a code with a structure", form, pub + strings.Replace(code, "ac_x", "7d444840-9dc0.session.sandbox-native", 1), "", 400, "invalid_grant"},
		{"RT-26 made-up refresh token", form, "grant_type=refresh_token&refresh_token=rt_" + strings.Repeat("A", 70), good, 400, "invalid_grant"},
		{"RT-26 garbage", form, "grant_type=refresh_token&refresh_token=x", good, 400, "invalid_grant"},
		{"ERR-25 refresh_token missing", form, "grant_type=refresh_token", good, 400, "invalid_request"},
		{"ERR-36 too large", form, pub + "&x=" + strings.Repeat("a", 200<<10), "", 413, "invalid_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			if row.auth != "" {
				header = []string{"Authorization", row.auth}
			}
			a := send(t, env, "/token", row.contentType, row.body, header...)
			if a.Status != row.status || a.String("error") != row.code {
				t.Fatalf("got %d %s, want %d %s", a.Status, a.Raw, row.status, row.code)
			}
			checkTokenHeaders(t, a)
			if row.auth != "" && row.code == "invalid_client" && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Error("no challenge for Basic")
			}
			if strings.ContainsAny(a.String("error_description"), `"\`) {
				t.Errorf("description %q", a.String("error_description"))
			}
		})
	}
	t.Run("TOK-01 GET", func(t *testing.T) {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			req, err := http.NewRequest(method, env.URL+"/token", nil)
			if err != nil {
				t.Fatal(err)
			}
			if a := env.Send(req); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" {
				t.Errorf("%s: %d, Allow %q", method, a.Status, a.Header.Get("Allow"))
			}
		}
	})
	t.Run("TOK-02 parameters in the URL", func(t *testing.T) {
		for _, query := range []string{pub, "client_secret=x", "code=x", "refresh_token=x", "client_assertion=x"} {
			if a := send(t, env, "/token?"+query, form, pub+code); a.Status != 400 || a.String("error") != "invalid_request" {
				t.Errorf("%s: %d %s", query, a.Status, a.Raw)
			}
		}
	})
	t.Run("TK-17 two Authorization headers", func(t *testing.T) {
		if a := send(t, env, "/token", form, code[1:], "Authorization", good, "Authorization", good); a.Status != 400 {
			t.Errorf("%d %s", a.Status, a.Raw)
		}
	})
}

func checkTokenHeaders(t *testing.T, a testenv.Answer) {
	t.Helper()
	for key, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Content-Type": "application/json", "X-Content-Type-Options": "nosniff"} {
		if got := a.Header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// A code is bound to its client, redirect URI and verifier; a wrong try burns it
// and ends what came of it.
//
// spec: AUTHZ-24, AUTHZ-25, AUTHZ-26, TOK-18, TOK-19, TOK-20, PKCE-04, PKCE-06, ERR-30
// attack: TK-01, TK-06
func TestACodeIsBound(t *testing.T) {
	env := testenv.Start(t)
	c, other := env.Client("sandbox-confidential"), env.Client("sandbox-browser")
	b := env.Browser()
	fresh := func() (testenv.Request, url.Values) {
		r := c.Request(readAll)
		code := b.Code(c, r, "maria", "")
		return r, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}, "code_verifier": {r.Verifier}}
	}
	for _, row := range []struct {
		name, change, value string
		by                  *testenv.Client
	}{
		{"TK-04 another client", "", "", other},
		{"TK-06 another redirect", "redirect_uri", "https://companion.example.org/callback", c},
		{"TK-06 percent-encoded twin", "redirect_uri", strings.Replace(c.RedirectURI, "/callback", "/%63allback", 1), c},
		{"TK-06 trailing slash", "redirect_uri", c.RedirectURI + "/", c},
		{"TK-07 wrong verifier", "code_verifier", strings.Repeat("w", 43), c},
		{"TK-07 42 characters", "code_verifier", strings.Repeat("w", 42), c},
		{"TK-07 129 characters", "code_verifier", strings.Repeat("w", 129), c},
		{"TK-07 the challenge itself", "code_verifier", "challenge", c},
		{"TK-07 missing", "code_verifier", "", c},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, right := fresh()
			wrong := url.Values{}
			for k, v := range right {
				wrong[k] = v
			}
			switch {
			case row.value == "challenge":
				wrong.Set("code_verifier", r.Values.Get("code_challenge"))
			case row.change != "" && row.value == "":
				wrong.Del(row.change)
			case row.change != "":
				wrong.Set(row.change, row.value)
			}
			a := row.by.Post("/token", wrong)
			want := "invalid_grant"
			if row.name == "TK-07 missing" {
				want = "invalid_request"
			}
			if a.Status != 400 || a.String("error") != want {
				t.Fatalf("wrong try: %d %s", a.Status, a.Raw)
			}
			if again := c.Post("/token", right); again.Status != 400 || again.String("error") != "invalid_grant" {
				t.Errorf("the right try afterwards: %d %s", again.Status, again.Raw)
			}
		})
	}
	t.Run("TK-01 replay ends the grant", func(t *testing.T) {
		_, right := fresh()
		first := c.Post("/token", right)
		second := c.Post("/token", right)
		if first.Status != 200 || second.Status != 400 {
			t.Fatalf("%d, then %d", first.Status, second.Status)
		}
		if got := env.Get(first.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
			t.Errorf("access token after the replay: %d", got.Status)
		}
		if got := c.Refresh(first.String("refresh_token")); got.Status != 400 {
			t.Errorf("refresh token after the replay: %d", got.Status)
		}
	})
}

// Fifty at once: one gets tokens, and since reuse was seen nothing stays alive.
//
// spec: AUTHZ-24
// attack: TK-02
func TestFiftyRedemptionsAtOnce(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	b := env.Browser()
	for range 4 {
		r := c.Request(readAll)
		code := b.Code(c, r, "maria", "")
		answers := together(50, func() testenv.Answer { return c.Exchange(r, code) })
		good := 0
		for _, a := range answers {
			if a.Status == http.StatusOK {
				good++
				if got := env.Get(a.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
					t.Errorf("a token of a replayed code is alive: %d", got.Status)
				}
			}
		}
		if good != 1 {
			t.Fatalf("%d redemptions of one code succeeded", good)
		}
	}
}

func together(n int, do func() testenv.Answer) []testenv.Answer {
	answers := make([]testenv.Answer, n)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Add(1)
		go func() {
			defer done.Done()
			start.Wait()
			answers[i] = do()
		}()
	}
	start.Done()
	done.Wait()
	return answers
}

// Fifty refreshes at once: every success carries the same successor and the family
// lives; an old token after its successor was used ends the family.
//
// spec: RT-01, RT-03, RT-05, RT-06, RT-07, RT-08, RT-09, RT-10, RT-11, RT-20, RT-22, RT-23, RT-24, RT-30, RSG-14, ERR-32
// attack: RT-01, RT-02, RT-04, RT-08, RT-09, RT-16
func TestRefreshTokens(t *testing.T) {
	env := testenv.Start(t)
	c, first := env.Token("sandbox-native", readAll, "maria", "")
	old := first.String("refresh_token")
	successors := map[string]bool{}
	for _, a := range together(50, func() testenv.Answer { return c.Refresh(old) }) {
		if a.Status != http.StatusOK {
			t.Fatalf("a retry within the grace: %d %s", a.Status, a.Raw)
		}
		successors[a.String("refresh_token")] = true
	}
	if len(successors) != 1 || successors[old] {
		t.Fatalf("%d different successors", len(successors))
	}
	var current string
	for s := range successors {
		current = s
	}
	if a := c.Refresh(current, "scope", "patient/*.cruds"); a.Status != 400 || a.String("error") != "invalid_scope" {
		t.Errorf("a wider scope: %d %s", a.Status, a.Raw)
	}
	if a := c.Refresh(current, "scope", "user/*.rs"); a.Status != 400 {
		t.Errorf("another level: %d %s", a.Status, a.Raw)
	}
	for _, malformed := range []string{" ", laboratory + "  " + laboratory, " " + laboratory, laboratory + " ", laboratory + ` "`} {
		if a := c.Refresh(current, "scope", malformed); a.Status != 400 || a.String("error") != "invalid_scope" {
			t.Errorf("scope %q: %d %s", malformed, a.Status, a.Raw)
		}
	}
	narrow := c.Refresh(current, "scope", laboratory)
	if narrow.Status != 200 || narrow.String("scope") != laboratory {
		t.Fatalf("narrowed: %d %s", narrow.Status, narrow.Raw)
	}
	if a := env.Get(narrow.String("access_token"), "Patient/maria"); a.Status != http.StatusForbidden {
		t.Errorf("the narrowed token reads: %d", a.Status)
	}
	current = narrow.String("refresh_token")
	full := c.Refresh(current, "scope", first.String("scope"))
	if full.Status != 200 || full.String("scope") != first.String("scope") {
		t.Fatalf("the full set again: %d %s", full.Status, full.Raw)
	}
	if got := env.Get(full.String("refresh_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("a refresh token as access token: %d", got.Status)
	}
	if a := env.Client("sandbox-browser").Refresh(full.String("refresh_token")); a.Status != 400 || a.String("error") != "invalid_grant" {
		t.Errorf("another client: %d %s", a.Status, a.Raw)
	}
	_, confidential := env.Token("sandbox-confidential", readAll, "maria", "")
	if a := send(t, env, "/token", form, "grant_type=refresh_token&refresh_token="+confidential.String("refresh_token")); a.Status != 400 || a.String("error") != "invalid_client" {
		t.Errorf("a confidential client that says nothing about itself: %d %s", a.Status, a.Raw)
	}
	if a := c.Refresh(full.String("access_token")); a.Status != 400 {
		t.Errorf("an access token as refresh token: %d", a.Status)
	}
	if a := c.Refresh(old); a.Status != 400 || a.String("error") != "invalid_grant" {
		t.Errorf("the first token of the family: %d %s", a.Status, a.Raw)
	}
	if a := c.Refresh(full.String("refresh_token")); a.Status != 400 {
		t.Errorf("the family lives after reuse: %d", a.Status)
	}
	if a := env.Get(full.String("access_token"), "Patient/maria"); a.Status != http.StatusUnauthorized {
		t.Errorf("its access token after reuse: %d", a.Status)
	}
}

// An online refresh token ends with the session; an offline one does not.
//
// spec: RT-02, RT-32, DISC-24, SCOPE-42
func TestOnlineAccessEndsWithTheSession(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	b := env.Browser()
	online, offline := c.Request("launch/patient patient/*.rs openid online_access"), c.Request(readAll+" online_access")
	a := c.Exchange(online, b.Code(c, online, "maria", ""))
	o := c.Exchange(offline, b.Code(c, offline, "maria", ""))
	if o.Has("online_access") || !o.Has("offline_access") {
		t.Errorf("both were asked for: %v", o.Scopes())
	}
	a = c.Refresh(a.String("refresh_token"))
	if a.Status != 200 {
		t.Fatalf("online, signed in: %d %s", a.Status, a.Raw)
	}
	// Signing in again goes on with what there is, and ends nothing of it.
	b.SignIn(b.Open(c.Request("openid", "prompt", "login").URL()), "maria")
	if a = c.Refresh(a.String("refresh_token")); a.Status != 200 {
		t.Fatalf("online, signed in again: %d %s", a.Status, a.Raw)
	}
	b.Post("/logout", url.Values{})
	if got := env.Get(a.String("access_token"), "Patient/maria"); got.Status != 401 {
		t.Errorf("the online access token, signed out: %d", got.Status)
	}
	if got := c.Refresh(a.String("refresh_token")); got.Status != 400 || got.String("error") != "invalid_grant" {
		t.Errorf("online, signed out: %d %s", got.Status, got.Raw)
	}
	if got := c.Refresh(o.String("refresh_token")); got.Status != 200 {
		t.Errorf("offline, signed out: %d %s", got.Status, got.Raw)
	}
}

// Off-the-shelf Go libraries complete the flow unmodified: PKCE, exchange, refresh,
// and the ID token with its hash of the access token.
//
// spec: OIDC-01, OIDC-02, OIDC-03, OIDC-06, OIDC-07, OIDC-08, OIDC-09, OIDC-10, OIDC-11, OIDC-12, OIDC-13, OIDC-15, OIDC-16, OIDC-17, OIDC-21, AUTHZ-43, DISC-12, DISC-31, DISC-32, CAUTH-01, CAUTH-03, RT-13, TOK-15
func TestGoClients(t *testing.T) {
	env := testenv.Start(t)
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, env.URL)
	if err != nil {
		t.Fatal(err)
	}
	app := env.Client("sandbox-confidential")
	config := oauth2.Config{ClientID: app.ID, ClientSecret: app.Secret, Endpoint: provider.Endpoint(), RedirectURL: app.RedirectURI, Scopes: strings.Fields(readAll + " profile")}
	verifier := oauth2.GenerateVerifier()
	b := env.Browser()
	p := b.Open(config.AuthCodeURL("state-of-the-library", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-1"), oauth2.SetAuthURLParam("aud", env.FHIR)))
	p = b.SignIn(p, "james")
	p = b.Submit(p, "decision", "allow", nil)
	token, err := config.Exchange(ctx, p.Left.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: app.ID}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		FHIRUser string `json:"fhirUser"`
		Profile  string `json:"profile"`
		AuthTime int64  `json:"auth_time"`
		Azp      string `json:"azp"`
		ACR      string `json:"acr"`
	}
	if err := id.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if id.Nonce != "n-1" || claims.FHIRUser != env.FHIR+"/Patient/james" || claims.Profile != claims.FHIRUser || claims.AuthTime == 0 || claims.Azp != app.ID ||
		claims.ACR != "urn:oasis:names:tc:SAML:2.0:ac:classes:Password" || id.Expiry.Sub(id.IssuedAt) != 10*time.Minute || id.Subject == app.ID {
		t.Errorf("claims %+v, nonce %q", claims, id.Nonce)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	var all map[string]any
	if err := id.Claims(&all); err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if !strings.Contains(" iss sub aud exp iat auth_time nonce amr acr azp at_hash sid fhirUser profile ", " "+name+" ") {
			t.Errorf("the ID token tells %s", name)
		}
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != id.Subject {
		t.Errorf("userinfo: %v %v", info, err)
	}
	old := *token
	old.Expiry = old.Expiry.Add(-2000e9)
	refreshed, err := config.TokenSource(ctx, &old).Token()
	if err != nil || refreshed.AccessToken == token.AccessToken || refreshed.RefreshToken == token.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	raw, _ = refreshed.Extra("id_token").(string)
	again, err := provider.Verifier(&oidc.Config{ClientID: app.ID}).Verify(ctx, raw)
	if err != nil || again.Subject != id.Subject || again.Nonce != "" {
		t.Errorf("ID token after refresh: %v %v", again, err)
	}
}

// Access tokens have the claims of RFC 9068 and nothing of the record; every forged
// or foreign one is refused by the API.
//
// spec: AT-01, AT-02, AT-03, AT-04, AT-05, AT-06, AT-07, AT-08, AT-09, AT-15, RS-05, RS-09, ERR-42
func TestForgedAccessTokens(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", readAll, "maria", "")
	good := a.String("access_token")
	parts := strings.Split(good, ".")
	header, payload := decode(t, parts[0]), decode(t, parts[1])
	for _, claim := range []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"} {
		if payload[claim] == nil {
			t.Errorf("no claim %s", claim)
		}
	}
	if header["typ"] != "at+jwt" || header["alg"] != "ES256" || len(header) != 3 {
		t.Errorf("header %v", header)
	}
	with := func(o map[string]any, name string, value any) string {
		c := map[string]any{}
		for k, v := range o {
			c[k] = v
		}
		c[name] = value
		return encode(t, c)
	}
	forged := map[string]string{
		"alg none":          encode(t, map[string]any{"alg": "none", "typ": "at+jwt", "kid": header["kid"]}) + "." + parts[1] + ".",
		"HMAC":              with(header, "alg", "HS256") + "." + parts[1] + "." + parts[2],
		"other algorithm":   with(header, "alg", "RS256") + "." + parts[1] + "." + parts[2],
		"unknown key":       with(header, "kid", "x") + "." + parts[1] + "." + parts[2],
		"key in the header": with(header, "jwk", map[string]any{"kty": "EC"}) + "." + parts[1] + "." + parts[2],
		"changed payload":   parts[0] + "." + with(payload, "patient", "james") + "." + parts[2],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"two parts":         parts[0] + "." + parts[1],
		"four parts":        good + ".x",
		"padding":           good + "=",
		"the ID token":      a.String("id_token"),
		"typ JWT":           with(header, "typ", "JWT") + "." + parts[1] + "." + parts[2],
		"not base64":        parts[0] + ".%%%." + parts[2],
		"too long":          strings.Repeat("a", 9000),
	}
	for name, text := range forged {
		got := env.Get(text, "Patient/maria")
		if got.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
		if !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: challenge %q", name, got.Header.Get("WWW-Authenticate"))
		}
	}
	if got := env.Get(good, "Patient/maria"); got.Status != http.StatusOK {
		t.Errorf("the right token: %d", got.Status)
	}
}

func decode(t *testing.T, part string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t *testing.T, m map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// What the answer says is what the token may do, however many scopes there are:
// only the whole grant is looked up, a part of it travels in the token.
//
// spec: RT-06
func TestANarrowedTokenHasNoMoreThanItSays(t *testing.T) {
	env := testenv.Start(t)
	scopes := []string{"launch/patient", "openid", "offline_access", "patient/Patient.rs"}
	for i := range 40 {
		scopes = append(scopes, fmt.Sprintf("patient/Observation.rs?code=http://loinc.org/%s|%04d", strings.Repeat("x", 40), i))
	}
	c, a := env.Token("sandbox-native", strings.Join(scopes, " "), "maria", "")
	asked := slices.Clone(scopes)
	asked[3] = "patient/Patient.r"
	refused := c.Refresh(a.String("refresh_token"), "scope", strings.Join(asked, " "))
	if refused.Status != http.StatusBadRequest || refused.String("error") != "invalid_scope" {
		t.Errorf("as many scopes, one of them narrower: %d %s", refused.Status, refused.Raw)
	}
	slices.Reverse(scopes)
	whole := c.Refresh(a.String("refresh_token"), "scope", strings.Join(scopes, " "))
	if whole.Status != http.StatusOK || len(whole.Scopes()) != len(scopes) {
		t.Errorf("the refusal used the token up, or the whole grant in another order is refused: %d %s", whole.Status, whole.Raw)
	}
	small := c.Refresh(whole.String("refresh_token"), "scope", "openid patient/Patient.r")
	if got := env.Get(small.String("access_token"), "Patient"); got.Status != http.StatusForbidden {
		t.Errorf("a search with patient/Patient.r: %d", got.Status)
	}
}

// The claims of an ID token follow the scopes of the answer that it is in.
func TestANarrowedIDTokenDoesNotTellWho(t *testing.T) {
	env := testenv.Start(t)
	c, a := env.Token("sandbox-native", "launch/patient openid fhirUser offline_access patient/Patient.rs", "maria", "")
	for scope, told := range map[string]bool{"openid": false, "openid fhirUser": true} {
		n := c.Refresh(a.String("refresh_token"), "scope", scope)
		a = n
		parts := strings.Split(n.String("id_token"), ".")
		if len(parts) != 3 {
			t.Fatalf("%s: %d %s", scope, n.Status, n.Raw)
		}
		claims, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || strings.Contains(string(claims), "fhirUser") != told {
			t.Errorf("%s: %s %v", scope, claims, err)
		}
	}
}
