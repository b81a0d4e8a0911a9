package brokentest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Who and what exists in the server.
const (
	Username = "alice"
	Password = "alice's password"
	Patient  = "alice"
	Other    = "bob"

	WebID, WebSecret     = "web", "a secret of web"
	PublicID             = "pub"
	AsymmetricID         = "asym"
	BackendID            = "svc"
	WebRedirect          = "https://app.example.org/cb"
	PublicRedirect       = "https://browser.example.org/cb"
	AsymmetricRedirect   = "https://asym.example.org/cb"
	KeyID, secondPatient = "key-1", Other
)

// Server is a running server.
type Server struct {
	*httptest.Server
	Defect string
	// Base is the FHIR base, Key the private key of the clients with assertions.
	Base string
	Key  *ecdsa.PrivateKey

	signing *rsa.PrivateKey
	mu      sync.Mutex
	state
}

// state is everything that requests change.
type state struct {
	pending  map[string]request // by handle
	sessions map[string]bool    // by cookie
	codes    map[string]*code
	access   map[string]*grant
	refresh  map[string]*grant
	jtis     map[string]bool
	keys     map[string]string // that a token is bound to
	requests int               // at the authorization endpoint
}

type request struct {
	client, redirect, state, scope, nonce, challenge, method string
	maxAge, post                                             bool
}

type code struct {
	request
	used  bool
	grant *grant
}

// grant is one authorization. Tokens of it are ended one by one, or with it.
type grant struct {
	request
	patient, sub string
	authTime     time.Time
	ended        bool
	endedAccess  map[string]bool
	current      string          // the refresh token that is good
	replaced     map[string]bool // those that were
	withOpenID   bool
}

var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) }) //nolint:gosec // hundreds of servers sign with it, and nobody trusts them

// Start runs a server with one defect; an empty name means none.
func Start(defect string) (*Server, error) {
	s := &Server{Defect: defect, state: state{
		pending: map[string]request{}, sessions: map[string]bool{}, codes: map[string]*code{},
		access: map[string]*grant{}, refresh: map[string]*grant{}, jtis: map[string]bool{}, keys: map[string]string{},
	}}
	var err error
	if s.signing, err = signingKey(); err != nil {
		return nil, err
	}
	if s.Key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader); err != nil {
		return nil, err
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.Base = s.URL + "/fhir"
	return s, nil
}

// bad reports whether the server has the defect.
func (s *Server) bad(defect string) bool { return s.Defect == defect }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crossOrigin(w, r)
	switch path := r.URL.Path; {
	case path == "/fhir/.well-known/smart-configuration":
		s.smartConfiguration(w, r)
	case path == "/.well-known/openid-configuration":
		s.openIDConfiguration(w)
	case path == "/.well-known/oauth-authorization-server":
		s.serverMetadata(w)
	case path == "/jwks":
		s.jwks(w)
	case path == "/authorize":
		s.authorize(w, r)
	case path == "/login":
		s.login(w, r)
	case path == "/consent":
		s.consent(w, r)
	case path == "/token":
		s.token(w, r)
	case path == "/introspect":
		s.introspect(w, r)
	case path == "/revoke":
		s.revoke(w, r)
	case path == "/userinfo":
		s.userinfo(w, r)
	case strings.HasPrefix(path, "/fhir/"):
		s.fhir(w, r)
	default:
		http.NotFound(w, r)
	}
}

// crossOrigin says which pages may read the answer.
func (s *Server) crossOrigin(w http.ResponseWriter, r *http.Request) {
	origin, h := r.Header.Get("Origin"), w.Header()
	if origin == "" {
		return
	}
	anyone := map[string]string{
		"/fhir/.well-known/smart-configuration": "cors-smart", "/fhir/metadata": "cors-metadata",
		"/.well-known/openid-configuration": "cors-provider", "/jwks": "cors-keys",
	}
	defect, public := anyone[r.URL.Path]
	registered := origin == "https://browser.example.org"
	forApps := r.URL.Path == "/token" && !s.bad("cors-token") || strings.HasPrefix(r.URL.Path, "/fhir/") && !s.bad("cors-fhir")
	switch {
	case public && !s.bad(defect):
		h.Set("Access-Control-Allow-Origin", "*")
	case !public && registered && forApps, r.URL.Path == "/authorize" && s.bad("cors-authorize"):
		h.Set("Access-Control-Allow-Origin", origin)
	}
	if s.bad("credentials-cors") && public {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method == http.MethodOptions && !s.bad("cors-headers") {
		h.Set("Access-Control-Allow-Headers", "authorization, content-type")
	}
}

func random() string { return rand.Text() + rand.Text() }

func reply(w http.ResponseWriter, status int, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

type object = map[string]any

func with(list []string, more ...string) []string { return append(slices.Clone(list), more...) }

// Live counts the grants of people that have not ended.
func (s *Server) Live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := map[*grant]bool{}
	for text, g := range s.access {
		if g.patient != "" && !g.ended && !g.endedAccess[text] {
			live[g] = true
		}
	}
	for _, g := range s.refresh {
		if !g.ended && g.current != "" {
			live[g] = true
		}
	}
	return len(live)
}

// Secrets are all tokens and codes so far, the passwords and the cookies.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []string{Password, WebSecret}
	for text := range s.codes {
		list = append(list, text)
	}
	for text := range s.access {
		list = append(list, text)
	}
	for text := range s.refresh {
		list = append(list, text)
	}
	for text := range s.sessions {
		list = append(list, text)
	}
	return list
}
