package sampleapp_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/sampleapp"
)

func TestNewRefusesMissingParts(t *testing.T) {
	whole := sampleapp.Deps{
		Issuer: "https://as.example.org", FHIRBase: "https://as.example.org/fhir", ClientID: "a", BaseURL: "https://app.example.org",
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	if _, err := sampleapp.New(whole); err != nil {
		t.Fatal(err)
	}
	for name, without := range map[string]func(*sampleapp.Deps){
		"issuer": func(d *sampleapp.Deps) { d.Issuer = "" }, "FHIR base": func(d *sampleapp.Deps) { d.FHIRBase = "" },
		"client": func(d *sampleapp.Deps) { d.ClientID = "" }, "own origin": func(d *sampleapp.Deps) { d.BaseURL = "" },
		"clock": func(d *sampleapp.Deps) { d.Now = nil }, "log": func(d *sampleapp.Deps) { d.Log = nil },
	} {
		d := whole
		without(&d)
		if _, err := sampleapp.New(d); err == nil {
			t.Errorf("without %s: accepted", name)
		}
	}
}

// The app asks as SMART App Launch 2.2 says: PKCE with S256, state, nonce, aud.
func TestConnectAsksWithEverythingThatIsRequired(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	asked := b.connect()
	want := map[string]string{
		"response_type": "code", "client_id": clientID, "redirect_uri": b.app + "/callback", "aud": s.URL + "/fhir",
		"scope": "launch/patient patient/*.rs openid fhirUser offline_access", "code_challenge_method": "S256",
	}
	for name, value := range want {
		if asked.Get(name) != value {
			t.Errorf("%s = %q, want %q", name, asked.Get(name), value)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(asked.Get(name)) < 22 {
			t.Errorf("%s = %q", name, asked.Get(name))
		}
	}
	if again := b.connect(); again.Get("state") == asked.Get("state") || again.Get("nonce") == asked.Get("nonce") || again.Get("code_challenge") == asked.Get("code_challenge") {
		t.Error("a second request repeats values of the first")
	}
}

func TestTheCodeIsExchangedWithTheVerifierOfTheChallenge(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	b.connected()
	form := s.tokens[0]
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if got := base64.RawURLEncoding.EncodeToString(sum[:]); got != s.asked.Get("code_challenge") {
		t.Errorf("the verifier %q is not that of the challenge", form.Get("code_verifier"))
	}
	if form.Get("code") != "c1" || form.Get("redirect_uri") != b.app+"/callback" {
		t.Errorf("exchanged %v", form)
	}
	if p := b.do(http.MethodGet, "/record"); p.status != http.StatusOK {
		t.Errorf("record: %d %s", p.status, p.location)
	}
	if diff := cmp.Diff([]string{"Bearer access-1"}, keys(s.bearers)); diff != "" {
		t.Errorf("bearers: %s", diff)
	}
}

func keys(m map[string]int) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	return list
}

// Answers that do not belong to a request of this browser connect nobody.
func TestCallbackRefusesForeignAnswers(t *testing.T) {
	s := newServer(t)
	for name, c := range map[string]struct {
		state func(string) string
		iss   string
	}{
		"no state":      {func(string) string { return "" }, s.URL},
		"other state":   {func(string) string { return "made-up" }, s.URL},
		"longer state":  {func(s string) string { return s + "x" }, s.URL},
		"no iss":        {func(s string) string { return s }, ""},
		"other iss":     {func(s string) string { return s }, "https://evil.example.org"},
		"iss and slash": {func(s string) string { return s }, s.URL + "/"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, s)
			asked := b.connect()
			p := b.answer("code", "c1", "state", c.state(asked.Get("state")), "iss", c.iss)
			if p.status != http.StatusBadRequest || len(s.tokens) != 0 {
				t.Errorf("%d, %d exchanges", p.status, len(s.tokens))
			}
			if p := b.do(http.MethodGet, "/record"); p.location != "/" {
				t.Errorf("connected: %d %s", p.status, p.location)
			}
		})
	}
}

func TestAnAnswerCountsOnceAndInItsOwnBrowserOnly(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	b.connected()
	again := b.answer("code", "c2", "state", s.asked.Get("state"), "iss", s.URL)
	if again.status != http.StatusBadRequest || len(s.tokens) != 1 {
		t.Errorf("the second answer: %d, %d exchanges", again.status, len(s.tokens))
	}
	asked := b.connect()
	b.http.Jar = nil
	if p := b.answer("code", "c3", "state", asked.Get("state"), "iss", s.URL); p.status != http.StatusBadRequest || len(s.tokens) != 1 {
		t.Errorf("another browser: %d, %d exchanges", p.status, len(s.tokens))
	}
}

// Nobody is connected by an ID token that is not of this server, app and request.
func TestABadIDTokenConnectsNobody(t *testing.T) {
	claim := func(name string, value any) func(*server) {
		return func(s *server) { s.idToken = func(_ jwt.Claims, c map[string]any) { c[name] = value } }
	}
	for name, spoil := range map[string]func(*server){
		"other nonce":      claim("nonce", "of another request"),
		"no nonce":         claim("nonce", ""),
		"other audience":   claim("aud", "another-app"),
		"other issuer":     claim("iss", "https://evil.example.org"),
		"expired":          claim("exp", time.Now().Add(-time.Hour).Unix()),
		"other token hash": claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"other key": func(s *server) {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			s.key = key
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			spoil(s)
			b := open(t, s)
			asked := b.connect()
			if p := b.answer("code", "c1", "state", asked.Get("state"), "iss", s.URL); p.status != http.StatusBadGateway {
				t.Errorf("callback: %d %s", p.status, p.location)
			}
			if p := b.do(http.MethodGet, "/record"); p.status != http.StatusSeeOther || p.location != "/" {
				t.Errorf("the record is shown all the same: %d %s", p.status, p.location)
			}
		})
	}
}

func TestRefusalsAreToldInWordsOfPeople(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	asked := b.connect()
	p := b.answer("error", "access_denied", "state", asked.Get("state"), "iss", s.URL)
	if !strings.Contains(p.body, "You decided not to share") || len(s.tokens) != 0 {
		t.Errorf("denied: %d %s", p.status, p.body)
	}
	asked = b.connect()
	p = b.answer("error", "<script>alert(1)</script>", "state", asked.Get("state"), "iss", s.URL)
	if strings.Contains(p.body, "<script>") || !strings.Contains(p.body, "&lt;script&gt;") {
		t.Errorf("hostile error: %s", p.body)
	}
}

func TestRefreshReadsWithTheNewToken(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	b.connected()
	if p := b.do(http.MethodPost, "/refresh"); p.location != "/record" {
		t.Fatalf("refresh: %d %s", p.status, p.body)
	}
	if last := s.tokens[len(s.tokens)-1]; last.Get("grant_type") != "refresh_token" || last.Get("refresh_token") != "refresh-1" {
		t.Errorf("refreshed with %v", last)
	}
	b.do(http.MethodGet, "/record")
	if s.bearers["Bearer access-2"] == 0 || s.bearers["Bearer access-1"] != 0 {
		t.Errorf("bearers: %v", s.bearers)
	}
}

func TestARefusedRefreshDisconnects(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	b.connected()
	s.set(func() { s.refusing = true })
	if p := b.do(http.MethodPost, "/refresh"); !strings.Contains(p.body, "connect again") {
		t.Errorf("refresh: %d %s", p.status, p.body)
	}
	if p := b.do(http.MethodGet, "/record"); p.location != "/" {
		t.Errorf("still connected: %d", p.status)
	}
}

func TestDisconnectGivesTheTokenBackAndForgets(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	b.connected()
	if p := b.do(http.MethodPost, "/disconnect"); p.location != "/" {
		t.Errorf("disconnect: %d %s", p.status, p.location)
	}
	if diff := cmp.Diff([]string{"refresh-1"}, s.revoked); diff != "" {
		t.Errorf("given back: %s", diff)
	}
	if p := b.do(http.MethodGet, "/record"); p.location != "/" {
		t.Errorf("still connected: %d", p.status)
	}
}

func TestOtherSitesCannotPressTheButtons(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	b.connected()
	for _, path := range []string{"/connect", "/refresh", "/disconnect"} {
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example.org"}} {
			if p := b.do(http.MethodPost, path, header...); p.status != http.StatusForbidden {
				t.Errorf("%s with %v: %d", path, header, p.status)
			}
		}
		if p := b.do(http.MethodGet, path); p.status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, p.status)
		}
	}
	if len(s.revoked) > 0 {
		t.Error("another site disconnected the record")
	}
}

func TestEveryPageIsLockedDown(t *testing.T) {
	b := open(t, newServer(t))
	b.connected()
	for _, path := range []string{"/record", "/callback", "/style.css", "/nothing"} {
		h := b.do(http.MethodGet, path).header
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: %s", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, h)
		}
	}
	p := open(t, newServer(t)).do(http.MethodGet, "/")
	if c := p.header.Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
		t.Errorf("cookie %q", c)
	}
}
