package sampleapp_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emberlatch/emberlatch/internal/sampleapp"
)

const (
	clientID     = "sample"
	clientSecret = "secret of the sample"
)

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// server is an authorization server and a FHIR server that do what a test wants.
type server struct {
	*httptest.Server
	mu        sync.Mutex
	asked     url.Values     // the last authorization request
	answers   map[string]any // by path below /fhir, or path, a space, and category or page; a number is a status
	idToken   func(jwt.Claims, map[string]any)
	noIDToken bool
	key       *rsa.PrivateKey
	refusing  bool // refresh tokens are refused
	tokens    []url.Values
	revoked   []string
	bearers   map[string]int
	scope     string
	context   map[string]any // launch context of the next answers
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{answers: map[string]any{}, bearers: map[string]int{}, key: signingKey(), scope: "launch/patient patient/*.rs openid fhirUser offline_access"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fhir/.well-known/smart-configuration", func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "revocation_endpoint": s.URL + "/revoke"})
	})
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{
			"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/jwks", "end_session_endpoint": s.URL + "/end?keep=1",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signingKey().Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.revoked = append(s.revoked, r.FormValue("token"))
	})
	mux.HandleFunc("GET /fhir/", s.fhir)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if err := r.ParseForm(); err != nil || id != clientID || secret != clientSecret {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.tokens = append(s.tokens, r.PostForm)
	refresh := r.PostForm.Get("grant_type") == "refresh_token"
	if refresh && s.refusing {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
		return
	}
	access := "access-1"
	if refresh {
		access = "access-2"
	}
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 1200, "refresh_token": "refresh-1", "scope": s.scope, "patient": "p1"}
	for name, value := range s.context {
		answer[name] = value
	}
	if !refresh && !s.noIDToken {
		answer["id_token"] = s.sign(access)
	}
	write(w, answer)
}

func (s *server) sign(access string) string {
	sum := sha256.Sum256([]byte(access))
	standard := jwt.Claims{
		Issuer: s.URL, Subject: "u1", Audience: jwt.Audience{clientID},
		IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	}
	claims := map[string]any{
		"iss": s.URL, "sub": standard.Subject, "aud": clientID, "iat": standard.IssuedAt, "exp": standard.Expiry,
		"nonce": s.asked.Get("nonce"), "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "fhirUser": s.URL + "/fhir/Patient/p1",
	}
	if s.idToken != nil {
		s.idToken(standard, claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: s.key, KeyID: "k1"}}, nil)
	if err != nil {
		panic(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(err)
	}
	return text
}

func (s *server) fhir(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bearers[r.Header.Get("Authorization")]++
	path := strings.TrimPrefix(r.URL.Path, "/fhir/")
	answer, ok := s.answers[path+" "+r.URL.Query().Get("category")+r.URL.Query().Get("page")]
	if !ok {
		answer = s.answers[path]
	}
	switch answer := answer.(type) {
	case int:
		w.WriteHeader(answer)
	case nil:
		write(w, bundle())
	default:
		write(w, answer)
	}
}

func bundle(resources ...any) map[string]any {
	entries := make([]any, 0, len(resources))
	for _, r := range resources {
		entries = append(entries, map[string]any{"resource": r})
	}
	return map[string]any{"resourceType": "Bundle", "type": "searchset", "entry": entries}
}

// set changes what the server answers.
func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// browser talks to the app and keeps its cookies; it does not follow redirects.
type browser struct {
	t      *testing.T
	http   *http.Client
	app    string
	server *server
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open starts the app beside a server and returns a browser for it.
func open(t *testing.T, s *server) *browser {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	base := "http://" + front.Listener.Addr().String()
	app, err := sampleapp.New(sampleapp.Deps{
		Issuer: s.URL, FHIRBase: s.URL + "/fhir", ClientID: clientID, ClientSecret: clientSecret,
		Scopes: strings.Fields("launch launch/patient patient/*.rs openid fhirUser offline_access"), BaseURL: base,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = app
	front.Start()
	t.Cleanup(front.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, app: base, server: s, http: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is an answer of the app.
type page struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (b *browser) do(method, path string, header ...string) page {
	b.t.Helper()
	return b.send(method, path, nil, header...)
}

// post presses the button of a form.
func (b *browser) post(path string, form url.Values) page {
	b.t.Helper()
	return b.send(http.MethodPost, path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

func (b *browser) send(method, path string, body io.Reader, header ...string) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.app+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{resp.StatusCode, resp.Header.Get("Location"), string(text), resp.Header}
}

// connect presses the button, and returns what the app asks of the server.
func (b *browser) connect() url.Values {
	b.t.Helper()
	p := b.do(http.MethodPost, "/connect")
	u, err := url.Parse(p.location)
	if err != nil || p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, b.server.URL+"/authorize?") {
		b.t.Fatalf("connect: %d %s %s", p.status, p.location, p.body)
	}
	b.server.set(func() { b.server.asked = u.Query() })
	return u.Query()
}

// answer brings the browser back to the app.
func (b *browser) answer(parameters ...string) page {
	q := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	return b.do(http.MethodGet, "/callback?"+q.Encode())
}

// connected goes all the way.
func (b *browser) connected() {
	b.t.Helper()
	asked := b.connect()
	if p := b.answer("code", "c1", "state", asked.Get("state"), "iss", b.server.URL); p.location != "/record" {
		b.t.Fatalf("callback: %d %s", p.status, p.body)
	}
}
