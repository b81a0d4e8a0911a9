package testenv_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

func basicAuth(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// One rule of client authentication at every endpoint where clients authenticate;
// only the status of a failure in the body differs, as each RFC has it.
//
// spec: CAUTH-31, CAUTH-30, CAUTH-06, CAUTH-07, ERR-27, ERR-28, ERR-39
// attack: TK-20, IN-01
func TestOneRuleOfClientAuthentication(t *testing.T) {
	env := testenv.Start(t)
	const conf, pub, assertion = "client_id=sandbox-confidential", "client_id=sandbox-browser", "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
	good := basicAuth("sandbox-confidential", "sandbox-confidential-secret")
	// ERR-27: 401 where the Authorization header was used, else 400; RFC 7662 §2.3
	// and RFC 7009 §2.2.1 leave no such choice to two of the others; RFC 9126 §2.3 does.
	rows := []struct {
		name, body, auth string
		atToken          int
		code             string
	}{
		{"nobody", "", "", 400, "invalid_client"},
		{"unknown", "client_id=nobody", "", 400, "invalid_client"},
		{"unknown by Basic", "", basicAuth("nobody", "x"), 401, "invalid_client"},
		{"confidential without its secret", conf, "", 400, "invalid_client"},
		{"wrong secret in the body", conf + "&client_secret=wrong", "", 400, "invalid_client"},
		{"wrong secret by Basic", "", basicAuth("sandbox-confidential", "wrong"), 401, "invalid_client"},
		{"TK-20 public with a secret in the body", pub + "&client_secret=x", "", 400, "invalid_client"},
		{"TK-20 public with a secret by Basic", "", basicAuth("sandbox-browser", "x"), 401, "invalid_client"},
		{"TK-20 public by Basic without a secret", "", basicAuth("sandbox-browser", ""), 401, "invalid_client"},
		{"Basic and body", conf + "&client_secret=sandbox-confidential-secret", good, 400, "invalid_request"},
		{"Basic and assertion", "client_assertion=x" + assertion, good, 400, "invalid_request"},
		{"body and assertion", conf + "&client_secret=x&client_assertion=x" + assertion, "", 400, "invalid_request"},
		{"another client_id beside Basic", pub, good, 400, "invalid_request"},
		{"CAUTH-30 another type of assertion", conf + "&client_assertion=x&client_assertion_type=not-an-assertion", "", 400, "invalid_client"},
		{"CAUTH-30 no type of assertion", conf + "&client_assertion=x", "", 400, "invalid_client"},
		{"CAUTH-30 a type and no assertion", conf + assertion, "", 400, "invalid_client"},
		{"CAUTH-30 a public client with an assertion", pub + "&client_assertion=x" + assertion, "", 400, "invalid_client"},
	}
	for path, rest := range map[string]string{
		"/token": "&grant_type=refresh_token&refresh_token=rt_x", "/revoke": "&token=x", "/introspect": "&token=x",
		"/par": "&response_type=code",
	} {
		for _, row := range rows {
			t.Run(path+" "+row.name, func(t *testing.T) {
				var header []string
				if row.auth != "" {
					header = []string{"Authorization", row.auth}
				}
				want := row.atToken
				if path != "/token" && path != "/par" && row.code == "invalid_client" {
					want = http.StatusUnauthorized
				}
				body := strings.TrimPrefix(row.body+rest, "&")
				a := send(t, env, path, form, body, header...)
				if row.name == "nobody" && path == "/token" { // the token itself could say whose it is: this one is nobody's
					body = "grant_type=authorization_code&code=x&redirect_uri=x&code_verifier=" + strings.Repeat("v", 43)
					a = send(t, env, path, form, body)
				}
				if a.Status != want || a.String("error") != row.code {
					t.Fatalf("got %d %s, want %d %s", a.Status, a.Raw, want, row.code)
				}
				if challenge := strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic "); challenge != (want == http.StatusUnauthorized) {
					t.Errorf("status %d, challenge %q", want, a.Header.Get("WWW-Authenticate"))
				}
			})
		}
		t.Run(path+" the right one", func(t *testing.T) {
			if a := send(t, env, path, form, strings.TrimPrefix(rest, "&"), "Authorization", good); a.String("error") == "invalid_client" || a.Status == http.StatusUnauthorized {
				t.Errorf("%d %s", a.Status, a.Raw)
			}
		})
	}
}

// A refresh proves the client like the exchange did, for each kind of client.
// Divergence: a public client may leave out its client_id, never give another one.
//
// spec: RT-04, RT-03
// attack: RT-08
func TestARefreshProvesTheClient(t *testing.T) {
	env := testenv.Start(t)
	_, confidential := env.Token("sandbox-confidential", readAll, "maria", "")
	_, public := env.Token("sandbox-browser", readAll, "maria", "")
	conf, pub := confidential.String("refresh_token"), public.String("refresh_token")
	const secret = "sandbox-confidential-secret"
	for _, row := range []struct {
		name, token, body, auth string
		status                  int
		code                    string
	}{
		{"confidential, nothing", conf, "", "", 400, "invalid_client"},
		{"confidential, its name alone", conf, "&client_id=sandbox-confidential", "", 400, "invalid_client"},
		{"confidential, wrong secret", conf, "", basicAuth("sandbox-confidential", "wrong"), 401, "invalid_client"},
		{"confidential, as a public client", conf, "&client_id=sandbox-browser", "", 400, "invalid_grant"},
		{"public, as a confidential client", pub, "", basicAuth("sandbox-confidential", secret), 400, "invalid_grant"},
		{"public, as another one", pub, "&client_id=sandbox-native", "", 400, "invalid_grant"},
		{"public, with a secret", pub, "&client_id=sandbox-browser&client_secret=x", "", 400, "invalid_client"},
		{"public, its name", pub, "&client_id=sandbox-browser", "", 200, ""},
		{"public, nothing", pub, "", "", 200, ""},
		{"confidential, by Basic", conf, "", basicAuth("sandbox-confidential", secret), 200, ""},
		{"confidential, in the body", conf, "&client_id=sandbox-confidential&client_secret=" + secret, "", 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			if row.auth != "" {
				header = []string{"Authorization", row.auth}
			}
			a := send(t, env, "/token", form, "grant_type=refresh_token&refresh_token="+row.token+row.body, header...)
			if a.Status != row.status || a.String("error") != row.code {
				t.Errorf("got %d %s, want %d %s", a.Status, a.Raw, row.status, row.code)
			}
		})
	}
}

// HTTP Basic in every spelling that RFC 6749 and clients have, and in none that is
// broken.
//
// spec: CAUTH-04
// attack: TK-17
func TestSpellingsOfBasic(t *testing.T) {
	env := testenv.Start(t)
	raw := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	const id, secret = "sandbox-confidential", "sandbox-confidential-secret"
	for _, row := range []struct {
		name   string
		auth   []string
		status int // of an exchange with a made-up token: 400 when the client is proven
	}{
		{"plain", []string{basicAuth(id, secret)}, 400},
		{"form-encoded", []string{raw("sandbox%2Dconfidential:sandbox%2Dconfidential%2Dsecret")}, 400},
		{"scheme in lower case", []string{"basic " + basicAuth(id, secret)[6:]}, 400},
		{"scheme in upper case", []string{"BASIC " + basicAuth(id, secret)[6:]}, 400},
		{"the colon encoded", []string{raw(id + "%3A" + secret)}, 401},
		{"no colon", []string{raw(id)}, 401},
		{"no id", []string{raw(":" + secret)}, 401},
		{"an encoded part cut short", []string{raw(id + ":" + secret + "%2")}, 401},
		{"not UTF-8", []string{raw(id + ":\xff\xfe")}, 401},
		{"20 KiB", []string{raw(id + ":" + strings.Repeat("a", 20<<10))}, 401},
		{"not base64", []string{"Basic %%%"}, 401},
		{"nothing", []string{"Basic "}, 401},
		{"another scheme", []string{"Digest username=x"}, 401},
		{"two headers", []string{basicAuth(id, secret), basicAuth(id, secret)}, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			for _, a := range row.auth {
				header = append(header, "Authorization", a)
			}
			a := send(t, env, "/token", form, "grant_type=refresh_token&refresh_token=rt_x", header...)
			want := map[bool]string{true: "invalid_client", false: "invalid_grant"}[row.status == 401]
			if len(row.auth) > 1 {
				want = "invalid_request"
			}
			if a.Status != row.status || a.String("error") != want {
				t.Errorf("got %d %s, want %d %s", a.Status, a.Raw, row.status, want)
			}
			if row.status == 401 && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Error("no challenge")
			}
		})
	}
}

// The audience was fixed by the authorization request: resource may name it again,
// with the one slash that is tolerated there, and nothing else.
//
// spec: TOK-23, ERR-34, AUTHZ-10
func TestTheAudienceIsNotWidened(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	for resource, want := range map[string]int{
		env.FHIR: 200, env.FHIR + "/": 200, env.FHIR + "//": 400, env.FHIR + "/Patient": 400, env.URL: 400, "https://evil.example.org/fhir": 400, "x": 400,
	} {
		r := c.Request(readAll)
		exchange := url.Values{
			"grant_type": {"authorization_code"}, "code": {env.Browser().Code(c, r, "maria", "")}, "redirect_uri": {c.RedirectURI},
			"code_verifier": {r.Verifier}, "resource": {resource},
		}
		a := c.Post("/token", exchange)
		if want == 400 {
			if a.Status != 400 || a.String("error") != "invalid_target" {
				t.Errorf("exchange for %s: %d %s", resource, a.Status, a.Raw)
			}
			exchange.Del("resource") // refused before the code was looked at
			a = c.Post("/token", exchange)
		}
		if a.Status != 200 || decode(t, strings.Split(a.String("access_token"), ".")[1])["aud"] != env.FHIR {
			t.Errorf("exchange beside %s: %d %s", resource, a.Status, a.Raw)
			continue
		}
		next := c.Refresh(a.String("refresh_token"), "resource", resource)
		if next.Status != want || want == 400 && next.String("error") != "invalid_target" {
			t.Errorf("refresh for %s: %d %s", resource, next.Status, next.Raw)
		}
	}
}

// Codes that are read off a page are bound like all others: to that redirect, and to
// the challenge; a client with the legacy switch that sent one is held to it, and
// one that sent none cannot come with a verifier.
//
// spec: AUTHZ-51, AUTHZ-48, PKCE-07, PKCE-08
func TestOutOfBandCodesAreBound(t *testing.T) {
	env := testenv.Start(t)
	legacy := env.Client("C85533AE-E3A4-455C-BE5C-DAC0F695408F")
	strict := env.Register(`{"redirect_uris":["urn:ietf:wg:oauth:2.0:oob"],"token_endpoint_auth_method":"none","scope":"launch/patient patient/*.rs"}`)
	code := func(c *testenv.Client, r testenv.Request) string {
		t.Helper()
		b := env.Browser()
		p := b.Submit(b.SignIn(b.Open(r.URL()), "maria"), "decision", "allow", nil)
		text := p.Value(t, "authorization-code")
		if text == "" {
			t.Fatalf("no code on the page: %s", p.Describe())
		}
		return text
	}
	const scope = "launch/patient patient/*.read"
	none := []string{"code_challenge", "", "code_challenge_method", ""}
	for _, row := range []struct {
		name     string
		client   *testenv.Client
		request  []string // changes of the request
		change   string   // of the exchange
		value    string
		verifier bool
		want     string // the error; empty: a token
	}{
		{"as it should be", strict, nil, "", "", true, ""},
		{"without the verifier", strict, nil, "", "", false, "invalid_request"},
		{"a wrong verifier", strict, nil, "code_verifier", strings.Repeat("w", 43), true, "invalid_grant"},
		{"another redirect URI", strict, nil, "redirect_uri", "http://127.0.0.1/callback", true, "invalid_grant"},
		{"legacy with a challenge", legacy, nil, "", "", true, ""},
		{"legacy with a challenge, without the verifier", legacy, nil, "", "", false, "invalid_grant"},
		{"legacy without", legacy, none, "", "", false, ""},
		{"PKCE-07 legacy without a challenge, with a verifier", legacy, none, "", "", true, "invalid_grant"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := row.client.Request(scope, row.request...)
			exchange := url.Values{"grant_type": {"authorization_code"}, "code": {code(row.client, r)}, "redirect_uri": {"urn:ietf:wg:oauth:2.0:oob"}}
			if row.verifier {
				exchange.Set("code_verifier", r.Verifier)
			}
			if row.change != "" {
				exchange.Set(row.change, row.value)
			}
			a := row.client.Post("/token", exchange)
			if a.String("error") != row.want || (a.Status == http.StatusOK) != (row.want == "") {
				t.Errorf("got %d %s, want %q", a.Status, a.Raw, row.want)
			}
		})
	}
	if p := env.Browser().Open(strict.Request(scope, none...).URL()); p.Left != nil || p.Status != http.StatusBadRequest || p.Value(t, "error-code") != "invalid_request" {
		t.Errorf("a request without a challenge: %s", p.Describe())
	}
}
