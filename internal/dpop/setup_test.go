package dpop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

const (
	origin = "https://records.example.org"
	token  = "the.access.token"
)

var nonceKey = []byte("0123456789abcdef0123456789abcdef")

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newVerifier(t testing.TB, c *clock, nonce bool) *dpop.Verifier {
	t.Helper()
	v, err := dpop.New(dpop.Deps{Origin: origin, NonceKey: nonceKey, NonceRequired: nonce, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newClock() *clock { return &clock{time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)} }

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// draft is a proof before it is signed; a nil member is left out.
type draft struct{ header, claims map[string]any }

// newDraft is right for POST /token, and beside token.
func newDraft(t testing.TB, c *clock, public any) draft {
	t.Helper()
	raw, err := (&jose.JSONWebKey{Key: public}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	ath := sha256.Sum256([]byte(token))
	return draft{
		map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": json.RawMessage(raw)},
		map[string]any{
			"jti": oauth.RandomToken(""), "htm": "POST", "htu": origin + "/token", "iat": c.t.Unix(),
			"ath": base64.RawURLEncoding.EncodeToString(ath[:]),
		},
	}
}

// sign signs what the draft says with whatever key, by hand: a library would not sign
// what is wrong.
func (d draft) sign(t testing.TB, key any) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	part := func(m map[string]any) string {
		kept := map[string]any{}
		for name, v := range m {
			if v != nil {
				kept[name] = v
			}
		}
		raw, err := json.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		return b64(raw)
	}
	input := part(d.header) + "." + part(d.claims)
	return input + "." + b64(signature(t, key, input))
}

func signature(t testing.TB, key any, input string) []byte {
	t.Helper()
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return []byte("none")
	}
	size := (private.Curve.Params().BitSize + 7) / 8
	digest := hashFor(private.Curve, input)
	r, s, err := ecdsa.Sign(rand.Reader, private, digest)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out
}

// request is POST /token with these proofs.
func request(proofs ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://elsewhere.example/token?x=1", nil)
	for _, p := range proofs {
		r.Header.Add("DPoP", p)
	}
	return r
}

func codeOf(err *oauth.Error) oauth.Code {
	if err == nil {
		return ""
	}
	return err.Code
}
