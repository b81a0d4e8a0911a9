package register_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// jwk is a key as JSON with members changed or, by nil, taken out.
func jwk(t testing.TB, key any, kid string, changes map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: kid})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	for name, v := range changes {
		if m[name] = v; v == nil {
			delete(m, name)
		}
	}
	raw, err = json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

const byKey = `"token_endpoint_auth_method":"private_key_jwt",`

func keySet(keys ...string) string { return `"jwks":{"keys":[` + strings.Join(keys, ",") + `]}` }

// spec: CAUTH-01, CAUTH-22, BS-10
func TestClientsWithKeys(t *testing.T) {
	p384 := jwk(t, ecKey(t, elliptic.P384()).Public(), "1", nil)
	inline := keySet(p384, jwk(t, rsaKey(t, 2048).Public(), "1", map[string]any{"alg": "PS384", "use": "sig", "key_ops": []string{"verify"}}), jwk(t, ecKey(t, elliptic.P256()).Public(), "2", nil))
	for name, body := range map[string]string{
		"inline keys":     `{` + byKey + redirects + `,` + inline + `}`,
		"a key set's URL": `{` + byKey + redirects + `,"jwks_uri":"https://app.example.org/jwks","token_endpoint_auth_signing_alg":"RS384"}`,
		"a backend service": `{` + byKey + `"grant_types":["client_credentials"],"scope":"system/*.rs system/Patient.read",` + inline +
			`,"emberlatch_data":{"groups":["Group/a"],"organizations":["Organization/b"],"patients":["Patient/c"]}}`,
	} {
		c, response, err := registrar(t).Register([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.AuthMethod != store.AuthPrivateKeyJWT || len(c.Secrets) > 0 || strings.Contains(string(response), "client_secret") || c.Public() {
			t.Errorf("%s: %s", name, response)
		}
		if (len(c.JWKS) > 0) == (c.JWKSURI != "") {
			t.Errorf("%s: keys %s, URL %s", name, c.JWKS, c.JWKSURI)
		}
		var told map[string]any
		if err := json.Unmarshal(response, &told); err != nil || (told["jwks"] != nil) != (len(c.JWKS) > 0) {
			t.Errorf("%s: %s, %v", name, response, err)
		}
		if c.HasGrantType(oauth.GrantClientCredentials) {
			want := store.ClientData{Groups: []string{"a"}, Organizations: []string{"b"}, Patients: []string{"c"}}
			if diff := cmp.Diff(want, c.Data); diff != "" || len(c.RedirectURIs) > 0 {
				t.Errorf("%s: %s", name, diff)
			}
		} else if !c.Data.IsZero() {
			t.Errorf("%s: reaches %v by itself", name, c.Data)
		}
		again, changed, err := registrar(t).Change(c, []byte(`{"client_name":"Z"}`)) // all else is read back
		again.Name = c.Name
		if diff := cmp.Diff(c, again); err != nil || diff != "" || len(changed) != 1 {
			t.Errorf("%s: changed %v, %v: %s", name, changed, err, diff)
		}
	}
}

// spec: CAUTH-02, CAUTH-22, CAUTH-23, CAUTH-26, CAUTH-27, CAUTH-28, SCOPE-23, BS-01
// attack: CA-21, DC-04
func TestKeysAndServicesThatAreRefused(t *testing.T) {
	p384, rsa2048 := ecKey(t, elliptic.P384()), rsaKey(t, 2048)
	good := jwk(t, p384.Public(), "1", nil)
	rsaWith := func(changes map[string]any) string { return keySet(jwk(t, rsa2048.Public(), "1", changes)) }
	many := make([]string, 21)
	for i := range many {
		many[i] = good
	}
	const backend = byKey + `"grant_types":["client_credentials"],"scope":"system/*.rs",`
	uri := func(u string) string { return `{` + byKey + redirects + `,"jwks_uri":"` + u + `"}` }
	for _, row := range []struct{ name, body, parameter string }{
		{"CAUTH-22 no keys", `{` + byKey + redirects + `}`, "jwks_uri"},
		{"CAUTH-22 both", `{` + byKey + redirects + `,"jwks_uri":"https://a.example.org/k",` + keySet(good) + `}`, "jwks_uri"},
		{"keys of a client with a secret", `{` + redirects + `,` + keySet(good) + `}`, "jwks"},
		{"a URL of a public client", `{"token_endpoint_auth_method":"none",` + redirects + `,"jwks_uri":"https://a.example.org/k"}`, "jwks_uri"},
		{"CAUTH-27 private EC", keySet(jwk(t, p384, "1", nil)), "jwks"},
		{"CAUTH-27 private RSA", keySet(jwk(t, rsa2048, "1", nil)), "jwks"},
		{"CAUTH-27 an empty d", rsaWith(map[string]any{"d": ""}), "jwks"},
		{"CAUTH-27 only a p", rsaWith(map[string]any{"p": "AQAB"}), "jwks"},
		{"CAUTH-27 oct", keySet(`{"kty":"oct","kid":"1","k":"c2VjcmV0"}`), "jwks"},
		{"CAUTH-27 RSA with a k", rsaWith(map[string]any{"k": "c2VjcmV0"}), "jwks"},
		{"CAUTH-28 RSA 1024", keySet(jwk(t, rsaKey(t, 1024).Public(), "1", nil)), "jwks"},
		{"CA-21 e is 1", rsaWith(map[string]any{"e": "AQ"}), "jwks"},
		{"CA-21 e is even", rsaWith(map[string]any{"e": "AQAA"}), "jwks"},
		{"CA-21 RSA 16384", rsaWith(map[string]any{"n": strings.Repeat("_", 2731)}), "jwks"},
		{"CA-21 use", rsaWith(map[string]any{"use": "enc"}), "jwks"},
		{"CA-21 key_ops", rsaWith(map[string]any{"key_ops": []string{"encrypt"}}), "jwks"},
		{"CAUTH-28 P-521", keySet(jwk(t, ecKey(t, elliptic.P521()).Public(), "1", nil)), "jwks"},
		{"CAUTH-28 ES384 on P-256", keySet(jwk(t, ecKey(t, elliptic.P256()).Public(), "1", map[string]any{"alg": "ES384"})), "jwks"},
		{"RS256", rsaWith(map[string]any{"alg": "RS256"}), "jwks"},
		{"alg none", rsaWith(map[string]any{"alg": "none"}), "jwks"},
		{"alg of a secret", rsaWith(map[string]any{"alg": "HS256"}), "jwks"},
		{"a point off the curve", keySet(jwk(t, p384.Public(), "1", map[string]any{"x": strings.Repeat("A", 64)})), "jwks"},
		{"OKP", keySet(`{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`), "jwks"},
		{"no kty", keySet(`{"kid":"1"}`), "jwks"},
		{"no kid", rsaWith(map[string]any{"kid": nil}), "jwks"},
		{"a long kid", rsaWith(map[string]any{"kid": strings.Repeat("x", 257)}), "jwks"},
		{"CAUTH-26 one kid twice", keySet(good, good), "jwks"},
		{"too many", keySet(many...), "jwks"},
		{"no key", keySet(), "jwks"},
		{"kty twice", keySet(`{"kty":"oct",` + good[1:]), ""},
		{"a key that is no object", keySet("1"), "jwks"},
		{"no list", `"jwks":{}`, "jwks"},
		{"a list", `"jwks":[]`, "jwks"},
		{"text", `"jwks":"https://a.example.org"`, "jwks"},
		{"too large", `"jwks":{"keys":[],"x":"` + strings.Repeat("x", 65<<10) + `"}`, "jwks"},
		{"CAUTH-23 http", uri("http://a.example.org/k"), "jwks_uri"},
		{"DC-04 loopback", uri("https://127.0.0.1/k"), "jwks_uri"},
		{"DC-04 metadata", uri("https://169.254.169.254/latest"), "jwks_uri"},
		{"DC-04 file", uri("file:///etc/passwd"), "jwks_uri"},
		{"alg of assertions", `{` + byKey + redirects + `,` + keySet(good) + `,"token_endpoint_auth_signing_alg":"HS256"}`, "token_endpoint_auth_signing_alg"},
		{"alg without keys", `{` + redirects + `,"token_endpoint_auth_signing_alg":"ES384"}`, "token_endpoint_auth_signing_alg"},
		{"BS-01 by a secret", `{"grant_types":["client_credentials"],"scope":"system/*.rs"}`, "token_endpoint_auth_method"},
		{"BS-01 public", `{"token_endpoint_auth_method":"none","grant_types":["client_credentials"],"scope":"system/*.rs"}`, "token_endpoint_auth_method"},
		{"both kinds of grants", `{` + byKey + redirects + `,"grant_types":["authorization_code","client_credentials"],` + keySet(good) + `}`, "grant_types"},
		{"a service with a redirect", `{` + backend + redirects + `,` + keySet(good) + `}`, "redirect_uris"},
		{"a service with a response", `{` + backend + `"response_types":["code"],` + keySet(good) + `}`, "response_types"},
		{"SCOPE-23 no scope", `{` + byKey + `"grant_types":["client_credentials"],` + keySet(good) + `}`, "scope"},
		{"SCOPE-23 patient", `{` + byKey + `"grant_types":["client_credentials"],"scope":"system/*.rs patient/*.rs",` + keySet(good) + `}`, "scope"},
		{"SCOPE-23 openid", `{` + byKey + `"grant_types":["client_credentials"],"scope":"system/*.rs openid",` + keySet(good) + `}`, "scope"},
		{"data of an app of people", `{` + byKey + redirects + `,` + keySet(good) + `,"emberlatch_data":{"all":true}}`, "emberlatch_data"},
		{"data twice over", `{` + backend + keySet(good) + `,"emberlatch_data":{"all":true,"groups":["Group/a"]}}`, "emberlatch_data"},
		{"data of another type", `{` + backend + keySet(good) + `,"emberlatch_data":{"groups":["Patient/a"]}}`, "emberlatch_data"},
		{"data that is no reference", `{` + backend + keySet(good) + `,"emberlatch_data":{"patients":["*"]}}`, "emberlatch_data"},
		{"data of a version", `{` + backend + keySet(good) + `,"emberlatch_data":{"patients":["Patient/a/_history/1"]}}`, "emberlatch_data"},
		{"data misspelt", `{` + backend + keySet(good) + `,"emberlatch_data":{"patient":["Patient/a"]}}`, "emberlatch_data"},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := row.body
			if !strings.HasPrefix(body, "{") {
				body = `{` + byKey + redirects + `,` + body + `}`
			}
			c, response, err := registrar(t).Register([]byte(body))
			var refused *oauth.Error
			if !errors.As(err, &refused) {
				t.Fatalf("registered: %s, %v", response, err)
			}
			if refused.Parameter != row.parameter || c.ID != "" || response != nil || !strings.HasPrefix(refused.Description, row.parameter) {
				t.Errorf("got %v about %q", refused, refused.Parameter)
			}
		})
	}
}

// One sentence for whatever lies behind a URL.
//
// attack: DC-04
func TestNothingIsToldOfWhatLiesWithinReach(t *testing.T) {
	told := map[string]bool{}
	for _, u := range []string{"http://a.example.org/", "https://127.0.0.1/", "https://10.0.0.1/", "https://a.example.org:6379/", "gopher://a.example.org/", "https://intranet/"} {
		_, _, err := registrar(t).Register([]byte(`{` + byKey + redirects + `,"jwks_uri":"` + u + `"}`))
		var refused *oauth.Error
		if !errors.As(err, &refused) {
			t.Fatalf("%s: %v", u, err)
		}
		told[refused.Description] = true
	}
	if len(told) != 1 {
		t.Errorf("%d sentences: %v", len(told), told)
	}
	r, err := register.New(register.Deps{Now: time.Now, Outbound: egress.Policy{Loopback: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Register([]byte(`{` + byKey + redirects + `,"jwks_uri":"http://127.0.0.1:9000/k"}`)); err != nil {
		t.Errorf("allowed by configuration: %v", err)
	}
}
