package probe_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 7636 appendix B; RFC 6749 §2.3.1: what the checker computes by itself is right.
func TestVectors(t *testing.T) {
	if got := probe.Challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("challenge %s", got)
	}
	if v := probe.NewVerifier(); len(v) < 43 || len(v) > 128 || v == probe.NewVerifier() {
		t.Errorf("verifier %q", v)
	}
	if got := probe.Basic("a:b", "c d%"); got != "Basic YSUzQWI6YytkJTI1" { // a%3Ab:c+d%25
		t.Errorf("basic %s", got)
	}
}

func TestParseJWT(t *testing.T) {
	for name, raw := range map[string]string{
		"empty": "", "two parts": "e30.e30", "four parts": "e30.e30.x.y", "no base64": "e30.!.x", "padding": "e30=.e30=.x",
		"an array": "W10.e30.x", "no JSON": "e30.eA.x",
	} {
		if _, err := probe.ParseJWT(raw); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	token, err := probe.ParseJWT("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIiwiZXhwIjoxfQ.x")
	if n, ok := token.Number("exp"); err != nil || token.Text("sub") != "a" || !ok || n != 1 || token.Has("iat") {
		t.Errorf("%v %+v", err, token)
	}
	unsigned, err := token.Unsigned()
	if again, bad := probe.ParseJWT(unsigned); err != nil || bad != nil || again.Header["alg"] != "none" || again.Text("sub") != "a" {
		t.Errorf("%v %v %s", err, bad, unsigned)
	}
	if err := token.Verify(agent.Answer{}); err == nil {
		t.Error("verified without keys")
	}
}

// A key set that holds anything at all neither verifies nor breaks.
func TestVerifyWithOddKeys(t *testing.T) {
	token, err := probe.ParseJWT("eyJhbGciOiJSUzI1NiJ9.e30.AAAA")
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range []any{nil, "x", []any{}, []any{"x", nil, 1.0, map[string]any{}}, []any{map[string]any{"kty": "RSA", "n": 1.0, "e": "AQAB"}}} {
		if err := token.Verify(agent.Answer{Object: map[string]any{"keys": keys}}); err == nil {
			t.Errorf("verified with %v", keys)
		}
	}
}

func TestSpoiledDiffersInOneCharacter(t *testing.T) {
	for _, raw := range []string{"abcdefghijklmnop", "AAAAAAAAAAAAAAAA", "e30.e30.c2lnbmF0dXJl", "a"} {
		got, n := probe.Spoiled(raw), 0
		for i := range raw {
			if raw[i] != got[i] {
				n++
			}
		}
		if n != 1 || len(got) != len(raw) {
			t.Errorf("%s became %s", raw, got)
		}
	}
}

// Requests carry what was changed and nothing that was left out.
func TestRequest(t *testing.T) {
	p, err := probe.New(probe.Target{Base: "https://fhir.example.org/r4/"})
	if err != nil {
		t.Fatal(err)
	}
	c := &probe.Client{ID: "web", RedirectURIs: []string{"https://app.example.org/cb", "https://other.example.org/cb"}}
	r := p.Request(c, "openid patient/*.rs", "", "state", "", "aud", "x")
	if r.Values.Has("state") || r.Values.Get("aud") != "x" || r.Values.Get("nonce") == "" || r.Values.Get("redirect_uri") != "https://app.example.org/cb" ||
		r.Values.Get("code_challenge") != probe.Challenge(r.Verifier) {
		t.Errorf("%v", r.Values)
	}
	if p.SMARTURL() != "https://fhir.example.org/r4/.well-known/smart-configuration" {
		t.Error(p.SMARTURL())
	}
	form := probe.CodeForm(r, "c", "code_verifier", "", "scope", "s")
	if want := (url.Values{"grant_type": {"authorization_code"}, "code": {"c"}, "redirect_uri": {"https://app.example.org/cb"}, "scope": {"s"}}); form.Encode() != want.Encode() {
		t.Errorf("%v", form)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x1b[31m\u202eb")
	f.Add(strings.Repeat("é", 400))
	f.Fuzz(func(t *testing.T, s string) {
		got := probe.Plain(s)
		if len([]rune(got)) > 163 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", got)
		}
	})
}

func FuzzParseJWT(f *testing.F) {
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := probe.ParseJWT(raw)
		if err == nil && token.Verify(agent.Answer{}) == nil {
			t.Error("verified without keys")
		}
	})
}
