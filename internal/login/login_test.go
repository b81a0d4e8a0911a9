package login_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/login"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// env is the login step of one request; it is its own store and accounts.
type env struct {
	session.HalfStore // nobody here is half signed in
	clock             time.Time
	request           store.AuthorizationRequest
	sessions          map[string]store.Session
	users             map[string]store.User
	counts            map[string]int
	ends              map[string]time.Time
	verified          []string // stored hashes that passwords were compared with
	hashed            map[store.UserID]string
	events            []store.Event
	door              *login.Door
	cookies           map[string]*http.Cookie
}

func (e *env) Request(_ context.Context, handle, browser []byte) (store.AuthorizationRequest, error) {
	if !bytes.Equal(handle, e.request.HandleHash) || !bytes.Equal(browser, e.request.BrowserHash) {
		return store.AuthorizationRequest{}, store.ErrNotFound
	}
	return e.request, nil
}

func (e *env) SaveFacts(_ context.Context, r store.AuthorizationRequest) error {
	r.Version++
	e.request = r
	return nil
}

func (e *env) CreateSession(_ context.Context, s store.Session) error {
	e.sessions[string(s.IDHash)] = s
	return nil
}

func (e *env) ContinueSession(ctx context.Context, s store.Session, old []byte) error {
	delete(e.sessions, string(old))
	return e.CreateSession(ctx, s)
}

func (e *env) Session(_ context.Context, hash []byte) (store.Session, error) {
	s, ok := e.sessions[string(hash)]
	if !ok {
		return s, store.ErrNotFound
	}
	return s, nil
}

func (e *env) TouchSession(context.Context, []byte, time.Time) error { return nil }

func (e *env) EndSession(_ context.Context, hash []byte, _ string) error {
	delete(e.sessions, string(hash))
	return nil
}

func (e *env) UserByName(_ context.Context, key string) (store.User, error) {
	u, ok := e.users[key]
	if !ok {
		return u, store.ErrNotFound
	}
	return u, nil
}

func (e *env) User(ctx context.Context, id store.UserID) (store.User, error) {
	return e.UserByName(ctx, string(id))
}

func (e *env) Factor(context.Context, store.UserID) (store.Factor, error) {
	return store.Factor{}, store.ErrNotFound
}

func (e *env) SetPasswordHash(_ context.Context, id store.UserID, hash string) error {
	e.hashed[id] = hash
	return nil
}

func (e *env) Count(_ context.Context, key string, window time.Duration) (int, time.Time, error) {
	if !e.clock.Before(e.ends[key]) {
		e.counts[key], e.ends[key] = 0, e.clock.Add(window)
	}
	e.counts[key]++
	return e.counts[key], e.ends[key], nil
}

func (e *env) ResetCount(_ context.Context, key string) error {
	delete(e.counts, key)
	return nil
}

func (e *env) Record(_ context.Context, event store.Event) error {
	e.events = append(e.events, event)
	return nil
}

func (e *env) UsernameKey(name string) (string, error) {
	return strings.ToLower(strings.TrimSpace(name)), nil
}

func (e *env) Verify(_ context.Context, password, encoded string) (bool, error) {
	e.verified = append(e.verified, encoded)
	return encoded != "" && encoded == "of "+password, nil
}

func (e *env) HashPassword(_ context.Context, password string) (string, error) {
	return "anew " + password, nil
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{
		clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), sessions: map[string]store.Session{}, counts: map[string]int{},
		ends: map[string]time.Time{}, hashed: map[store.UserID]string{}, cookies: map[string]*http.Cookie{},
		users: map[string]store.User{
			"maria": {ID: "maria", Username: "maria", UsernameKey: "maria", Display: "Maria Lopez", PasswordHash: "of right"},
			"gone":  {ID: "gone", Username: "gone", UsernameKey: "gone", PasswordHash: "of right", Disabled: true},
			"keyed": {ID: "keyed", Username: "keyed", UsernameKey: "keyed"},
		},
	}
	now := func() time.Time { return e.clock }
	log := slog.New(slog.DiscardHandler)
	var errs [5]error
	var sessions *session.Sessions
	var pages *page.Renderer
	var way *flow.Flow
	sessions, errs[0] = session.New(session.Deps{Store: e, Idle: time.Hour, Absolute: time.Hour, Secure: true, Settle: func(context.Context) error { return nil }, Now: now})
	pages, errs[1] = page.New(page.Deps{Organisation: "Riverside Clinic", Secure: true, Now: now, Log: log})
	way, errs[2] = flow.New(flow.Deps{
		Store: e, Sessions: sessions, Pages: pages, Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log,
		Client: func(store.ClientID) (store.Client, bool) {
			return store.Client{ID: "app", Name: "Growth Tracker"}, true
		},
	})
	factors, err := factor.New(factor.Deps{Store: e, Secret: make([]byte, 32), Issuer: "Riverside Clinic", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	counted, err := tries.New(tries.Deps{
		Store: e, UsernameKey: e.UsernameKey, Now: now, Address: func(r *http.Request) string { return r.Header.Get("Test-Address") },
	})
	errs[4] = err
	e.door, errs[3] = login.New(login.Deps{
		Store: e, Accounts: e, Factors: factors, Tries: counted, Flow: way, Sessions: sessions, Path: "/login", SecondPath: "/login/second", EnrolPath: "/enrol", RecoverPath: "/recover", Now: now, Log: log,
		Place: func(handle string) (flow.Place, bool) {
			return flow.Place{Handle: "own", Path: "/own?x=1", MaxAge: 5 * time.Minute}, handle == "own"
		},
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	browser := sessions.Browser(w, httptest.NewRequest(http.MethodGet, "/", nil))
	e.keep(w)
	e.request = store.AuthorizationRequest{
		HandleHash: oauth.Hash("rq"), BrowserHash: browser, Version: 1, ClientID: "app", RedirectURI: "https://app.example.org/cb",
		MaxAge: -1, CreatedAt: e.clock,
	}
	return e
}

func (e *env) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		e.cookies[c.Name] = c
	}
}

func (e *env) serve(h http.HandlerFunc, r *http.Request) *httptest.ResponseRecorder {
	for _, c := range e.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h(w, r)
	e.keep(w)
	return w
}

var ticketInput = regexp.MustCompile(`name="ticket"[^>]*value="([^"]*)"`)

func (e *env) post(t *testing.T, address string, pairs ...string) *httptest.ResponseRecorder {
	t.Helper()
	shown := e.serve(e.door.Show, httptest.NewRequest(http.MethodGet, "/login?request=rq", nil))
	found := ticketInput.FindStringSubmatch(shown.Body.String())
	if found == nil {
		t.Fatalf("the page: %d %s", shown.Code, shown.Body)
	}
	form := url.Values{"request": {"rq"}, "ticket": {found[1]}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/login", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Test-Address", address)
	return e.serve(e.door.Post, r)
}

func (e *env) signIn(t *testing.T, address, username, password string) *httptest.ResponseRecorder {
	t.Helper()
	return e.post(t, address, "action", "sign-in", "username", username, "password", password)
}

// Every failure has one text and costs one comparison.
//
// spec: LOGIN-10, LOGIN-26
// attack: LG-01, LG-07
func TestFailuresAreAlike(t *testing.T) {
	var first string
	for _, row := range []struct{ name, username, password string }{
		{"LG-01 wrong password", "maria", "wrong"},
		{"LG-01 nobody", "nadia", "wrong"},
		{"LG-01 disabled, right password", "gone", "right"},
		{"LG-01 without a password", "keyed", ""},
		{"LG-07 the text of an empty hash", "keyed", "undefined"},
		{"LG-07 far too long", "maria", "right" + strings.Repeat("x", 100000)},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			w := e.signIn(t, "a", row.username, row.password)
			body := strings.ReplaceAll(ticketInput.ReplaceAllString(w.Body.String(), ""), row.username, "*")
			if first == "" {
				first = body
			}
			if w.Code != http.StatusOK || body != first {
				t.Errorf("status %d, or another page", w.Code)
			}
			if len(e.verified) != 1 || len(e.sessions) != 0 || e.request.UserID != "" {
				t.Errorf("%d comparisons, %d sessions", len(e.verified), len(e.sessions))
			}
			if len(e.events) != 1 || e.events[0].Kind != "login.failed" {
				t.Errorf("events %+v", e.events)
			}
		})
	}
}

// Tries are counted before anything is compared; waiting is enough, and nobody
// is locked out.
//
// spec: LOGIN-11
// attack: LG-03
func TestTriesAreCounted(t *testing.T) {
	t.Run("LG-03 one account, spelled in many ways, from everywhere", func(t *testing.T) {
		e := newEnv(t)
		names := []string{"maria", "MARIA", " maria", "Maria "}
		for i := range 30 {
			e.signIn(t, strings.Repeat("a", i+1), names[i%len(names)], "wrong")
		}
		if n := len(e.verified); n == 0 || n > 10 {
			t.Errorf("%d passwords were compared", n)
		}
		if w := e.signIn(t, "z", "maria", "right"); w.Code != http.StatusTooManyRequests {
			t.Errorf("status %d", w.Code)
		}
		e.clock = e.clock.Add(time.Minute)
		if w := e.signIn(t, "z", "maria", "right"); w.Code != http.StatusSeeOther || e.request.UserID != "maria" {
			t.Errorf("after a minute: %d", w.Code)
		}
	})
	t.Run("LOGIN-11 one address, many accounts", func(t *testing.T) {
		e := newEnv(t)
		for i := range 100 {
			e.signIn(t, "a", strings.Repeat("n", i+1), "wrong")
		}
		if n := len(e.verified); n > 60 {
			t.Errorf("%d passwords were compared", n)
		}
		if w := e.signIn(t, "b", "maria", "right"); w.Code != http.StatusSeeOther {
			t.Errorf("another address: %d", w.Code)
		}
	})
}

// What a login writes, and that an old hash is made anew.
//
// spec: LOGIN-12, LOGIN-14, LOGIN-24, LOGIN-26
func TestSigningIn(t *testing.T) {
	e := newEnv(t)
	e.request.Patient, e.request.Approved, e.request.ApprovedSet = "leo", []string{"patient/*.rs"}, true // of somebody else
	if w := e.signIn(t, "a", "Maria", "right"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != flow.ContinuePath+"?request=rq" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Location"))
	}
	q := e.request
	if q.UserID != "maria" || !q.AuthTime.Equal(e.clock) || strings.Join(q.AMR, " ") != "pwd" || e.sessions[string(q.SessionHash)].UserID != "maria" {
		t.Errorf("facts %+v", q)
	}
	if q.Patient != "" || q.ApprovedSet || len(q.Approved) != 0 {
		t.Error("the choices of somebody else stand")
	}
	if e.hashed["maria"] != "anew right" {
		t.Errorf("hash %q", e.hashed["maria"])
	}
}

// A session goes on only as far as the app accepts it.
//
// spec: AUTHZ-39, AUTHZ-42, CONS-10
func TestGoingOnAsTheSamePerson(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*store.AuthorizationRequest)
		action string
		want   string // who goes on, or the refusal
	}{
		{"LOGIN-18 the session is enough", func(*store.AuthorizationRequest) {}, "continue", "maria"},
		{"AUTHZ-39 prompt=login", func(q *store.AuthorizationRequest) { q.Prompt = []string{"login"} }, "continue", ""},
		{"AUTHZ-42 too old", func(q *store.AuthorizationRequest) { q.MaxAge, q.CreatedAt = 60, q.CreatedAt.Add(2*time.Minute) }, "continue", ""},
		{"CONS-10 cancel", func(*store.AuthorizationRequest) {}, "cancel", "access_denied"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			e.signIn(t, "a", "maria", "right")
			e.request.UserID = ""
			row.change(&e.request)
			e.post(t, "a", "action", row.action)
			if got := string(e.request.UserID) + e.request.Refused; got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
