package testenv_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// Tokens, and errors about a client that is known, are read by pages of that client
// and of no other, whoever else is registered.
//
// spec: CORS-03, CORS-09, HDR-01
// attack: TK-24
func TestTokensAreReadByPagesOfTheirClient(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	const own, another, evil = "http://127.0.0.1:9002", "https://companion.example.org", "https://evil.example.org"
	r := c.Request(readAll)
	first := c.Exchange(r, env.Browser().Code(c, r, "maria", ""))
	for origin, want := range map[string]string{own: own, another: "", evil: "", "null": "", "": ""} {
		var header []string
		if origin != "" {
			header = []string{"Origin", origin}
		}
		for name, body := range map[string]string{
			"success": "grant_type=refresh_token&client_id=" + c.ID + "&refresh_token=" + first.String("refresh_token"),
			"error":   "grant_type=refresh_token&client_id=" + c.ID + "&refresh_token=rt_x",
		} {
			a := send(t, env, "/token", form, body, header...)
			if (a.Status == http.StatusOK) != (name == "success") {
				t.Fatalf("%s: %d %s", name, a.Status, a.Raw)
			}
			checkTokenHeaders(t, a)
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s, a page of %q: readable by %q", name, origin, got)
			}
			if a.Header.Get("Access-Control-Allow-Credentials") != "" || origin != "" && !slices.Contains(a.Header.Values("Vary"), "Origin") {
				t.Errorf("%s: headers %v", name, a.Header)
			}
		}
	}
}

// Codes that are not good for whatever reason are answered with the same bytes. No
// test asserts a time; the work is one statement for all of them.
//
// attack: TK-30, TK-04
func TestCodesThatFailLookAlike(t *testing.T) {
	env := testenv.Start(t)
	c, other := env.Client("sandbox-confidential"), env.Client("sandbox-browser")
	b := env.Browser()
	fresh := func() url.Values {
		r := c.Request(readAll)
		return url.Values{
			"grant_type": {"authorization_code"}, "code": {b.Code(c, r, "maria", "")}, "redirect_uri": {c.RedirectURI}, "code_verifier": {r.Verifier},
		}
	}
	used, unknown, wrong := fresh(), fresh(), fresh()
	c.Post("/token", used)
	unknown.Set("code", "ac_"+strings.Repeat("A", 43))
	wrong.Set("code_verifier", strings.Repeat("w", 43))
	answers := map[string]testenv.Answer{
		"unknown": c.Post("/token", unknown), "used": c.Post("/token", used), "a wrong verifier": c.Post("/token", wrong),
		"dead after a wrong try": c.Post("/token", wrong), "another client's": other.Post("/token", fresh()),
	}
	plain := func(a testenv.Answer) http.Header {
		h := maps.Clone(a.Header)
		for _, name := range []string{"Date", "X-Request-Id"} {
			delete(h, name)
		}
		return h
	}
	want := answers["unknown"]
	for name, got := range answers {
		if got.Status != http.StatusBadRequest || got.Raw != want.Raw || !maps.EqualFunc(plain(got), plain(want), slices.Equal) {
			t.Errorf("%s: %d %s %v\nunknown: %d %s %v", name, got.Status, got.Raw, plain(got), want.Status, want.Raw, plain(want))
		}
	}
}

// What is remembered of a token decides about nothing but that token: other
// methods, paths, patients and scopes are judged anew, whatever was asked before.
//
// attack: JW-08
func TestAWarmTokenDecidesNothingElse(t *testing.T) {
	env := testenv.Start(t)
	c, wide := env.Token("sandbox-native", "launch/patient patient/Patient.rs patient/Condition.r offline_access", "chen", "maria")
	narrow := c.Refresh(wide.String("refresh_token"), "scope", "patient/Condition.r")
	_, other := env.Token("sandbox-native", "launch/patient patient/Patient.rs", "james", "")
	type ask struct {
		token        testenv.Answer
		method, path string
		want         int
	}
	asks := []ask{
		{wide, http.MethodGet, "Patient/maria", 200}, {wide, http.MethodGet, "Patient/james", 404}, {wide, http.MethodGet, "Condition", 403},
		{wide, http.MethodDelete, "Patient/maria", 403}, {wide, http.MethodPut, "Patient/maria", 403}, {wide, http.MethodGet, "Observation", 403},
		{narrow, http.MethodGet, "Patient/maria", 403}, {narrow, http.MethodGet, "Condition", 403}, {narrow, http.MethodGet, "Patient/james", 403},
		{other, http.MethodGet, "Patient/james", 200}, {other, http.MethodGet, "Patient/maria", 404},
	}
	for range 3 { // every one after every other, warm
		for _, a := range append(slices.Clone(asks), reversed(asks)...) {
			req, err := http.NewRequest(a.method, env.FHIR+"/"+a.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+a.token.String("access_token"))
			if got := env.Send(req); got.Status != a.want {
				t.Fatalf("%s %s with %q: %d, want %d", a.method, a.path, a.token.String("scope"), got.Status, a.want)
			}
		}
	}
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// A bearer token is worth the same in whoever's hands it is: nothing that a caller
// says of itself adds to it or takes from it.
//
// attack: JW-13, B.102
func TestABearerTokenIsWorthWhatItSays(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-browser", "launch/patient patient/Patient.rs", "maria", "")
	token := a.String("access_token")
	claims := map[string][]string{
		"nothing": nil, "another app's page": {"Origin", "https://companion.example.org"}, "a page of nobody": {"Origin", "https://evil.example.org"},
		"another client": {"X-Client-Id", "sandbox-confidential"}, "another user": {"X-User", "james"}, "a certificate": {"X-SSL-Client-Cert", "x"},
		"a referrer": {"Referer", "https://companion.example.org/"}, "a proof": {"DPoP", "eyJ"},
	}
	for name, header := range claims {
		for path, want := range map[string]int{"Patient/maria": 200, "Patient/james": 404, "Observation": 403} {
			if got := env.Get(token, path, header...); got.Status != want {
				t.Errorf("%s, %s: %d, want %d", name, path, got.Status, want)
			}
		}
	}
	// It introspects itself, and nobody else's: that right is its client's, not the caller's.
	_, foreign := env.Token("sandbox-native", "launch/patient patient/Patient.rs", "maria", "")
	by := []string{"Authorization", "Bearer " + token, "X-Client-Id", "sandbox-confidential"}
	if got := send(t, env, "/introspect", form, "token="+foreign.String("access_token"), by...); got.Raw != `{"active":false}` {
		t.Errorf("introspection of another client's token: %s", got.Raw)
	}
}

// returnTargets leave this origin in some browser (catalogue B19).
var returnTargets = []string{
	"///evil.test", "////evil.test", `\\evil.test`, "/\t/evil.test", "/\r/evil.test", "https:evil.test", "http:evil.test", "/.//evil.test",
	"/..//evil.test", "/authorize/..//evil.test", "/%09/evil.test", "/%2f/evil.test", "\x01//evil.test", "javascript:alert(1)",
	"/authorize?next=//evil.test", "/@evil.test", "https://as.example.evil.test/", "https://as.example@evil.test/",
}

// Nobody is sent where a form, an address, a cookie or a header says: after each step
// the server knows by itself where it goes on.
//
// attack: LP-02, LP-03, LP-05, LP-06, LP-08, LP-09, LP-11, LP-12, LP-14, LP-15, LP-17, LP-18, LP-20, LP-21, LP-23, LP-24, LP-26, LP-27
func TestReturnTargetsAreIgnored(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	known := map[string]bool{"/login": true, "/approve": true, "/authorize/continue": true, "/logout": true, "/choose": true, "/enrol": true}
	at := func(name string, p testenv.Page) {
		t.Helper()
		if p.Left != nil || !known[p.URL.Path] || p.Header.Get("Refresh") != "" || strings.Contains(p.Body, "evil.test") || strings.Contains(p.Body, "alert(1)") {
			t.Errorf("%s: %s", name, p.Describe())
		}
	}
	names := []string{"next", "return_to", "redirect", "continue", "url", "target", "post_logout_redirect_uri"}
	b := env.Browser()
	for _, target := range returnTargets {
		extra := url.Values{}
		for _, name := range names {
			extra.Set(name, target)
		}
		b.Claim(target)
		login := b.Open(c.Request(readAll, "prompt", "login").URL() + "&" + url.Values{"next": {clean(target)}, "return_to": {clean(target)}}.Encode())
		at(target+" begun", login)
		again := b.Open(login.URL.RequestURI() + "&" + extra.Encode())
		at(target+" reloaded", again)
		approval := b.Submit(again, "action", "sign-in", merge(url.Values{"username": {"maria"}, "password": {env.Password("maria")}}, extra))
		at(target+" signed in", approval)
		if !approval.HasButton("decision", "allow") {
			t.Fatalf("%q: %s", target, approval.Describe())
		}
		at(target+" switched", b.Submit(approval, "decision", "switch", extra))
		at(target+" signed out", b.Post("/logout?"+extra.Encode(), extra))
	}
}

// clean is a target as far as a parameter of an app may hold it: control characters
// are refused before.
func clean(target string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 {
			return -1
		}
		return r
	}, target)
}

func merge(a, b url.Values) url.Values {
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}

// A new account is what the invitation makes it: the form says a name and a
// password, and nothing else that it carries is heard.
//
// attack: LG-25
func TestEnrolmentTakesNoMoreThanItAsks(t *testing.T) {
	env := testenv.Start(t)
	who := env.File.Enrolment[0]
	c := env.Client("sandbox-native")
	b := env.Browser()
	r := c.Request("launch/patient patient/*.rs user/*.rs openid fhirUser")
	p := b.Open(r.URL())
	p = b.Open("/enrol?request=" + url.QueryEscape(p.URL.Query().Get("request")))
	p = b.Submit(p, "action", "continue", url.Values{"given": {who.Given}, "family": {who.Family}, "birth_date": {who.BirthDate}, "code": {who.Code}})
	p = b.Submit(p, "action", "continue", url.Values{
		"username": {"nora"}, "password": {password}, "role": {"administrator"}, "fhirUser": {"Practitioner/dr-chen"}, "fhir_user": {"Practitioner/dr-chen"},
		"patient": {"maria"}, "represents": {"Patient/maria"}, "email_verified": {"true"}, "disabled": {"false"}, "sub": {"root"},
	})
	p = b.Submit(p, "decision", "allow", nil)
	if p.Left == nil {
		t.Fatal(p.Describe())
	}
	a := c.Exchange(r, p.Left.Query().Get("code"))
	claims := decode(t, strings.Split(a.String("id_token"), ".")[1])
	if a.String("patient") != who.Patient || claims["fhirUser"] != env.FHIR+"/Patient/"+who.Patient || claims["sub"] == "root" {
		t.Errorf("answer %s, claims %v", a.Raw, claims)
	}
	if got := sees(t, env, a.String("access_token"), "Patient?_count=50"); !slices.Equal(got, []string{who.Patient}) {
		t.Errorf("the new account reaches %v", got)
	}
}

// An app that the operator does not vouch for gets its errors by a link; its code,
// once a person has approved, as all others do.
//
// attack: AZ-29
func TestAnUntrustedAppIsALink(t *testing.T) {
	env := testenv.Start(t)
	registered := env.Admin(http.MethodPost, "/clients?untrusted", `{"redirect_uris":["https://evil.test/cb"],"token_endpoint_auth_method":"none","scope":"launch/patient patient/*.rs","emberlatch_origins":["https://evil.test"]}`)
	if registered.Status != http.StatusCreated {
		t.Fatal(registered.Raw)
	}
	c := env.Client("sandbox-native")
	c.ID, c.RedirectURI = registered.String("client_id"), "https://evil.test/cb"
	for name, extra := range map[string][]string{"a bad scope": {"scope", "none/such"}, "silently": {"prompt", "none"}, "no challenge": {"code_challenge", ""}} {
		p := env.Browser().Open(c.Request("launch/patient patient/Patient.rs", extra...).URL())
		if p.Left != nil || p.Status != http.StatusBadRequest || p.Value(t, "error-id") == "" || !strings.Contains(p.Body, `href="https://evil.test/cb?error=`) {
			t.Errorf("%s: %s\n%s", name, p.Describe(), p.Body)
		}
	}
	r := c.Request("launch/patient patient/Patient.rs")
	if a := c.Exchange(r, env.Browser().Code(c, r, "maria", "")); a.Status != http.StatusOK {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
}
