package dpop_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

func hashFor(curve elliptic.Curve, input string) []byte {
	if curve == elliptic.P384() {
		sum := sha512.Sum384([]byte(input))
		return sum[:]
	}
	sum := sha256.Sum256([]byte(input))
	return sum[:]
}

// Each fault by itself is refused, what is right or only spelt otherwise is not.
//
// spec: AT-13, ERR-35
// attack: JW-16
func TestProofs(t *testing.T) {
	c := newClock()
	key, other := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	private, err := (&jose.JSONWebKey{Key: key}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	now := c.t.Unix()
	for _, row := range []struct {
		name   string
		change func(d *draft)
		good   bool
	}{
		{"right", func(*draft) {}, true},
		{"typ missing", func(d *draft) { d.header["typ"] = nil }, false},
		{"typ JWT", func(d *draft) { d.header["typ"] = "JWT" }, false},
		{"alg none", func(d *draft) { d.header["alg"] = "none" }, false},
		{"alg HS256", func(d *draft) { d.header["alg"] = "HS256" }, false},
		{"alg of another key", func(d *draft) { d.header["alg"] = "ES384" }, false},
		{"jwk missing", func(d *draft) { d.header["jwk"] = nil }, false},
		{"jwk a text", func(d *draft) { d.header["jwk"] = "key" }, false},
		{"jwk with its private half", func(d *draft) { d.header["jwk"] = json.RawMessage(private) }, false},
		{"jwk symmetric", func(d *draft) { d.header["jwk"] = map[string]any{"kty": "oct", "k": "AAAA"} }, false},
		{"jwk not on its curve", func(d *draft) {
			d.header["jwk"] = map[string]any{"kty": "EC", "crv": "P-256", "x": strings.Repeat("A", 43), "y": strings.Repeat("A", 43)}
		}, false},
		{"crit", func(d *draft) { d.header["crit"] = []string{"b64"} }, false},
		{"kid beside jwk", func(d *draft) { d.header["kid"] = "1" }, true},
		{"jti missing", func(d *draft) { d.claims["jti"] = nil }, false},
		{"jti empty", func(d *draft) { d.claims["jti"] = "" }, false},
		{"jti too long", func(d *draft) { d.claims["jti"] = strings.Repeat("j", 257) }, false},
		{"jti a number", func(d *draft) { d.claims["jti"] = 1 }, false},
		{"htm missing", func(d *draft) { d.claims["htm"] = nil }, false},
		{"htm of another method", func(d *draft) { d.claims["htm"] = "GET" }, false},
		{"htm in small letters", func(d *draft) { d.claims["htm"] = "post" }, false},
		{"htu missing", func(d *draft) { d.claims["htu"] = nil }, false},
		{"htu another path", func(d *draft) { d.claims["htu"] = origin + "/fhir" }, false},
		{"htu another host", func(d *draft) { d.claims["htu"] = "https://evil.example.org/token" }, false},
		{"htu as the request came", func(d *draft) { d.claims["htu"] = "https://elsewhere.example/token" }, false},
		{"htu by http", func(d *draft) { d.claims["htu"] = "http://records.example.org/token" }, false},
		{"htu with query and fragment", func(d *draft) { d.claims["htu"] = origin + "/token?a=b#c" }, true},
		{"htu spelt otherwise", func(d *draft) { d.claims["htu"] = "HTTPS://Records.example.org:443/%74oken" }, true},
		{"iat missing", func(d *draft) { d.claims["iat"] = nil }, false},
		{"iat a text", func(d *draft) { d.claims["iat"] = "now" }, false},
		{"iat an hour ago", func(d *draft) { d.claims["iat"] = now - 3600 }, false},
		{"iat in an hour", func(d *draft) { d.claims["iat"] = now + 3600 }, false},
		{"iat 61 s ago", func(d *draft) { d.claims["iat"] = now - 61 }, false},
		{"iat in 61 s", func(d *draft) { d.claims["iat"] = now + 61 }, false},
		{"iat 10 s ago", func(d *draft) { d.claims["iat"] = now - 10 }, true},
		{"iat in 10 s", func(d *draft) { d.claims["iat"] = now + 10 }, true},
		{"iat with a fraction", func(d *draft) { d.claims["iat"] = float64(now) + 0.5 }, true},
		{"a nonce that nobody asked for", func(d *draft) { d.claims["nonce"] = "x" }, true},
		{"claims of its own", func(d *draft) { d.claims["aud"] = "x" }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDraft(t, c, key.Public())
			row.change(&d)
			p, refused := newVerifier(t, c, false).Prove(http.Header{}, request(d.sign(t, key)))
			if row.good != (refused == nil) || row.good != (p.Thumbprint() != "") {
				t.Fatalf("%v, key %q", refused, p.Thumbprint())
			}
			if refused != nil && (refused.Code != oauth.InvalidDPoPProof || refused.HTTPStatus() != 400) {
				t.Errorf("%d %v", refused.HTTPStatus(), refused)
			}
		})
	}
	v, good := newVerifier(t, c, false), newDraft(t, c, key.Public())
	text := good.sign(t, key)
	parts := strings.Split(text, ".")
	for name, r := range map[string]*http.Request{
		"no proof": request(), "two proofs": request(text, text), "two in one header": request(text + "," + text), "empty": request(""),
		"signed by another key": request(good.sign(t, other)), "no signature": request(parts[0] + "." + parts[1] + "."),
		"two parts": request(parts[0] + "." + parts[1]), "four parts": request(text + ".x"), "padded": request(parts[0] + "=." + parts[1] + "." + parts[2]),
		"other claims under the signature": request(parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"jti":"x"}`)) + "." + parts[2]),
		"a member twice":                   request(base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"dpop+jwt","typ":"x"}`)) + "." + parts[1] + "." + parts[2]),
		"too long":                         request(text + strings.Repeat("A", 8<<10)),
	} {
		if p, refused := v.Prove(http.Header{}, r); codeOf(refused) != oauth.InvalidDPoPProof || p.Thumbprint() != "" {
			t.Errorf("%s: %v", name, refused)
		}
	}
}

// Each algorithm that is advertised is taken with the one kind of key that it fits;
// the key has the thumbprint of RFC 7638 however it is spelt.
//
// spec: AT-13
func TestAlgorithms(t *testing.T) {
	c := newClock()
	v := newVerifier(t, c, false)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, key := range map[string]crypto.Signer{"ES256": newKey(t, elliptic.P256()), "ES384": newKey(t, elliptic.P384()), "PS256": big} {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key},
			(&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
		if err != nil {
			t.Fatal(err)
		}
		claims, err := json.Marshal(newDraft(t, c, key.Public()).claims)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		want, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		p, refused := v.Prove(http.Header{}, request(text))
		if refused != nil || p.Thumbprint() != base64.RawURLEncoding.EncodeToString(want) || !dpop.ValidThumbprint(p.Thumbprint()) {
			t.Errorf("%s: %q, %v", algorithm, p.Thumbprint(), refused)
		}
	}
	if n := len(dpop.Algorithms()); n != 3 {
		t.Errorf("%d algorithms are advertised", n)
	}
	for _, text := range []string{"", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("A", 42) + "=", strings.Repeat("A", 42) + "B", strings.Repeat("ä", 43)} {
		if dpop.ValidThumbprint(text) {
			t.Errorf("%q is no thumbprint", text)
		}
	}
}

// Beside an access token the proof is of that token and of the key that it is bound
// to, and good once.
//
// spec: AT-13, AT-14
// attack: JW-16
func TestProofsBesideATokens(t *testing.T) {
	c := newClock()
	key, other := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	v := newVerifier(t, c, false)
	bound, refused := v.Prove(http.Header{}, request(newDraft(t, c, key.Public()).sign(t, key)))
	if refused != nil {
		t.Fatal(refused)
	}
	without, wrong := newDraft(t, c, key.Public()), newDraft(t, c, key.Public())
	without.claims["ath"], wrong.claims["ath"] = nil, strings.Repeat("A", 43)
	good := request(newDraft(t, c, key.Public()).sign(t, key))
	for _, row := range []struct {
		name       string
		r          *http.Request
		token, key string
		code       oauth.Code
	}{
		{"right", good, token, bound.Thumbprint(), ""},
		{"again", good, token, bound.Thumbprint(), oauth.InvalidDPoPProof},
		{"ath missing", request(without.sign(t, key)), token, bound.Thumbprint(), oauth.InvalidDPoPProof},
		{"ath wrong", request(wrong.sign(t, key)), token, bound.Thumbprint(), oauth.InvalidDPoPProof},
		{"another token", request(newDraft(t, c, key.Public()).sign(t, key)), "another", bound.Thumbprint(), oauth.InvalidDPoPProof},
		{"another key", request(newDraft(t, c, other.Public()).sign(t, other)), token, bound.Thumbprint(), oauth.InvalidToken},
		{"a token that is bound to nothing", request(newDraft(t, c, key.Public()).sign(t, key)), token, "", oauth.InvalidToken},
		{"no proof", request(), token, bound.Thumbprint(), oauth.InvalidDPoPProof},
	} {
		refused := v.ProveToken(http.Header{}, row.r, row.token, row.key)
		if codeOf(refused) != row.code || refused != nil && refused.HTTPStatus() != http.StatusUnauthorized {
			t.Errorf("%s: %v, want %q", row.name, refused, row.code)
		}
	}
}

// A nonce of ours is good for minutes, at every process, and nothing else is one.
//
// spec: AT-13, ERR-35
func TestNonces(t *testing.T) {
	c := newClock()
	key := newKey(t, elliptic.P256())
	one, two := newVerifier(t, c, true), newVerifier(t, c, true)
	try := func(v *dpop.Verifier, nonce any) (string, oauth.Code) {
		d, answer := newDraft(t, c, key.Public()), http.Header{}
		d.claims["nonce"] = nonce
		_, refused := v.Prove(answer, request(d.sign(t, key)))
		return answer.Get("DPoP-Nonce"), codeOf(refused)
	}
	nonce, code := try(one, nil)
	if nonce == "" || code != oauth.UseDPoPNonce {
		t.Fatalf("none: %q, %q", nonce, code)
	}
	for _, v := range []*dpop.Verifier{one, two} {
		for range 2 { // not used up
			if next, code := try(v, nonce); code != "" || next == "" {
				t.Errorf("%q, next %q", code, next)
			}
		}
	}
	for _, made := range []string{"", "x", nonce + "x", strings.ToUpper(nonce), strings.Repeat("A", len(nonce))} {
		if _, code := try(one, made); code != oauth.UseDPoPNonce {
			t.Errorf("%q: %q", made, code)
		}
	}
	began := c.t
	for after, want := range map[time.Duration]oauth.Code{3 * time.Minute: "", 7 * time.Minute: oauth.UseDPoPNonce, 24 * time.Hour: oauth.UseDPoPNonce, -2 * time.Minute: ""} {
		c.t = began.Add(after)
		next, code := try(two, nonce)
		if code != want || next == "" || next == nonce {
			t.Errorf("%v later: %q, next the same: %v", after, code, next == nonce)
		}
	}
	c.t = began
	wrong := newDraft(t, c, key.Public())
	wrong.claims["htm"] = "GET"
	if _, refused := one.Prove(http.Header{}, request(wrong.sign(t, key))); codeOf(refused) != oauth.InvalidDPoPProof {
		t.Errorf("a wrong proof is asked to come again: %v", refused)
	}
	if n := newVerifier(t, c, false).Nonce(); n != "" {
		t.Errorf("a nonce where none is asked for: %q", n)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	whole := dpop.Deps{Origin: origin, NonceKey: nonceKey, Now: time.Now}
	for name, change := range map[string]func(*dpop.Deps){
		"origin": func(d *dpop.Deps) { d.Origin = "" }, "key": func(d *dpop.Deps) { d.NonceKey = nil }, "clock": func(d *dpop.Deps) { d.Now = nil },
	} {
		d := whole
		change(&d)
		if _, err := dpop.New(d); err == nil {
			t.Errorf("without %s", name)
		}
	}
}

// fuzzed is right at the time of newClock; each process of a fuzz run has the same.
const fuzzed = "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJrdHkiOiJFQyIsImNydiI6IlAtMjU2IiwieCI6Ing5VnlKa0dNWXIxMTUyUW04WmVWbDdnT1pHbnMwSWhGWjVtdlhYbkg5czAiLCJ5IjoibS1OOFVLU24ydHgwU0txVE9qMXBaM2MzcThwVjFDTG51ZXVQNktWLVFQSSJ9LCJ0eXAiOiJkcG9wK2p3dCJ9." +
	"eyJodG0iOiJQT1NUIiwiaHR1IjoiaHR0cHM6Ly9yZWNvcmRzLmV4YW1wbGUub3JnL3Rva2VuIiwiaWF0IjoxNzk1NjA4MDAwLCJqdGkiOiJmdXp6In0." +
	"wq_6dAa-H_2nbU1mO4PCAG0TjkImJv3PS-qR7ABqpg0n5zmTdgsx45LKy4qFzDFixkqOpa0uWdeVFT8hZGZNxQ"

// Whatever is sent as a proof is refused or good, and what is good has a key and its
// claims; nothing that was made up is good.
//
// attack: JW-16
func FuzzProof(f *testing.F) {
	v := newVerifier(f, newClock(), false)
	if _, refused := v.Prove(http.Header{}, request(fuzzed)); refused != nil {
		f.Fatal(refused)
	}
	for _, seed := range []string{fuzzed, "", "..", strings.Replace(fuzzed, ".", "..", 1), fuzzed[:len(fuzzed)-1]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, refused := v.Prove(http.Header{}, request(text))
		if (refused == nil) != (p.Thumbprint() != "") {
			t.Fatalf("%v with the key %q", refused, p.Thumbprint())
		}
		if refused == nil && text != fuzzed {
			t.Fatalf("made up and good: %q", text)
		}
	})
}
