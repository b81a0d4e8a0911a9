package clientauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	tokenURL      = "https://records.example.org/token"
	issuer        = "https://records.example.org"
	bearer        = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	keySetURL     = "https://app.example.org/jwks"
	assertionPair = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion="
)

// pairs are made once: RSA keys take time.
var pairs = sync.OnceValue(func() map[string]crypto.Signer {
	made := map[string]crypto.Signer{}
	for _, kid := range []string{"rsa", "rsa-evil"} {
		made[kid], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	for kid, curve := range map[string]elliptic.Curve{"p384": elliptic.P384(), "p256": elliptic.P256(), "p384-evil": elliptic.P384()} {
		made[kid], _ = ecdsa.GenerateKey(curve, rand.Reader)
	}
	return made
})

// keySet are the public halves of some pairs.
func keySet(t testing.TB, kids ...string) json.RawMessage {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, kid := range kids {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: pairs()[kid].Public(), KeyID: kid})
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// spent remembers assertions.
type spent struct {
	mu   sync.Mutex
	seen map[string]bool
	err  error
}

func (s *spent) UseAssertion(_ context.Context, a store.Assertion) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.seen[string(a.IDHash)] {
		return store.ErrReplayed
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[string(a.IDHash)] = true
	return nil
}

type noKeys struct{}

func (noKeys) Find(context.Context, store.Client, string, string) (clientkey.Key, error) {
	return clientkey.Key{}, clientkey.ErrNoKey
}

func newAuthenticator(t testing.TB, deps clientauth.Deps) *clientauth.Authenticator {
	t.Helper()
	deps.Audiences, deps.Now = []string{tokenURL, issuer}, func() time.Time { return now }
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Keys == nil {
		deps.Keys = noKeys{}
	}
	a, err := clientauth.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// keyed are clients with keys, and an Authenticator of them.
type keyed struct {
	*clientauth.Authenticator
	clients clients
	spent   *spent
	log     bytes.Buffer
	fetched []string
}

func newKeyed(t testing.TB) *keyed {
	t.Helper()
	all := keySet(t, "rsa", "p384", "p256")
	k := &keyed{spent: &spent{}, clients: clients{
		"jwt":    {ID: "jwt", AuthMethod: store.AuthPrivateKeyJWT, JWKS: all},
		"url":    {ID: "url", AuthMethod: store.AuthPrivateKeyJWT, JWKSURI: keySetURL},
		"evil":   {ID: "evil", AuthMethod: store.AuthPrivateKeyJWT, JWKS: keySet(t, "p384-evil", "rsa-evil")},
		"off":    {ID: "off", AuthMethod: store.AuthPrivateKeyJWT, JWKS: all, Disabled: true},
		"pinned": {ID: "pinned", AuthMethod: store.AuthPrivateKeyJWT, JWKS: all, AssertionAlg: "RS384"},
		"secret": {ID: "secret", AuthMethod: store.AuthSecretBasic, JWKS: all, Secrets: []store.ClientSecret{secret("s", time.Time{})}},
		"public": {ID: "public", AuthMethod: store.AuthNone, JWKS: all},
	}}
	found, err := clientkey.New(clientkey.Deps{Now: func() time.Time { return now }, Fetch: func(_ context.Context, u string, _ int64) ([]byte, http.Header, error) {
		k.fetched = append(k.fetched, u)
		return all, nil, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	k.Authenticator = newAuthenticator(t, clientauth.Deps{Clients: k.clients, Keys: found, Assertions: k.spent, Log: slog.New(slog.NewTextHandler(&k.log, nil))})
	return k
}

// members are a header or claims; nil takes one out.
type members map[string]any

// makes is one assertion to be: a good one, with changes.
type makes struct {
	alg, key       string
	header, claims members
}

func good(changes ...makes) makes {
	m := makes{
		alg: "ES384", key: "p384", header: members{"typ": "JWT", "kid": "p384"},
		claims: members{"iss": "jwt", "sub": "jwt", "aud": tokenURL, "exp": now.Add(5 * time.Minute).Unix(), "jti": rand.Text()},
	}
	for _, c := range changes {
		if c.alg != "" {
			m.alg = c.alg
		}
		if c.key != "" {
			m.key, m.header["kid"] = c.key, c.key
		}
		change(m.header, c.header)
		change(m.claims, c.claims)
	}
	return m
}

func change(into, changes members) {
	for name, v := range changes {
		if into[name] = v; v == nil {
			delete(into, name)
		}
	}
}

// claiming and heading are changes.
func claiming(name string, v any) makes { return makes{claims: members{name: v}} }
func heading(name string, v any) makes  { return makes{header: members{name: v}} }
func of(client string) makes            { return makes{claims: members{"iss": client, "sub": client}} }

func encode(t testing.TB, v any) string {
	t.Helper()
	raw, ok := v.([]byte)
	if !ok {
		var err error
		if raw, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// text signs it.
func (m makes) text(t testing.TB) string {
	t.Helper()
	if _, set := m.header["alg"]; !set {
		m.header["alg"] = m.alg
	}
	return signed(t, m.alg, m.key, encode(t, m.header), encode(t, m.claims))
}

// signed signs two encoded parts as they are, whatever the header says.
func signed(t testing.TB, alg, kid, header, payload string) string {
	t.Helper()
	input := header + "." + payload
	hash := map[string]crypto.Hash{"RS384": crypto.SHA384, "PS384": crypto.SHA384, "ES384": crypto.SHA384, "ES256": crypto.SHA256, "RS256": crypto.SHA256}[alg]
	digest := hash.New()
	digest.Write([]byte(input))
	sum := digest.Sum(nil)
	var signature []byte
	var err error
	switch key := pairs()[kid].(type) {
	case *ecdsa.PrivateKey:
		r, s, fault := ecdsa.Sign(rand.Reader, key, sum)
		size := (key.Params().BitSize + 7) / 8
		signature, err = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), fault
	case *rsa.PrivateKey:
		if strings.HasPrefix(alg, "PS") {
			signature, err = rsa.SignPSS(rand.Reader, key, hash, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			signature, err = rsa.SignPKCS1v15(nil, key, hash, sum)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (k *keyed) ask(text string, extra ...string) (clientauth.Authenticated, *oauth.Error) {
	body := assertionPair + url.QueryEscape(text) + strings.Join(extra, "")
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	p, err := oauth.ParseParameters(body)
	if err != nil {
		return clientauth.Authenticated{}, err
	}
	return k.Authenticate(r, p)
}

// spec: CAUTH-12, CAUTH-13, CAUTH-14, CAUTH-15, CAUTH-16, CAUTH-17, CAUTH-18, CAUTH-19, CAUTH-22, DISC-15
// attack: CA-08, CA-11
func TestAssertionsThatAreGood(t *testing.T) {
	k := newKeyed(t)
	for name, row := range map[string]struct {
		makes
		client, extra string
	}{
		"ES384":                         {good(), "jwt", ""},
		"RS384":                         {good(makes{alg: "RS384", key: "rsa"}), "jwt", ""},
		"PS384":                         {good(makes{alg: "PS384", key: "rsa"}), "jwt", ""},
		"ES256":                         {good(makes{alg: "ES256", key: "p256"}), "jwt", ""},
		"keys by URL":                   {good(of("url")), "url", ""},
		"jku is the registered URL":     {good(of("url"), heading("jku", keySetURL)), "url", ""},
		"the algorithm it registered":   {good(makes{alg: "RS384", key: "rsa"}, of("pinned")), "pinned", ""},
		"with its client_id":            {good(), "jwt", "&client_id=jwt"},
		"aud is the issuer":             {good(claiming("aud", issuer)), "jwt", ""},
		"aud is a list of one":          {good(claiming("aud", []string{tokenURL})), "jwt", ""},
		"aud is a list of the issuer":   {good(claiming("aud", []string{issuer})), "jwt", ""},
		"exp with a fraction":           {good(claiming("exp", json.Number("1772366460.5"))), "jwt", ""},
		"exp in a second":               {good(claiming("exp", now.Unix()+1)), "jwt", ""},
		"a clock that is a bit ahead":   {good(makes{claims: members{"exp": now.Unix() + 325, "nbf": now.Unix() + 25, "iat": now.Unix() + 25}}), "jwt", ""},
		"nbf and iat":                   {good(makes{claims: members{"nbf": now.Unix() - 5, "iat": now.Unix() - 5}}), "jwt", ""},
		"typ left out":                  {good(heading("typ", nil)), "jwt", ""},
		"typ in lower case":             {good(heading("typ", "jwt")), "jwt", ""},
		"typ of the newer draft":        {good(heading("typ", "client-authentication+jwt")), "jwt", ""},
		"a header that nobody needs":    {good(heading("x5t", "AAAA")), "jwt", ""},
		"a claim that nobody needs":     {good(claiming("nonce", "x")), "jwt", ""},
		"a jti of 256 bytes":            {good(claiming("jti", strings.Repeat("x", 256))), "jwt", ""},
		"the same jti of another":       {good(claiming("jti", strings.Repeat("x", 256)), of("url")), "url", ""},
		"a jti that differs in case":    {good(claiming("jti", strings.Repeat("X", 256))), "jwt", ""},
		"SUB beside sub is not a claim": {good(claiming("SUB", "evil")), "jwt", ""},
	} {
		proven, err := k.ask(row.text(t), row.extra)
		if err != nil || string(proven.Client().ID) != row.client {
			t.Errorf("%s: %v, %q", name, err, proven.Client().ID)
		}
	}
	for _, u := range k.fetched {
		if u != keySetURL {
			t.Errorf("fetched %s", u)
		}
	}
}

// fault is an assertion that must be refused; told says that the caller hears why.
type fault struct {
	row, text, extra string
	told             bool
}

// faults are all of them.
//
//nolint:funlen // a flat list
func faults(t testing.TB) []fault {
	other := func(m makes) string { return m.text(t) }
	header, payload, signature := split3(good().text(t))
	raw := func(header string, claims string) string {
		return signed(t, "ES384", "p384", encode(t, []byte(header)), encode(t, []byte(claims)))
	}
	const plain = `{"alg":"ES384","typ":"JWT","kid":"p384"}`
	claims := func(exp string, more string) string {
		return `{"iss":"jwt","sub":"jwt","aud":"` + tokenURL + `","exp":` + exp + `,"jti":"` + rand.Text() + `"` + more + `}`
	}
	soon := json.Number("1772366520").String()
	return []fault{
		{"CA-01 none", encode(t, []byte(`{"alg":"none","typ":"JWT","kid":"p384"}`)) + "." + payload + ".", "", true},
		{"CA-01 None", encode(t, []byte(`{"alg":"None","typ":"JWT","kid":"p384"}`)) + "." + payload + "." + signature, "", true},
		{"CA-01 nOnE", encode(t, []byte(`{"alg":"nOnE","typ":"JWT","kid":"p384"}`)) + "." + payload + "." + signature, "", true},
		{"CA-01 no signature", header + "." + payload + ".", "", true},
		{"CA-01 two parts", header + "." + payload, "", true},
		{"CAUTH-14 HS256 with the public key", hs256(t, payload), "", true},
		{"CA-03 RS256", other(good(makes{alg: "RS256", key: "rsa"})), "", true},
		{"CA-03 ES384 in the header, RSA key", other(good(makes{alg: "RS384", key: "rsa"}, heading("alg", "ES384"))), "", false},
		{"CA-03 RS384 in the header, EC key", other(good(heading("alg", "RS384"))), "", false},
		{"CA-03 P-256 key for ES384", other(good(makes{alg: "ES256", key: "p256"}, heading("alg", "ES384"))), "", false},
		{"CA-03 P-384 key for ES256", other(good(heading("alg", "ES256"))), "", false},
		{"CA-03 PS384 signed as RS384", other(good(makes{alg: "RS384", key: "rsa"}, heading("alg", "PS384"))), "", false},
		{"another algorithm than registered", other(good(of("pinned"))), "", false},
		{"CAUTH-13 alg missing", raw(`{"typ":"JWT","kid":"p384"}`, claims(soon, "")), "", true},
		{"CAUTH-13 kid missing", other(good(heading("kid", nil))), "", true},
		{"CAUTH-13 kid empty", other(good(heading("kid", ""))), "", true},
		{"CAUTH-13 kid unknown", other(good(heading("kid", "p385"))), "", false},
		{"CAUTH-13 typ of an access token", other(good(heading("typ", "at+jwt"))), "", true},
		{"CA-04 another's key under its kid", other(good(makes{key: "p384-evil"}, heading("kid", "p384"))), "", false},
		{"CA-04 another's key and kid", other(good(makes{key: "p384-evil"})), "", false},
		{"CA-06 jku elsewhere", other(good(of("url"), heading("jku", "https://evil.example/jwks"))), "", false},
		{"CA-06 jku with a slash", other(good(of("url"), heading("jku", keySetURL+"/"))), "", false},
		{"CA-06 jku in other case", other(good(of("url"), heading("jku", strings.ToUpper(keySetURL)))), "", false},
		{"CA-06 jku of a client with inline keys", other(good(heading("jku", keySetURL))), "", false},
		{"CA-06 jku empty", other(good(heading("jku", ""))), "", true},
		{"CA-06 jwk", other(good(heading("jwk", members{"kty": "EC"}))), "", true},
		{"CA-06 x5u", other(good(heading("x5u", "https://evil.example/c"))), "", true},
		{"CA-06 x5c", other(good(heading("x5c", []string{"AAAA"}))), "", true},
		{"crit", other(good(heading("crit", []string{"exp"}))), "", true},
		{"CAUTH-17 aud missing", other(good(claiming("aud", nil))), "", true},
		{"CAUTH-17 aud elsewhere", other(good(claiming("aud", "https://evil.example/token"))), "", true},
		{"CAUTH-17 aud with a slash", other(good(claiming("aud", issuer+"/"))), "", true},
		{"CAUTH-17 aud as a prefix", other(good(claiming("aud", tokenURL+".evil.example"))), "", true},
		{"CA-08 two values", other(good(claiming("aud", []string{tokenURL, "https://evil.example"}))), "", true},
		{"CA-08 both of ours", other(good(claiming("aud", []string{tokenURL, issuer}))), "", true},
		{"CA-08 an empty list", other(good(claiming("aud", []string{}))), "", true},
		{"CA-08 a list of lists", other(good(claiming("aud", [][]string{{tokenURL}}))), "", true},
		{"CA-08 a number", other(good(claiming("aud", 1))), "", true},
		{"CA-10 iss differs from sub", other(good(claiming("iss", "evil"))), "", true},
		{"CA-10 sub differs from iss", other(good(claiming("sub", "evil"))), "", true},
		{"CA-10 body client_id differs", other(good()), "&client_id=evil", false},
		{"CA-10 sub missing", other(good(claiming("sub", nil))), "", true},
		{"CA-10 iss missing", other(good(claiming("iss", nil))), "", true},
		{"CA-10 both missing", other(good(makes{claims: members{"iss": nil, "sub": nil}})), "", true},
		{"CA-10 another client with this key", other(good(of("evil"))), "", false},
		{"CA-10 iss is a number", other(good(claiming("iss", 1))), "", true},
		{"CA-11 exp missing", other(good(claiming("exp", nil))), "", true},
		{"CA-11 six minutes ahead", other(good(claiming("exp", now.Add(6*time.Minute).Unix()))), "", true},
		{"CAUTH-18 an hour ahead", other(good(claiming("exp", now.Add(time.Hour).Unix()))), "", true},
		{"CA-11 five minutes past", other(good(claiming("exp", now.Add(-5*time.Minute).Unix()))), "", true},
		{"CAUTH-18 over this moment", other(good(claiming("exp", now.Unix()))), "", true},
		{"CA-11 text", other(good(claiming("exp", "1772366520"))), "", true},
		{"CA-11 1e300", raw(plain, claims("1e300", "")), "", true},
		{"CA-11 too large for a number", raw(plain, claims("1e400", "")), "", true},
		{"CA-11 negative", raw(plain, claims("-1", "")), "", true},
		{"CA-11 the largest integer", raw(plain, claims("9223372036854775808", "")), "", true},
		{"CA-11 null", raw(plain, claims("null", "")), "", true},
		{"CAUTH-19 nbf ten minutes ahead", other(good(claiming("nbf", now.Add(10*time.Minute).Unix()))), "", true},
		{"CAUTH-19 nbf is text", other(good(claiming("nbf", "now"))), "", true},
		{"CAUTH-19 iat ten minutes ahead", other(good(claiming("iat", now.Add(10*time.Minute).Unix()))), "", true},
		{"CAUTH-19 iat an hour ago", other(good(claiming("iat", now.Add(-time.Hour).Unix()))), "", true},
		{"CA-13 jti missing", other(good(claiming("jti", nil))), "", true},
		{"CA-13 jti empty", other(good(claiming("jti", ""))), "", true},
		{"CA-13 jti is a number", other(good(claiming("jti", 7))), "", true},
		{"CA-13 jti of 257 bytes", other(good(claiming("jti", strings.Repeat("x", 257)))), "", true},
		{"CA-13 jti of 10 KiB", other(good(claiming("jti", strings.Repeat("x", 10<<10)))), "", true},
		{"CA-17 JWE", strings.Repeat("AAAA.", 4) + "AAAA", "", true},
		{"CA-17 JSON serialisation", `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`, "", true},
		{"CA-17 dots", strings.Repeat(".", 8000), "", true},
		{"CA-19 sub twice", raw(plain, claims(soon, `,"sub":"jwt"`)), "", true},
		{"CA-19 sub twice, once escaped", raw(plain, claims(soon, `,"\u0073ub":"jwt"`)), "", true},
		{"CA-19 SUB alone", raw(plain, strings.Replace(claims(soon, ""), `"sub"`, `"SUB"`, 1)), "", true},
		{"CA-19 alg twice", raw(`{"alg":"ES384","alg":"ES384","typ":"JWT","kid":"p384"}`, claims(soon, "")), "", true},
		{"CA-19 trailing bytes", raw(plain, claims(soon, "")+"x"), "", true},
		{"CA-19 two objects", raw(plain, claims(soon, "")+"{}"), "", true},
		{"CA-19 BOM", raw(plain, "\ufeff"+claims(soon, "")), "", true},
		{"CA-19 deep", raw(plain, claims(soon, `,"x":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000))), "", true},
		{"CA-19 not closed", raw(plain, claims(soon, `,"x":`+strings.Repeat("[", 4000))), "", true},
		{"CA-19 NaN", raw(plain, claims("NaN", "")), "", true},
		{"CA-19 lone surrogate", raw(plain, claims(soon, `,"x":"\ud800"`)), "", true},
		{"CA-19 bad UTF-8", raw(plain, claims(soon, ",\"x\":\"\xff\"")), "", true},
		{"a list", raw(plain, "[]"), "", true},
		{"null", raw(plain, "null"), "", true},
		{"the header is a list", raw("[]", claims(soon, "")), "", true},
		{"padding", header + "." + payload + "=." + signature, "", true},
		{"the standard alphabet", header + "+." + payload + "." + signature, "", true},
		{"changed claims", header + "." + encode(t, []byte(claims(soon, ""))) + "." + signature, "", false},
		{"changed signature", header + "." + payload + "." + encode(t, make([]byte, 96)), "", false},
		{"a longer signature", header + "." + payload + "." + signature + "AAAA", "", false},
		{"unknown client", other(good(of("nobody"))), "", false},
		{"disabled client", other(good(of("off"))), "", false},
		{"a client with a secret", other(good(of("secret"))), "", false},
		{"a public client", other(good(of("public"))), "", false},
	}
}

func split3(text string) (string, string, string) {
	parts := strings.Split(text, ".")
	return parts[0], parts[1], parts[2]
}

// hs256 signs with the public key as a secret.
func hs256(t testing.TB, payload string) string {
	t.Helper()
	input := encode(t, []byte(`{"alg":"HS256","typ":"JWT","kid":"p384"}`)) + "." + payload
	mac := hmac.New(sha256.New, keySet(t, "p384"))
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Every fault is invalid_client with 400; what depends on what is registered is told
// with one text, the same as for a client that does not exist.
//
// spec: CAUTH-08, CAUTH-11, CAUTH-13, CAUTH-14, CAUTH-15, CAUTH-16, CAUTH-17, CAUTH-18, CAUTH-19, CAUTH-28, CAUTH-29, E-10, E-11
// attack: CA-01, CA-03, CA-04, CA-06, CA-08, CA-10, CA-11, CA-13, CA-17, CA-19
func TestAssertionFaults(t *testing.T) {
	k := newKeyed(t)
	_, unknown := k.ask(good(of("nobody")).text(t))
	for _, f := range faults(t) {
		t.Run(f.row, func(t *testing.T) {
			k.log.Reset()
			proven, err := k.ask(f.text, f.extra)
			if err == nil || proven.Client().ID != "" {
				t.Fatalf("it is %q", proven.Client().ID)
			}
			if err.Code != oauth.InvalidClient || err.HTTPStatus() != 400 || err.Challenge {
				t.Errorf("%v, status %d", err, err.HTTPStatus())
			}
			if same := err.Description == unknown.Description; same == f.told {
				t.Errorf("told: %s", err.Description)
			}
			if strings.Contains(k.log.String()+err.Description, strings.TrimSuffix(f.text, ".")) {
				t.Errorf("CAUTH-11: the assertion is in the log: %s", k.log.String())
			}
		})
	}
	if len(k.spent.seen) > 0 {
		t.Error("a refused assertion was spent")
	}
	for _, u := range k.fetched {
		if u != keySetURL {
			t.Errorf("CAUTH-15: fetched %s", u)
		}
	}
}

// spec: CAUTH-30
// attack: CA-16
func TestTheTypeOfAnAssertion(t *testing.T) {
	k := newKeyed(t)
	text := good().text(t)
	for _, body := range []string{
		"client_assertion=" + text, "client_assertion=" + text + "&client_assertion_type=not-an-assertion",
		"client_assertion=" + text + "&client_assertion_type=" + url.QueryEscape(strings.ToUpper(bearer)),
		"client_assertion=" + text + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Asaml2-bearer",
		strings.TrimSuffix(assertionPair, "&client_assertion="), assertionPair, assertionPair + "&client_id=jwt",
	} {
		proven, err := ask(k.Authenticator, body)
		if err == nil || err.Code != oauth.InvalidClient || err.HTTPStatus() != 400 || proven.Client().ID != "" {
			t.Errorf("%.80s: %v", body, err)
		}
	}
	for _, body := range []string{
		assertionPair + text + "&client_assertion_type=" + url.QueryEscape(bearer), assertionPair + text + "&client_assertion=" + text,
		assertionPair + text + "&client_secret=s",
	} {
		if _, err := ask(k.Authenticator, body); err == nil || err.Code != oauth.InvalidRequest {
			t.Errorf("%.80s: %v", body, err)
		}
	}
}

// An assertion is good once. Proving alone spends nothing; a store that cannot be
// asked is told as that, and lets nobody in.
//
// spec: CAUTH-20
// attack: CA-14
func TestAssertionsAreSpent(t *testing.T) {
	k := newKeyed(t)
	text := good().text(t)
	if _, err := k.ask(text); err != nil {
		t.Fatal(err)
	}
	if proven, err := k.ask(text); err == nil || err.Code != oauth.InvalidClient || err.HTTPStatus() != 400 || proven.Client().ID != "" {
		t.Errorf("a second time: %v", err)
	}
	parameters := func(text string) oauth.Parameters {
		p, err := oauth.ParseParameters(assertionPair + text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	u, err := k.Prove(r, parameters(good().text(t)))
	if err != nil || u.Client().ID != "jwt" || len(u.Assertion().IDHash) != 32 || !u.Assertion().ExpiresAt.Equal(now.Add(5*time.Minute)) {
		t.Fatalf("%v, %+v", err, u.Assertion())
	}
	for n, want := range []bool{true, false, false} {
		if err := k.Spend(t.Context(), u); (err == nil) != want {
			t.Errorf("spent %d: %v", n, err)
		}
	}
	k.spent.err = errors.New("the database is away")
	if proven, err := k.ask(good().text(t)); err == nil || err.Code != oauth.TemporarilyUnavailable || err.HTTPStatus() != 503 || proven.Client().ID != "" {
		t.Errorf("the store is away: %v", err)
	}
}

// FuzzAssertion: nobody is proven but by what a registered key signed.
func FuzzAssertion(f *testing.F) {
	for _, one := range faults(f) {
		if one.extra == "" { // else it is good by itself
			f.Add(one.text)
		}
	}
	k := newKeyed(f)
	mine := good().text(f)
	f.Add(mine)
	f.Fuzz(func(t *testing.T, text string) {
		k.spent.seen = nil
		proven, err := k.ask(text)
		if err == nil && text != mine {
			t.Fatalf("%.200q proves %s", text, proven.Client().ID)
		}
		if err != nil && err.Code != oauth.InvalidClient && err.Code != oauth.InvalidRequest {
			t.Fatalf("%.200q: %v", text, err)
		}
	})
}

// BenchmarkAssertion puts a whole proof beside its ceiling, the bare signature check.
func BenchmarkAssertion(b *testing.B) {
	k := newKeyed(b)
	for _, kind := range []struct{ alg, key string }{{"ES384", "p384"}, {"RS384", "rsa"}} {
		text := good(makes{alg: kind.alg, key: kind.key}).text(b)
		input, signature := text[:strings.LastIndexByte(text, '.')], text[strings.LastIndexByte(text, '.')+1:]
		raw, err := base64.RawURLEncoding.DecodeString(signature)
		if err != nil {
			b.Fatal(err)
		}
		p, refused := oauth.ParseParameters(assertionPair + text)
		if refused != nil {
			b.Fatal(refused)
		}
		r := httptest.NewRequest(http.MethodPost, "/token", nil)
		b.Run(kind.alg+"/proof", func(b *testing.B) {
			for b.Loop() {
				if _, err := k.Prove(r, p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(kind.alg+"/ceiling", func(b *testing.B) {
			for b.Loop() {
				if !verifies(kind.key, input, raw) {
					b.Fatal("it does not verify")
				}
			}
		})
	}
}

// verifies checks a signature with the standard library alone.
func verifies(kid, input string, signature []byte) bool {
	digest := crypto.SHA384.New()
	digest.Write([]byte(input))
	switch key := pairs()[kid].Public().(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA384, digest.Sum(nil), signature) == nil
	case *ecdsa.PublicKey:
		return ecdsaVerify(key, digest.Sum(nil), signature)
	}
	return false
}

func ecdsaVerify(key *ecdsa.PublicKey, digest, signature []byte) bool {
	half := len(signature) / 2
	return ecdsa.Verify(key, digest, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
}
