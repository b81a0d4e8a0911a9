package logout_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/logout"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// env is a browser at the endpoint, where Maria is signed in; it is its own store.
type env struct {
	session.HalfStore // nobody here is half signed in
	t                 *testing.T
	sessions          map[string]store.Session
	ended             []string
	failure           error
	events            []store.Event
	clients           map[store.ClientID]store.Client
	door              *logout.Door
	cookies           map[string]*http.Cookie
	login             *session.Sessions
}

func (e *env) Request(context.Context, []byte, []byte) (store.AuthorizationRequest, error) {
	return store.AuthorizationRequest{}, store.ErrNotFound
}

func (e *env) SaveFacts(context.Context, store.AuthorizationRequest) error { return store.ErrConflict }

func (e *env) CreateSession(_ context.Context, s store.Session) error {
	e.sessions[string(s.IDHash)] = s
	return nil
}

func (e *env) ContinueSession(ctx context.Context, s store.Session, _ []byte) error {
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

func (e *env) EndSession(_ context.Context, hash []byte, reason string) error {
	if e.failure != nil {
		return e.failure
	}
	delete(e.sessions, string(hash))
	e.ended = append(e.ended, reason)
	return nil
}

func (e *env) User(_ context.Context, id store.UserID) (store.User, error) {
	return store.User{ID: id, Display: map[store.UserID]string{"maria": "Maria Lopez", "leo": "Leo Lopez"}[id]}, nil
}

func (e *env) Record(_ context.Context, event store.Event) error {
	e.events = append(e.events, event)
	return nil
}

// hint knows three ID tokens.
func hint(text string) (tokens.Hint, bool) {
	h, ok := map[string]tokens.Hint{
		"maria.app": {UserID: "maria", ClientID: "app"}, "leo.app": {UserID: "leo", ClientID: "app"},
		"maria.gone": {UserID: "maria", ClientID: "gone"},
	}[text]
	return h, ok
}

const back = "https://app.example.org/bye?x=1"

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, sessions: map[string]store.Session{}, cookies: map[string]*http.Cookie{}, clients: map[store.ClientID]store.Client{
		"app":   {ID: "app", Name: "Growth Tracker", Trusted: true, RedirectURIs: []string{"https://app.example.org/cb"}, PostLogoutRedirectURIs: []string{back, "org.example.app:/bye"}},
		"other": {ID: "other", Name: "Other", PostLogoutRedirectURIs: []string{"https://other.example.org/"}},
		"off":   {ID: "off", Disabled: true, PostLogoutRedirectURIs: []string{back}},
	}}
	log, now := slog.New(slog.DiscardHandler), time.Now
	var errs [5]error
	var sessions *session.Sessions
	var pages *page.Renderer
	var way *flow.Flow
	sessions, errs[0] = session.New(session.Deps{Store: e, Idle: time.Hour, Absolute: time.Hour, Secure: true, Settle: func(context.Context) error { return nil }, Now: now})
	pages, errs[1] = page.New(page.Deps{Organisation: "Riverside Clinic", Secure: true, Now: now, Log: log})
	client := func(id store.ClientID) (store.Client, bool) { c, ok := e.clients[id]; return c, ok }
	way, errs[2] = flow.New(flow.Deps{Store: e, Sessions: sessions, Pages: pages, Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log, Client: client})
	e.door, errs[3] = logout.New(logout.Deps{
		Store: e, Flow: way, Sessions: sessions, Client: client, Hint: hint, Path: "/logout", Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log,
	})
	w := httptest.NewRecorder()
	_, _, errs[4] = sessions.Start(w, httptest.NewRequest(http.MethodGet, "/", nil), store.User{ID: "maria"}, nil)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	e.keep(w)
	e.login = sessions
	return e
}

func (e *env) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		e.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(e.cookies, c.Name)
		}
	}
}

func (e *env) serve(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range e.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	e.door.ServeHTTP(w, r)
	e.keep(w)
	return w
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func (e *env) get(pairs ...string) *httptest.ResponseRecorder {
	return e.serve(httptest.NewRequest(http.MethodGet, "https://auth.example.org/logout?"+values(pairs...).Encode(), nil))
}

// post sends a form from a site, as browsers tell it.
func (e *env) post(site string, v url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/logout", strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", site)
	return e.serve(r)
}

var hidden = regexp.MustCompile(`name="(request|ticket)" value="([^"]*)"`)

// asked are the hidden inputs of the question; nil when it was not asked.
func asked(w *httptest.ResponseRecorder) url.Values {
	if !strings.Contains(w.Body.String(), `value="sign-out"`) {
		return nil
	}
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(w.Body.String(), -1) {
		v.Set(m[1], m[2])
	}
	return v
}

// What an app asks for, and what comes of it.
//
// spec: LOGOUT-01, LOGOUT-02, LOGOUT-03, LOGOUT-04, LOGOUT-05, LOGOUT-06, LOGOUT-09
func TestWhatComesOfARequest(t *testing.T) {
	const uri = "post_logout_redirect_uri"
	for _, row := range []struct {
		name  string
		pairs []string
		want  string // "ended", "asked", an error's slug, or "to URL"
	}{
		{"LOGOUT-02 the person's own hint", []string{"id_token_hint", "maria.app"}, "ended"},
		{"LOGOUT-06 with return and state", []string{"id_token_hint", "maria.app", uri, back, "state", "a b&ü"}, "to " + back + "&state=a+b%26%C3%BC"},
		{"without state", []string{"id_token_hint", "maria.app", uri, back}, "to " + back},
		{"a private scheme", []string{"id_token_hint", "maria.app", uri, "org.example.app:/bye", "state", "s"}, "to org.example.app:/bye?state=s"},
		{"client_id agrees", []string{"id_token_hint", "maria.app", "client_id", "app", uri, back}, "to " + back},
		{"LOGOUT-09", []string{"id_token_hint", "maria.app", "ui_locales", "xx es", "logout_hint", "maria", "foo", "bar"}, "ended"},
		{"a hint of a client that is gone", []string{"id_token_hint", "maria.gone"}, "ended"},
		{"LOGOUT-03 no hint", nil, "asked"},
		{"LOGOUT-03 no hint, with return", []string{"client_id", "app", uri, back}, "asked"},
		{"LOGOUT-03 another person", []string{"id_token_hint", "leo.app", uri, back}, "asked"},
		{"LOGOUT-02 forged", []string{"id_token_hint", "maria.app.x", "client_id", "app", uri, back}, "asked"},
		{"LOGOUT-02 forged, no client", []string{"id_token_hint", "forged", uri, back}, "logout.client_missing"},
		{"LOGOUT-04 return without client", []string{uri, back}, "logout.client_missing"},
		{"LOGOUT-04 not registered", []string{"id_token_hint", "maria.app", uri, "https://evil.example.org/"}, "logout.redirect_not_registered"},
		{"LOGOUT-04 of another client", []string{"id_token_hint", "maria.app", uri, "https://other.example.org/"}, "logout.redirect_not_registered"},
		{"LOGOUT-04 a redirect URI", []string{"id_token_hint", "maria.app", uri, "https://app.example.org/cb"}, "logout.redirect_not_registered"},
		{"LOGOUT-04 a prefix", []string{"id_token_hint", "maria.app", uri, back[:len(back)-1]}, "logout.redirect_not_registered"},
		{"LOGOUT-04 longer", []string{"id_token_hint", "maria.app", uri, back + "1"}, "logout.redirect_not_registered"},
		{"LOGOUT-04 other case", []string{"id_token_hint", "maria.app", uri, "https://APP.example.org/bye?x=1"}, "logout.redirect_not_registered"},
		{"LOGOUT-05", []string{"id_token_hint", "maria.app", "client_id", "other"}, "logout.client_mismatch"},
		{"unknown client", []string{"client_id", "nobody"}, "logout.client_unknown"},
		{"disabled client", []string{"client_id", "off", uri, back}, "logout.client_unknown"},
		{"return to a client that is gone", []string{"id_token_hint", "maria.gone", uri, back}, "logout.client_missing"},
		{"long state", []string{"id_token_hint", "maria.app", uri, back, "state", strings.Repeat("s", 2049)}, "logout.state"},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(row.name+" "+method, func(t *testing.T) {
				e := newEnv(t)
				var w *httptest.ResponseRecorder
				if method == "GET" {
					w = e.get(row.pairs...)
				} else {
					w = e.post("cross-site", values(row.pairs...))
				}
				location, isTo := strings.CutPrefix(row.want, "to ")
				if w.Header().Get("Location") != map[bool]string{true: location}[isTo] {
					t.Errorf("sent to %q", w.Header().Get("Location"))
				}
				ends := isTo || row.want == "ended"
				if (len(e.sessions) == 0) != ends || (len(e.ended) == 1) != ends || (len(e.events) == 1) != ends {
					t.Errorf("%d sessions left, %v, %v", len(e.sessions), e.ended, e.events)
				}
				if (asked(w) != nil) != (row.want == "asked") {
					t.Errorf("asked: %s", w.Body)
				}
				status := map[bool]int{true: 303, false: 200}[isTo]
				if strings.HasPrefix(row.want, "logout.") {
					status = 400
					if !strings.Contains(w.Body.String(), row.want) || !strings.Contains(w.Body.String(), `href="/logout"`) {
						t.Errorf("the page does not say %s, or shows no way out: %s", row.want, w.Body)
					}
				}
				if w.Code != status {
					t.Errorf("%d: %s", w.Code, w.Body)
				}
				if w.Header().Get("X-Frame-Options") != "DENY" || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("headers %v", w.Header())
				}
			})
		}
	}
}

// The answer to the question counts only from the page that was shown here, in this
// browser, and cannot be bent.
//
// spec: LOGOUT-03, LOGOUT-04, LOGOUT-06, LOGOUT-08
func TestTheAnswerToTheQuestion(t *testing.T) {
	ask := func(t *testing.T) (*env, url.Values, *httptest.ResponseRecorder) {
		e := newEnv(t)
		w := e.get("id_token_hint", "leo.app", "post_logout_redirect_uri", back, "state", "s-1")
		form := asked(w)
		if form == nil || len(form) != 2 || !strings.Contains(w.Body.String(), "Maria Lopez") || !strings.Contains(w.Body.String(), "Growth Tracker") {
			t.Fatalf("the page: %d %s", w.Code, w.Body)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https:") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("policy %q", policy)
		}
		return e, form, w
	}
	t.Run("sign out, twice", func(t *testing.T) {
		e, form, _ := ask(t)
		form.Set("action", "sign-out")
		for range 2 {
			if w := e.post("same-origin", form); w.Code != 303 || w.Header().Get("Location") != back+"&state=s-1" || len(e.sessions) != 0 {
				t.Errorf("%d to %q, %d sessions left", w.Code, w.Header().Get("Location"), len(e.sessions))
			}
		}
		if len(e.events) != 1 || e.events[0].Actor != "maria" || e.events[0].ClientID != "app" {
			t.Errorf("events %v", e.events)
		}
	})
	t.Run("stay", func(t *testing.T) {
		e, form, _ := ask(t)
		form.Set("action", "stay")
		if w := e.post("same-origin", form); w.Code != 200 || w.Header().Get("Location") != "" || len(e.sessions) != 1 || !strings.Contains(w.Body.String(), "still signed in") {
			t.Errorf("%d to %q, %d sessions left", w.Code, w.Header().Get("Location"), len(e.sessions))
		}
	})
	t.Run("the return is not registered any more", func(t *testing.T) {
		e, form, _ := ask(t)
		e.clients["app"] = store.Client{ID: "app"}
		form.Set("action", "sign-out")
		if w := e.post("same-origin", form); w.Code != 200 || w.Header().Get("Location") != "" || len(e.sessions) != 0 {
			t.Errorf("%d to %q, %d sessions left", w.Code, w.Header().Get("Location"), len(e.sessions))
		}
	})
	for name, spoil := range map[string]func(e *env, form url.Values) string{
		"another site":   func(*env, url.Values) string { return "cross-site" },
		"a sibling site": func(*env, url.Values) string { return "same-site" },
		"another ticket": func(_ *env, form url.Values) string {
			form.Set("ticket", strings.Repeat("A", 43))
			return "same-origin"
		},
		"another request": func(_ *env, form url.Values) string { form.Set("request", "e30"); return "same-origin" },
		"another browser": func(e *env, _ url.Values) string {
			for name, c := range e.cookies {
				if strings.Contains(name, "browser") {
					c.Value = "br_" + strings.Repeat("A", len(c.Value)-3)
					e.cookies[name] = c
				}
			}
			return "same-origin"
		},
		"a browser without a name": func(e *env, _ url.Values) string {
			for name := range e.cookies {
				if strings.Contains(name, "browser") {
					delete(e.cookies, name)
				}
			}
			return "same-origin"
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, form, _ := ask(t)
			site := spoil(e, form)
			form.Set("action", "sign-out")
			if w := e.post(site, form); w.Code != http.StatusForbidden || w.Header().Get("Location") != "" || len(e.sessions) != 1 {
				t.Errorf("%d to %q, %d sessions left", w.Code, w.Header().Get("Location"), len(e.sessions))
			}
		})
	}
}

// Signing out works from our own pages; a form of another site asks.
//
// spec: LOGIN-16
// attack: LG-08, LG-34
func TestSigningOut(t *testing.T) {
	for site, left := range map[string]int{"cross-site": 1, "same-site": 1, "same-origin": 0} {
		e := newEnv(t)
		w := e.post(site, url.Values{})
		if len(e.sessions) != left || (asked(w) == nil) != (left == 0) {
			t.Errorf("%s: %d, %d sessions left", site, w.Code, len(e.sessions))
		}
	}
}

// A form of another site comes without cookies. It is sent on with what it said, and
// nothing else.
func TestAFormWithoutCookies(t *testing.T) {
	e := newEnv(t)
	kept := e.cookies
	e.cookies = map[string]*http.Cookie{}
	v := values("id_token_hint", "maria.app", "post_logout_redirect_uri", back, "state", "ü &=", "foo", "bar")
	w := e.post("cross-site", v)
	v.Del("foo")
	location, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || location.Host != "" || location.Path != "/logout" || location.RawQuery != v.Encode() {
		t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	e.cookies = kept
	w = e.serve(httptest.NewRequest(http.MethodGet, "https://auth.example.org"+location.String(), nil))
	if w.Code != http.StatusSeeOther || len(e.sessions) != 0 || w.Header().Get("Location") != back+"&state=%C3%BC+%26%3D" {
		t.Errorf("%d to %q, %d sessions left", w.Code, w.Header().Get("Location"), len(e.sessions))
	}
}

// Without a session there is nothing to ask: back to the app, or a page.
func TestNobodyIsSignedIn(t *testing.T) {
	for _, row := range []struct {
		pairs    []string
		location string
	}{
		{nil, ""}, {[]string{"id_token_hint", "maria.app"}, ""},
		{[]string{"client_id", "app", "post_logout_redirect_uri", back}, back},
	} {
		e := newEnv(t)
		e.cookies = map[string]*http.Cookie{}
		w := e.get(row.pairs...)
		if w.Header().Get("Location") != row.location || len(e.ended) != 0 || row.location == "" && w.Code != 200 {
			t.Errorf("%v: %d to %q", row.pairs, w.Code, w.Header().Get("Location"))
		}
	}
}

// Whoever registers an app must not make our address lead to a place of their choice:
// an app that nobody vouches for gets the browser by a link, but for the person whose
// own ID token it brings.
func TestAnAppThatNobodyVouchesFor(t *testing.T) {
	ask := []string{"client_id", "app", "post_logout_redirect_uri", back, "state", "s"}
	const link = `href="https://app.example.org/bye?x=1&amp;state=s"`
	open := func(t *testing.T) *env {
		e := newEnv(t)
		c := e.clients["app"]
		c.Trusted = false
		e.clients["app"] = c
		return e
	}
	leads := func(t *testing.T, w *httptest.ResponseRecorder) {
		t.Helper()
		if w.Code != http.StatusOK || w.Header().Get("Location") != "" || !strings.Contains(w.Body.String(), link) || !strings.Contains(w.Body.String(), "app.example.org") {
			t.Errorf("%d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
		}
	}
	t.Run("nobody is signed in", func(t *testing.T) {
		e := open(t)
		e.cookies = map[string]*http.Cookie{}
		leads(t, e.get(ask...))
		leads(t, e.get(append(ask, "id_token_hint", "leo.app")...))
	})
	t.Run("the button", func(t *testing.T) {
		e := open(t)
		form := asked(e.get(ask...))
		form.Set("action", "sign-out")
		for range 2 {
			leads(t, e.post("same-origin", form))
		}
		if len(e.sessions) != 0 {
			t.Errorf("%d sessions left", len(e.sessions))
		}
	})
	t.Run("the person's own hint", func(t *testing.T) {
		e := open(t)
		if w := e.get(append(ask, "id_token_hint", "maria.app")...); w.Header().Get("Location") != back+"&state=s" || len(e.sessions) != 0 {
			t.Errorf("%d to %q, %d sessions left", w.Code, w.Header().Get("Location"), len(e.sessions))
		}
	})
}

func TestOddRequests(t *testing.T) {
	e := newEnv(t)
	if w := e.serve(httptest.NewRequest(http.MethodHead, "https://auth.example.org/logout?id_token_hint=maria.app", nil)); w.Code != 200 || len(e.sessions) != 1 {
		t.Errorf("HEAD: %d, %d sessions left", w.Code, len(e.sessions))
	}
	if w := e.serve(httptest.NewRequest(http.MethodPut, "https://auth.example.org/logout", nil)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("PUT: %d %v", w.Code, w.Header())
	}
	for name, query := range map[string]string{
		"twice": "id_token_hint=maria.app&id_token_hint=maria.app", "escape": "id_token_hint=%zz", "line feed": "state=%0a", "semicolon": "a;b",
	} {
		w := e.serve(httptest.NewRequest(http.MethodGet, "https://auth.example.org/logout?"+query, nil))
		if w.Code != http.StatusBadRequest || len(e.sessions) != 1 || !strings.Contains(w.Body.String(), "error-id") {
			t.Errorf("%s: %d, %d sessions left", name, w.Code, len(e.sessions))
		}
	}
	// A session that could not be ended is not told as ended.
	e.failure = errors.New("away")
	if w := e.get("id_token_hint", "maria.app", "post_logout_redirect_uri", back); w.Code != http.StatusInternalServerError || w.Header().Get("Location") != "" {
		t.Errorf("a store that is away: %d", w.Code)
	}
	// It can be ended once more: without the cookie nobody could.
	e.failure = nil
	if w := e.get("id_token_hint", "maria.app", "post_logout_redirect_uri", back); w.Code != http.StatusSeeOther || len(e.sessions) != 0 || len(e.cookies) != 0 {
		t.Errorf("the store is back: %d, %d sessions left, cookies %v", w.Code, len(e.sessions), e.cookies)
	}
}

// Two cookies of our name, of which nobody knows which one is ours: both sessions are
// shown, and both end.
//
// attack: LG-10
func TestTwoSessionCookies(t *testing.T) {
	two := func(t *testing.T) (*env, func(r *http.Request) *httptest.ResponseRecorder) {
		e := newEnv(t)
		maria := e.cookies["__Host-emberlatch_session"]
		w := httptest.NewRecorder()
		if _, _, err := e.login.Start(w, httptest.NewRequest(http.MethodGet, "/", nil), store.User{ID: "leo"}, nil); err != nil {
			t.Fatal(err)
		}
		e.keep(w)
		return e, func(r *http.Request) *httptest.ResponseRecorder {
			r.AddCookie(maria)
			return e.serve(r)
		}
	}
	get := func(pairs ...string) *http.Request {
		return httptest.NewRequest(http.MethodGet, "https://auth.example.org/logout?"+values(pairs...).Encode(), nil)
	}
	t.Run("asked with both names", func(t *testing.T) {
		e, send := two(t)
		for _, hint := range []string{"", "maria.app", "leo.app"} {
			w := send(get("id_token_hint", hint))
			if asked(w) == nil || !strings.Contains(w.Body.String(), "Maria Lopez, Leo Lopez") || len(e.sessions) != 2 {
				t.Errorf("hint %q: %d, %d sessions left: %s", hint, w.Code, len(e.sessions), w.Body)
			}
		}
		form := asked(send(get()))
		form.Set("action", "sign-out")
		r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/logout", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if w := send(r); w.Code != http.StatusOK || len(e.sessions) != 0 || len(e.events) != 2 {
			t.Errorf("%d, %d sessions left, %d events: %s", w.Code, len(e.sessions), len(e.events), w.Body)
		}
	})
	t.Run("our own form", func(t *testing.T) {
		e, send := two(t)
		r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/logout", nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if w := send(r); w.Code != http.StatusOK || len(e.sessions) != 0 {
			t.Errorf("%d, %d sessions left: %s", w.Code, len(e.sessions), w.Body)
		}
	})
	t.Run("one of them is a stranger's invention", func(t *testing.T) {
		e := newEnv(t)
		r := get("id_token_hint", "maria.app")
		r.AddCookie(&http.Cookie{Name: "__Host-emberlatch_session", Value: "se_" + strings.Repeat("A", 43)})
		if w := e.serve(r); w.Code != http.StatusOK || len(e.sessions) != 0 || asked(w) != nil {
			t.Errorf("%d, %d sessions left: %s", w.Code, len(e.sessions), w.Body)
		}
	})
}
