package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// memory keeps sessions as the store contract says.
type memory struct {
	now     func() time.Time
	live    map[string]store.Session
	half    map[string]store.HalfSession
	spent   []store.FactorUse
	user    store.User // as it is when a session is read
	touched int
}

func (m *memory) CreateSession(_ context.Context, s store.Session) error {
	m.live[string(s.IDHash)] = s
	return nil
}

func (m *memory) ContinueSession(ctx context.Context, s store.Session, old []byte) error {
	delete(m.live, string(old))
	return m.CreateSession(ctx, s)
}

func (m *memory) Session(_ context.Context, hash []byte) (store.Session, error) {
	s, ok := m.live[string(hash)]
	if !ok || !m.now().Before(s.IdleUntil) || !m.now().Before(s.ExpiresAt) {
		return store.Session{}, store.ErrNotFound
	}
	s.Role, s.FactorAt = m.user.Role, m.user.FactorAt
	return s, nil
}

func (m *memory) CreateHalfSession(_ context.Context, h store.HalfSession) error {
	m.half[string(h.IDHash)] = h
	return nil
}

func (m *memory) HalfSession(_ context.Context, hash []byte) (store.HalfSession, error) {
	h, ok := m.half[string(hash)]
	if !ok || !m.now().Before(h.ExpiresAt) {
		return store.HalfSession{}, store.ErrNotFound
	}
	return h, nil
}

func (m *memory) EndHalfSession(_ context.Context, hash []byte) error {
	delete(m.half, string(hash))
	return nil
}

func (m *memory) CompleteSession(ctx context.Context, c store.Completion) error {
	if _, err := m.HalfSession(ctx, c.Half); err != nil {
		return err
	}
	delete(m.half, string(c.Half))
	m.spent = append(m.spent, c.Use)
	return m.ContinueSession(ctx, c.Session, c.Old)
}

func (m *memory) TouchSession(_ context.Context, hash []byte, until time.Time) error {
	s := m.live[string(hash)]
	s.IdleUntil, s.LastSeenAt = until, m.now()
	m.live[string(hash)] = s
	m.touched++
	return nil
}

func (m *memory) EndSession(_ context.Context, hash []byte, _ string) error {
	delete(m.live, string(hash))
	return nil
}

type env struct {
	*session.Sessions
	store *memory
	clock time.Time
}

func newEnv(t *testing.T, secure bool) *env {
	t.Helper()
	e := &env{clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return e.clock }
	e.store = &memory{now: now, live: map[string]store.Session{}, half: map[string]store.HalfSession{}}
	s, err := session.New(session.Deps{Store: e.store, Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Secure: secure, Settle: func(context.Context) error { return nil }, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	e.Sessions = s
	return e
}

func request(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

// start signs somebody in and returns the cookie.
func (e *env) start(t *testing.T, r *http.Request, user store.UserID) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if _, _, err := e.Start(w, r, store.User{ID: user}, []string{"pwd"}); err != nil {
		t.Fatal(err)
	}
	return w.Result().Cookies()[0]
}

// user is who a request belongs to; empty for nobody.
func (e *env) user(t *testing.T, r *http.Request) store.UserID {
	t.Helper()
	who, live, err := e.Current(r)
	if err != nil {
		t.Fatal(err)
	}
	if live != (who.UserID() != "") {
		t.Fatalf("live %v for %q", live, who.UserID())
	}
	return who.UserID()
}

// spec: LOGIN-15
// attack: LG-10
func TestCookieAttributes(t *testing.T) {
	for _, row := range []struct {
		name   string
		secure bool
		prefix string
	}{
		{"LOGIN-15 over https", true, "__Host-"},
		{"LOGIN-15 sandbox on this machine", false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t, row.secure)
			w := httptest.NewRecorder()
			e.Browser(w, request())
			for _, c := range append(w.Result().Cookies(), e.start(t, request(), "anna")) {
				if !strings.HasPrefix(c.Name, row.prefix+"emberlatch_") || c.Secure != row.secure || !c.HttpOnly ||
					c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 43 {
					t.Errorf("cookie %s", c)
				}
			}
		})
	}
}

// The store knows hashes only; a stolen table opens no session.
//
// spec: LOGIN-14
func TestOnlyTheHashIsKept(t *testing.T) {
	e := newEnv(t, true)
	c := e.start(t, request(), "anna")
	if _, ok := e.store.live[c.Value]; ok {
		t.Error("the cookie value is a key of the store")
	}
	if _, ok := e.store.live[string(oauth.Hash(c.Value))]; !ok {
		t.Error("the hash of the cookie value is not a key of the store")
	}
}

// spec: LOGIN-14
// attack: LG-08
func TestLoginRenewsTheSession(t *testing.T) {
	e := newEnv(t, true)
	planted := &http.Cookie{Name: "__Host-emberlatch_session", Value: "se_" + strings.Repeat("A", 43)}
	first := e.start(t, request(planted), "anna")
	if first.Value == planted.Value || e.user(t, request(planted)) != "" {
		t.Error("a session id from before the login was kept")
	}
	second := e.start(t, request(first), "anna")
	if second.Value == first.Value {
		t.Error("a second login kept the session id")
	}
	if e.user(t, request(first)) != "" {
		t.Error("the session before the second login is alive, and no cookie of the browser can end it")
	}
	third := e.start(t, request(second), "chen")
	if e.user(t, request(second)) != "" {
		t.Error("somebody else signed in and the session before is alive")
	}
	if got := e.user(t, request(third)); got != "chen" {
		t.Errorf("signed in as %q", got)
	}
}

// spec: LOGIN-18
// attack: LG-12
func TestSessionsEnd(t *testing.T) {
	for _, row := range []struct {
		name  string
		idle  time.Duration // between requests
		count int
		want  store.UserID
	}{
		{"LOGIN-18 in use", 20 * time.Minute, 30, "anna"},
		{"LOGIN-18 idle", 30 * time.Minute, 1, ""},
		{"LOGIN-18 in use past the absolute end", 20 * time.Minute, 36, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t, true)
			c := e.start(t, request(), "anna")
			var got store.UserID
			for range row.count {
				e.clock = e.clock.Add(row.idle)
				got = e.user(t, request(c))
			}
			if got != row.want {
				t.Errorf("user %q, want %q", got, row.want)
			}
		})
	}
	t.Run("LG-12 replay after sign-out", func(t *testing.T) {
		e := newEnv(t, true)
		c := e.start(t, request(), "anna")
		w := httptest.NewRecorder()
		if err := e.End(w, request(c), "signed out"); err != nil {
			t.Fatal(err)
		}
		if gone := w.Result().Cookies()[0]; gone.Name != c.Name || gone.MaxAge >= 0 {
			t.Errorf("the cookie stays: %s", gone)
		}
		if got := e.user(t, request(c)); got != "" {
			t.Errorf("the old cookie is %q", got)
		}
	})
}

// A session in use is not written at every request.
//
// spec: LOGIN-18
func TestTheIdleClockIsWrittenOnceAMinute(t *testing.T) {
	e := newEnv(t, true)
	c := e.start(t, request(), "anna")
	for range 30 {
		e.clock = e.clock.Add(5 * time.Second)
		e.user(t, request(c))
	}
	if e.store.touched != 2 {
		t.Errorf("written %d times in 150 seconds", e.store.touched)
	}
}

// Cookies that we never set name no session and no browser.
//
// attack: LG-10, AZ-37
func TestForeignCookies(t *testing.T) {
	e := newEnv(t, true)
	anna := e.start(t, request(), "anna")
	session := func(value string) *http.Cookie {
		return &http.Cookie{Name: "__Host-emberlatch_session", Value: value}
	}
	for _, row := range []struct {
		name    string
		cookies []*http.Cookie
	}{
		{"LG-10 without the prefix", []*http.Cookie{{Name: "emberlatch_session", Value: anna.Value}}},
		{"LG-10 two of our name", []*http.Cookie{session(anna.Value), session("se_" + strings.Repeat("B", 43))}},
		{"LG-10 two of our name, ours last", []*http.Cookie{session("se_" + strings.Repeat("B", 43)), session(anna.Value)}},
		{"AZ-37 one character changed", []*http.Cookie{session(anna.Value[:len(anna.Value)-1] + "~")}},
		{"AZ-37 truncated", []*http.Cookie{session(anna.Value[:20])}},
		{"empty", []*http.Cookie{session("")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := e.user(t, request(row.cookies...)); got != "" {
				t.Errorf("signed in as %q", got)
			}
		})
	}
	if e.KnownBrowser(request(&http.Cookie{Name: "__Host-emberlatch_browser", Value: "mine"})) != nil {
		t.Error("a made-up browser name is known")
	}
}

// A browser keeps its name; the same name is the same hash.
//
// spec: AUTHZ-29
func TestABrowserKeepsItsName(t *testing.T) {
	e := newEnv(t, true)
	w := httptest.NewRecorder()
	first := e.Browser(w, request())
	c := w.Result().Cookies()[0]
	again := httptest.NewRecorder()
	if got := e.Browser(again, request(c)); string(got) != string(first) || len(again.Result().Cookies()) != 0 {
		t.Error("the browser got another name")
	}
	if string(e.Browser(httptest.NewRecorder(), request())) == string(first) {
		t.Error("two browsers have one name")
	}
}

func TestMissingPartsAreRefused(t *testing.T) {
	if _, err := session.New(session.Deps{}); err == nil {
		t.Error("sessions without a store")
	}
}
