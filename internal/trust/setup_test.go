package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/trust"
)

const (
	own      = "https://records.example.org"
	audience = "https://partner.example.org/fhir"
)

// partner is another server: it signs, publishes its keys, and answers questions.
type partner struct {
	t      testing.TB
	server *httptest.Server
	key    *ecdsa.PrivateKey
	// keys and answer are its endpoints; replaced by tests.
	keys, answer http.HandlerFunc
	fetches      atomic.Int64
	questions    atomic.Int64
	now          time.Time
}

func newPartner(t testing.TB) *partner {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &partner{t: t, key: key, now: time.Now().Truncate(time.Second)}
	p.keys = func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	}
	p.answer = func(w http.ResponseWriter, _ *http.Request) { p.say(w, p.claims()) }
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, r *http.Request) { p.fetches.Add(1); p.keys(w, r) })
	mux.HandleFunc("/introspect", func(w http.ResponseWriter, r *http.Request) { p.questions.Add(1); p.answer(w, r) })
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func (p *partner) say(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		p.t.Error(err)
	}
}

type claims = map[string]any

// claims are those of a good access token, with changes; nil takes one away.
func (p *partner) claims(changes ...claims) claims {
	c := claims{
		"active": true, "iss": p.server.URL, "aud": audience, "sub": "u1", "client_id": "app", "jti": "t1", "scope": "patient/*.rs", "iat": p.now.Unix(), "exp": p.now.Unix() + 300,
		"patient": "7", "fhirUser": audience + "/Patient/7", "email": "not for you", "groups": []string{"admin"},
	}
	for _, change := range changes {
		maps.Copy(c, change)
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// token signs claims as an access token; header changes its header.
func (p *partner) token(c claims, header claims) string {
	p.t.Helper()
	return p.signed(jose.ES256, p.key, "k1", c, header)
}

func (p *partner) signed(algorithm jose.SignatureAlgorithm, key any, kid string, c claims, header claims) string {
	p.t.Helper()
	options := (&jose.SignerOptions{}).WithType("at+jwt").WithHeader("kid", kid)
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		p.t.Fatal(err)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

func (p *partner) byKeys() trust.Issuer {
	return trust.Issuer{Name: p.server.URL, Audience: audience, JWKSURI: p.server.URL + "/jwks"}
}

func (p *partner) byEndpoint() trust.Issuer {
	return trust.Issuer{Name: p.server.URL, Audience: audience, Endpoint: p.server.URL + "/introspect", ClientID: "us", ClientSecret: "our secret"}
}

// list trusts issuers, by a guarded client that knows the partners' certificates.
func list(t testing.TB, partners []*partner, issuers ...trust.Issuer) *trust.List {
	t.Helper()
	roots := x509.NewCertPool()
	for _, p := range partners {
		roots.AddCert(p.server.Certificate())
	}
	policy := egress.Policy{Loopback: true}
	var ticks atomic.Int64 // no two moments are the same
	l, err := trust.New(trust.Deps{
		Issuers: issuers, Own: own, Policy: policy, Client: egress.New(egress.Deps{Policy: policy, Roots: roots, PerHost: 16}),
		Now: func() time.Time { return partners[0].now.Add(time.Duration(ticks.Add(1))) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ask is the way of the door: no question is as good as the answer no.
func ask(t testing.TB, l *trust.List, text string) (trust.Claims, bool, error) {
	t.Helper()
	q, ok := l.About(text)
	if !ok {
		return trust.Claims{}, false, nil
	}
	a, err := q.Ask(t.Context())
	c, active := a.Active()
	return c, active, err
}

func thumbprint(t testing.TB, key crypto.PublicKey) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return string(sum)
}
