package trust_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/trust"
	"github.com/emberlatch/emberlatch/smart"
)

// What is said of a good token is repeated by a list of names, under the name of its
// issuer.
//
// spec: INTRO-06, INTRO-09, INTRO-12
func TestATokenOfAnotherServerByItsKeys(t *testing.T) {
	p := newPartner(t)
	l := list(t, []*partner{p}, p.byKeys())
	banner := true
	text := p.token(p.claims(claims{
		"aud": []string{"https://elsewhere.example.org", audience}, "encounter": "9", "need_patient_banner": true, "fhirContext": []any{claims{"reference": "List/1"}}, "nbf": p.now.Unix(),
		"username": "ana",
	}), nil)
	got, active, err := ask(t, l, text)
	want := trust.Claims{
		Scope: "patient/*.rs", ClientID: "app", Username: "ana", TokenType: "Bearer", Expires: p.now.Unix() + 300, IssuedAt: p.now.Unix(), NotBefore: p.now.Unix(), Subject: "u1",
		Audience: audience, Issuer: p.server.URL, TokenID: "t1", FHIRUser: audience + "/Patient/7",
		LaunchContext: smart.LaunchContext{Patient: "7", Encounter: "9", NeedPatientBanner: &banner, FHIRContext: json.RawMessage(`[{"reference":"List/1"}]`)},
	}
	if diff := cmp.Diff(want, got); !active || err != nil || diff != "" {
		t.Errorf("active %v, %v, %s", active, err, diff)
	}
	p.now = p.now.Add(300 * time.Second)
	if _, active, err := ask(t, l, text); active || err != nil {
		t.Errorf("after its end: active %v, %v", active, err)
	}
}

// Every required claim and header is, and what is bound stays bound.
//
// spec: INTRO-13
// attack: IN-03, CA-06, E-10, E-11
func TestWhatIsNoTokenOfThatServer(t *testing.T) {
	p := newPartner(t)
	l := list(t, []*partner{p}, p.byKeys())
	at := p.now.Unix()
	jkt := claims{"jkt": base64.RawURLEncoding.EncodeToString([]byte(thumbprint(t, p.key.Public())))}
	for _, row := range []struct {
		name           string
		claims, header claims
		want           string // token_type; empty: not active
	}{
		{"as it should be", nil, nil, "Bearer"},
		{"typ with application/", nil, claims{"typ": "application/AT+JWT"}, "Bearer"},
		{"bound to a key", claims{"cnf": jkt}, nil, "DPoP"},
		{"bound to a certificate", claims{"cnf": claims{"x5t#S256": "abc"}}, nil, "Bearer"},
		{"bound in a way that nobody knows", claims{"cnf": claims{"kid": "abc"}}, nil, ""},
		{"bound in two ways, one unknown", claims{"cnf": claims{"jkt": "abc", "other": "x"}}, nil, ""},
		{"bound to nothing", claims{"cnf": claims{"jkt": ""}}, nil, ""},
		{"bound to no text", claims{"cnf": claims{"jkt": 1}}, nil, ""},
		{"DPoP without a key", claims{"token_type": "DPoP"}, nil, ""},
		{"another kind", claims{"token_type": "mac"}, nil, ""},
		{"a refresh token", claims{"token_use": "refresh_token"}, nil, ""},
		{"an ID token", nil, claims{"typ": "JWT"}, ""}, {"a logout token", nil, claims{"typ": "logout+jwt"}, ""},
		{"a signed introspection answer", claims{"token_introspection": claims{"active": true}}, claims{"typ": "token-introspection+jwt"}, ""},
		{"no typ", nil, claims{"typ": ""}, ""},
		{"critical", nil, claims{"crit": []string{"b64"}, "b64": true}, ""},
		{"its own key", nil, claims{"jwk": jose.JSONWebKey{Key: p.key.Public()}}, ""}, {"its own certificate", nil, claims{"x5c": []string{"AA"}}, ""}, {"its own URL", nil, claims{"x5u": "https://evil.example.org"}, ""},
		{"its own key set", nil, claims{"jku": "https://evil.example.org/jwks"}, ""}, {"the key set that is listed", nil, claims{"jku": p.server.URL + "/jwks"}, "Bearer"},
		{"an unknown key", nil, claims{"kid": "k2"}, ""}, {"no key", nil, claims{"kid": ""}, ""},
		{"another issuer", claims{"iss": "https://other.example.org"}, nil, ""}, {"a slash more", claims{"iss": p.server.URL + "/"}, nil, ""}, {"in capitals", claims{"iss": strings.ToUpper(p.server.URL)}, nil, ""}, {"no issuer", claims{"iss": nil}, nil, ""}, {"ours", claims{"iss": own}, nil, ""},
		{"another audience", claims{"aud": "https://other.example.org"}, nil, ""}, {"a part of it", claims{"aud": audience + "/"}, nil, ""}, {"no audience", claims{"aud": nil}, nil, ""}, {"an empty list", claims{"aud": []string{}}, nil, ""}, {"a list of other things", claims{"aud": []any{audience, 1}}, nil, ""},
		{"over", claims{"exp": at}, nil, ""}, {"no end", claims{"exp": nil}, nil, ""}, {"an end in words", claims{"exp": "2099-01-01"}, nil, ""}, {"an end beyond all time", claims{"exp": 1e300}, nil, ""},
		{"from the future", claims{"iat": at + 120}, nil, ""}, {"not yet", claims{"nbf": at + 120}, nil, ""}, {"nbf in words", claims{"nbf": "now"}, nil, ""}, {"a clock a little ahead", claims{"iat": at + 30, "nbf": at + 30}, nil, "Bearer"},
		{"no iat", claims{"iat": nil}, nil, ""}, {"no sub", claims{"sub": nil}, nil, ""}, {"no client", claims{"client_id": nil}, nil, ""}, {"no jti", claims{"jti": nil}, nil, ""},
		{"a scope that is a list", claims{"scope": []string{"a"}}, nil, ""}, {"a patient that is a number", claims{"patient": 7}, nil, ""}, {"no scope", claims{"scope": nil}, nil, "Bearer"},
	} {
		got, active, err := ask(t, l, p.token(p.claims(row.claims), row.header))
		if err != nil || active != (row.want != "") || got.TokenType != row.want {
			t.Errorf("%s: active %v, %q, %v", row.name, active, got.TokenType, err)
		}
		if active && (got.Issuer != p.server.URL || got.Audience != audience) {
			t.Errorf("%s: of %s for %s", row.name, got.Issuer, got.Audience)
		}
	}
}

// Nothing but the published key of that server, with an algorithm that is listed, signs.
//
// attack: IN-03, CA-01, CA-04, JW-05
func TestWhoSigns(t *testing.T) {
	p, evil := newPartner(t), newPartner(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.keys = func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: p.key.Public(), KeyID: "k1"}, {Key: rsaKey.Public(), KeyID: "r1"}, {Key: p384.Public(), KeyID: "e384"}, {Key: []byte(strings.Repeat("s", 32)), KeyID: "oct"},
		}})
	}
	l := list(t, []*partner{p, evil}, p.byKeys(), evil.byKeys())
	good := p.token(p.claims(), nil)
	parts := strings.Split(good, ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	der, err := x509.MarshalPKIXPublicKey(p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	altered, err := json.Marshal(p.claims(claims{"scope": "user/*.cruds"}))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		text   string
		active bool
	}{
		"itself": {good, true}, "RS256": {p.signed(jose.RS256, rsaKey, "r1", p.claims(), nil), true},
		"RS384, which is not listed": {p.signed(jose.RS384, rsaKey, "r1", p.claims(), nil), false}, "PS256, which is not listed": {p.signed(jose.PS256, rsaKey, "r1", p.claims(), nil), false},
		"ES384, which is not listed":    {p.signed(jose.ES384, p384, "e384", p.claims(), nil), false},
		"the key of another server":     {p.signed(jose.ES256, evil.key, "k1", p.claims(), nil), false},
		"HS256 with the public key":     {p.signed(jose.HS256, public, "k1", p.claims(), nil), false},
		"HS256 with a published secret": {p.signed(jose.HS256, []byte(strings.Repeat("s", 32)), "oct", p.claims(), nil), false},
		"alg none":                      {encode(`{"alg":"none","typ":"at+jwt","kid":"k1"}`) + "." + parts[1] + ".", false},
		"alg none, signed":              {encode(`{"alg":"none","typ":"at+jwt","kid":"k1"}`) + "." + parts[1] + "." + parts[2], false},
		"RS256 over an EC key":          {encode(`{"alg":"RS256","typ":"at+jwt","kid":"k1"}`) + "." + parts[1] + "." + parts[2], false},
		"alg twice":                     {encode(`{"alg":"ES256","alg":"ES256","typ":"at+jwt","kid":"k1"}`) + "." + parts[1] + "." + parts[2], false},
		"other claims":                  {parts[0] + "." + encode(string(altered)) + "." + parts[2], false},
		"no signature":                  {parts[0] + "." + parts[1] + ".", false}, "cut": {good[:len(good)-1], false}, "longer": {good + "A", false},
		"padded": {good + "=", false}, "another spelling of the signature": {respelt(good), false}, "a part more": {good + ".", false}, "a part less": {parts[0] + "." + parts[1], false},
	} {
		if _, active, err := ask(t, l, row.text); err != nil || active != row.active {
			t.Errorf("%s: active %v, %v", name, active, err)
		}
	}
	// Each server signs for itself only.
	if _, active, _ := ask(t, l, evil.token(evil.claims(claims{"iss": p.server.URL}), nil)); active {
		t.Error("one listed server signs for another")
	}
}

// respelt changes bits of the last character that stand for nothing.
func respelt(text string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, text[len(text)-1])
	return text[:len(text)-1] + string(digits[last^1])
}

// A server whose keys cannot be had is not taken for anything; callers wait for one
// fetch together.
//
// attack: E-23, E-24, JW-12
func TestKeysThatCannotBeHad(t *testing.T) {
	for name, keys := range map[string]http.HandlerFunc{
		"away":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/jwks2", http.StatusFound) },
		"a page":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
					return
				}
			}
		},
	} {
		p := newPartner(t)
		p.keys = keys
		l := list(t, []*partner{p}, p.byKeys())
		for range 3 {
			if _, active, err := ask(t, l, p.token(p.claims(), nil)); active || !errors.Is(err, trust.ErrUnavailable) {
				t.Errorf("%s: active %v, %v", name, active, err)
			}
		}
		if p.fetches.Load() != 1 {
			t.Errorf("%s: fetched %d times", name, p.fetches.Load())
		}
	}
	p := newPartner(t)
	l := list(t, []*partner{p}, p.byKeys())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, active, err := ask(t, l, p.token(p.claims(), nil)); !active || err != nil {
				t.Errorf("active %v, %v", active, err)
			}
		})
	}
	all.Wait()
	if p.fetches.Load() != 1 {
		t.Errorf("fetched %d times", p.fetches.Load())
	}
}
