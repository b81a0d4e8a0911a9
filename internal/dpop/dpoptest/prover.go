package dpoptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Prover is an app with a key of its own. Fields change what the next proofs say.
type Prover struct {
	t   testing.TB
	key *ecdsa.PrivateKey
	// Now is the clock of the app.
	Now func() time.Time
	// Nonce is the last one that a server has sent; empty: none is sent back.
	Nonce string
}

// New makes an app with a new key.
func New(t testing.TB) *Prover {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Prover{t: t, key: key, Now: time.Now}
}

// Thumbprint names the key (RFC 7638).
func (p *Prover) Thumbprint() string {
	p.t.Helper()
	sum, err := (&jose.JSONWebKey{Key: p.key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		p.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// Proof is a new proof for one request; token is the access token that it goes with,
// if any. Extra pairs replace claims, or take them away when nil.
func (p *Prover) Proof(method, url, token string, extra ...any) string {
	p.t.Helper()
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": url, "iat": p.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if p.Nonce != "" {
		claims["nonce"] = p.Nonce
	}
	for i := 0; i+1 < len(extra); i += 2 {
		name, _ := extra[i].(string)
		if extra[i+1] == nil {
			delete(claims, name)
		} else {
			claims[name] = extra[i+1]
		}
	}
	return p.sign(claims)
}

func (p *Prover) sign(claims map[string]any) string {
	p.t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// Sign adds a new proof to a request, beside the access token that it carries under
// the scheme DPoP.
func (p *Prover) Sign(r *http.Request, token string) {
	p.t.Helper()
	u := *r.URL
	u.RawQuery, u.Fragment = "", ""
	r.Header.Set("DPoP", p.Proof(r.Method, u.String(), token))
	if token != "" {
		r.Header.Set("Authorization", "DPoP "+token)
	}
}
