package sampleapp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// withSession: ID tokens name a session.
func withSession(sid string) func(jwt.Claims, map[string]any) {
	return func(_ jwt.Claims, c map[string]any) { c["sid"] = sid }
}

// logoutToken is what the server posts; change spoils it.
func (s *server) logoutToken(sid string, change func(claims map[string]any)) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.idToken
	defer func() { s.idToken = before }()
	s.idToken = func(_ jwt.Claims, c map[string]any) {
		delete(c, "nonce")
		delete(c, "at_hash")
		c["sid"], c["jti"], c["events"] = sid, "j1", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
		if change != nil {
			change(c)
		}
	}
	return s.sign("")
}

// Signing out forgets what is open here, and goes on to the server with the ID token.
func TestSigningOutGoesToTheServer(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	b.connected()
	if p := b.do(http.MethodGet, "/record"); !strings.Contains(p.body, `action="/sign-out"`) {
		t.Error("there is no button")
	}
	p := b.post("/sign-out", url.Values{"chart": {""}})
	to, err := url.Parse(p.location)
	if err != nil || p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, s.URL+"/end?") || to.Query().Get("keep") != "1" || to.Query().Get("post_logout_redirect_uri") != b.app+"/signed-out" ||
		strings.Count(to.Query().Get("id_token_hint"), ".") != 2 {
		t.Errorf("%d to %s", p.status, p.location)
	}
	if p := b.do(http.MethodGet, "/record"); p.location != "/" {
		t.Errorf("still connected: %d", p.status)
	}
	if p := b.do(http.MethodGet, "/signed-out"); p.status != http.StatusOK || !strings.Contains(p.body, "Signed out") {
		t.Errorf("afterwards: %d %s", p.status, p.body)
	}
	if p := b.post("/sign-out", url.Values{}); p.location != "/" {
		t.Errorf("again: %d to %s", p.status, p.location)
	}
	if p := b.do(http.MethodPost, "/sign-out", "Sec-Fetch-Site", "cross-site"); p.status != http.StatusForbidden {
		t.Errorf("by another site: %d", p.status)
	}
}

// Without an ID token there is nothing to sign out of.
func TestWithoutIdentityNobodySignsOut(t *testing.T) {
	s := newServer(t)
	s.noIDToken = true
	b := open(t, s)
	b.connected()
	if p := b.do(http.MethodGet, "/record"); strings.Contains(p.body, "/sign-out") {
		t.Error("there is a button")
	}
}

// A logout token closes what was opened in its session, and nothing else does.
func TestALogoutTokenClosesItsSession(t *testing.T) {
	s := newServer(t)
	s.idToken = withSession("s1")
	b := open(t, s)
	b.connected()
	connected := func() bool { return b.do(http.MethodGet, "/record").status == http.StatusOK }
	for name, token := range map[string]string{
		"nothing": "", "no token": "x.y.z", "an ID token": s.sign("access-1"),
		"a nonce":        s.logoutToken("s1", func(c map[string]any) { c["nonce"] = "n" }),
		"no event":       s.logoutToken("s1", func(c map[string]any) { delete(c, "events") }),
		"another app":    s.logoutToken("s1", func(c map[string]any) { c["aud"] = "another" }),
		"another issuer": s.logoutToken("s1", func(c map[string]any) { c["iss"] = "https://evil.example.org" }),
		"expired":        s.logoutToken("s1", func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }),
		"no session":     s.logoutToken("s1", func(c map[string]any) { delete(c, "sid") }),
		"signed by nobody": func() string {
			parts := strings.Split(s.logoutToken("s1", nil), ".")
			return parts[0] + "." + parts[1] + "."
		}(),
	} {
		if p := b.post("/backchannel-logout", url.Values{"logout_token": {token}}); p.status != http.StatusBadRequest || !connected() {
			t.Errorf("%s: %d", name, p.status)
		}
	}
	if p := b.post("/backchannel-logout", url.Values{"logout_token": {s.logoutToken("s2", nil)}}); p.status != http.StatusOK || !connected() {
		t.Errorf("another session: %d", p.status)
	}
	if p := b.post("/backchannel-logout", url.Values{"logout_token": {s.logoutToken("s1", nil)}}); p.status != http.StatusOK || p.header.Get("Cache-Control") != "no-store" || connected() {
		t.Errorf("its session: %d", p.status)
	}
	if p := b.do(http.MethodGet, "/backchannel-logout"); p.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", p.status)
	}
}
