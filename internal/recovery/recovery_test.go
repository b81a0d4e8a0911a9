package recovery_test

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

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/recovery"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// env is the recovery page in one request of an app; it is its own store and accounts.
type env struct {
	session.HalfStore // nobody here is half signed in
	clock             time.Time
	request           store.AuthorizationRequest
	users             map[string]store.User
	codes             map[string]store.Recovery
	counts            map[string]int
	work              []string // what was done to judge a claim
	used              []store.RecoveryUse
	events            []store.Event
	blocked           int
	settled           int
	door              *recovery.Door
	cookies           map[string]*http.Cookie
}

func (e *env) Request(_ context.Context, handle, browser []byte) (store.AuthorizationRequest, error) {
	if !bytes.Equal(handle, e.request.HandleHash) || !bytes.Equal(browser, e.request.BrowserHash) {
		return store.AuthorizationRequest{}, store.ErrNotFound
	}
	return e.request, nil
}

func (e *env) SaveFacts(_ context.Context, r store.AuthorizationRequest) error {
	e.request = r
	return nil
}

func (e *env) CreateSession(context.Context, store.Session) error           { panic("recovery signs nobody in") }
func (e *env) ContinueSession(context.Context, store.Session, []byte) error { panic("nor on") }
func (e *env) Session(context.Context, []byte) (store.Session, error) {
	return store.Session{}, store.ErrNotFound
}
func (e *env) TouchSession(context.Context, []byte, time.Time) error { return nil }
func (e *env) EndSession(context.Context, []byte, string) error      { return nil }

func (e *env) UserByName(_ context.Context, key string) (store.User, error) {
	e.work = append(e.work, "account")
	if u, ok := e.users[key]; ok {
		return u, nil
	}
	return store.User{}, store.ErrNotFound
}

func (e *env) Count(_ context.Context, key string, window time.Duration) (int, time.Time, error) {
	e.counts[key]++
	return e.counts[key], e.clock.Add(window), nil
}

func (e *env) ResetCount(context.Context, string) error { return nil }

func (e *env) TryRecovery(_ context.Context, hash []byte, most int) (store.Recovery, error) {
	e.work = append(e.work, "code")
	v, ok := e.codes[string(hash)]
	v.Tries++
	if !ok || v.Tries > most {
		return store.Recovery{}, store.ErrNotFound
	}
	e.codes[string(hash)] = v
	return v, nil
}

func (e *env) Recover(_ context.Context, u store.RecoveryUse) (bool, error) {
	if _, ok := e.codes[string(u.CodeHash)]; !ok { // whose it is, is the door's to judge here
		return false, store.ErrConsumed
	}
	delete(e.codes, string(u.CodeHash))
	e.used = append(e.used, u)
	return u.DisconnectApps, nil
}

func (e *env) Patient(_ context.Context, id string) (reach.Patient, error) {
	e.work = append(e.work, "record")
	switch id {
	case "maria":
		return reach.Patient{ID: id, BirthDate: "1987-02-20"}, nil
	case "vague":
		return reach.Patient{ID: id, BirthDate: "1987"}, nil
	}
	return reach.Patient{}, reach.ErrNotFound
}

func (e *env) Record(_ context.Context, event store.Event) error {
	e.events = append(e.events, event)
	return nil
}

func (e *env) UsernameKey(name string) (string, error) {
	if strings.Contains(name, " ") {
		return "", account.ErrUsername
	}
	return strings.ToLower(name), nil
}

func (e *env) HashPassword(_ context.Context, password string) (string, error) {
	e.work = append(e.work, "hash")
	return "hash of " + password, nil
}

const code, another = "RCAA-AAAA", "RCBB-BBBB"

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{
		clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), counts: map[string]int{}, cookies: map[string]*http.Cookie{},
		users: map[string]store.User{
			"maria": {ID: "m", UsernameKey: "maria", FHIRUser: "Patient/maria"}, "chen": {ID: "c", UsernameKey: "chen", FHIRUser: "Practitioner/chen"},
			"vague": {ID: "v", UsernameKey: "vague", FHIRUser: "Patient/vague"}, "gone": {ID: "g", UsernameKey: "gone", Disabled: true},
		},
		codes: map[string]store.Recovery{},
	}
	e.issue(code, "m")
	e.issue(another, "c")
	now := func() time.Time { return e.clock }
	log := slog.New(slog.DiscardHandler)
	settle := func(context.Context) error { e.settled++; return nil }
	sessions, err := session.New(session.Deps{Store: e, Idle: time.Hour, Absolute: time.Hour, Secure: true, Settle: settle, Now: now})
	must(t, err)
	pages, err := page.New(page.Deps{Organisation: "Riverside Clinic", Secure: true, Now: now, Log: log})
	must(t, err)
	way, err := flow.New(flow.Deps{
		Store: e, Sessions: sessions, Pages: pages, Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log,
		Client: func(store.ClientID) (store.Client, bool) {
			return store.Client{ID: "app", Name: "Growth Tracker"}, true
		},
	})
	must(t, err)
	counted, err := tries.New(tries.Deps{
		Store: e, UsernameKey: e.UsernameKey, Address: func(r *http.Request) string { return r.Header.Get("Test-Address") },
		Blocked: func(*http.Request) { e.blocked++ }, Now: now,
	})
	must(t, err)
	e.door, err = recovery.New(recovery.Deps{
		Store: e, Accounts: e, Patients: e, Flow: way, Home: "home", Path: "/recover", LoginPath: "/login", Settle: settle, Now: now, Log: log,
		Place: func(h string) (flow.Place, bool) {
			return flow.Place{Handle: "home", Path: "/home"}, h == "home"
		},
		Tries: counted,
	})
	must(t, err)
	w := httptest.NewRecorder()
	browser := sessions.Browser(w, httptest.NewRequest(http.MethodGet, "/", nil))
	e.keep(w)
	e.request = store.AuthorizationRequest{HandleHash: oauth.Hash("rq"), BrowserHash: browser, Version: 1, ClientID: "app", RedirectURI: "https://app.example.org/cb", MaxAge: -1}
	return e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (e *env) issue(code string, user store.UserID) {
	e.codes[string(account.RecoveryCodeHash(code))] = store.Recovery{UserID: user}
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

var hidden = regexp.MustCompile(`name="(request|ticket)" value="([^"]*)"`)

// form is the page as it is shown at an address, with its hidden inputs, filled in as maria
// would.
func (e *env) form(t *testing.T, target string) url.Values {
	t.Helper()
	shown := e.serve(e.door.Show, httptest.NewRequest(http.MethodGet, target, nil))
	form := url.Values{
		"action": {"recover"}, "username": {"Maria"}, "code": {"rcaa aaaa"}, "birth_date-day": {"20"}, "birth_date-month": {"2"}, "birth_date-year": {"1987"},
		"password": {"a quiet morning walk"}, "again": {"a quiet morning walk"},
	}
	for _, found := range hidden.FindAllStringSubmatch(shown.Body.String(), -1) {
		form.Set(found[1], found[2])
	}
	if shown.Code != http.StatusOK || form.Get("ticket") == "" {
		t.Fatalf("the page: %d %s", shown.Code, shown.Body)
	}
	return form
}

// send posts a form of ours from an address.
func (e *env) send(form url.Values, address string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/recover", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Test-Address", address)
	return e.serve(e.door.Post, r)
}

// with is a form with other values.
func with(form url.Values, pairs ...string) url.Values {
	other := url.Values{}
	for k, v := range form {
		other[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		other.Set(pairs[i], pairs[i+1])
	}
	return other
}

var typed = regexp.MustCompile(` value="[^"]*"`)

// Who has the code, the name and the birth date of their record gets another password and
// goes to sign-in; whoever lacks one of them learns nothing, after the same work.
//
// spec: LOGIN-04, LOGIN-10, LOGIN-14, LOGIN-19, LOGIN-26
// attack: EN-03, EN-07, LG-15
func TestWhoMayRecover(t *testing.T) {
	var failure string
	for _, row := range []struct {
		name   string
		change []string
		want   store.UserID
		issued store.UserID // whose code it was
	}{
		{"as it is", nil, "m", "m"},
		{"LOGIN-19 staff prove no birth date", []string{"username", "chen", "code", another, "birth_date-day", "", "birth_date-month", "", "birth_date-year", ""}, "c", "c"},
		{"LOGIN-19 staff give one all the same", []string{"username", "chen", "code", another}, "c", "c"},
		{"LOGIN-04 another code", []string{"code", "RCAA-AAAB"}, "", ""},
		{"LOGIN-04 another birth date", []string{"birth_date-day", "21"}, "", "m"},
		{"EN-07 no birth date", []string{"birth_date-day", "", "birth_date-month", "", "birth_date-year", ""}, "", "m"},
		{"LG-15 the code of somebody else", []string{"username", "chen"}, "", "m"},
		{"LG-15 somebody else's code", []string{"code", another}, "", "c"},
		{"LOGIN-10 nobody's name", []string{"username", "nobody"}, "", "m"},
		{"LOGIN-10 no name at all", []string{"username", "a b"}, "", "m"},
		{"LOGIN-10 nobody, no code", []string{"username", "nobody", "code", "RC22"}, "", ""},
		{"LOGIN-10 a disabled account", []string{"username", "gone", "code", "RCGG"}, "", "g"},
		{"a record without a whole date", []string{"username", "vague", "code", "RCVV"}, "", "v"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			e.issue("RCGG", "g")
			e.issue("RCVV", "v")
			w := e.send(with(e.form(t, "/recover?request=rq"), row.change...), "a")
			if got := strings.Join(e.work, " "); got != "hash code account record" {
				t.Errorf("the work was: %s", got)
			}
			if e.request.UserID != "" || w.Header().Get("Set-Cookie") != "" {
				t.Error("somebody is signed in")
			}
			if row.want != "" {
				if len(e.used) != 1 || e.used[0].UserID != row.want || e.used[0].Hash != "hash of a quiet morning walk" || e.used[0].DisconnectApps || e.settled != 1 {
					t.Fatalf("%d %+v %s", w.Code, e.used, w.Body)
				}
				if ev := e.used[0].Event; ev.Kind != "recovery" || ev.Actor != string(row.want) || ev.ClientID != "app" {
					t.Errorf("event %+v", ev)
				}
				if !strings.Contains(w.Body.String(), `href="/login?request=rq"`) {
					t.Error("the page does not lead to sign-in")
				}
				return
			}
			if len(e.used) != 0 || w.Code != http.StatusOK {
				t.Fatalf("%d %+v", w.Code, e.used)
			}
			if len(e.events) != 1 || e.events[0].Kind != "recovery.refused" || e.events[0].Actor != string(row.issued) || e.events[0].Outcome != "refused" {
				t.Errorf("events %+v", e.events)
			}
			body := typed.ReplaceAllString(w.Body.String(), "")
			if failure == "" {
				failure = body
			}
			if body != failure || !strings.Contains(body, "do not match a recovery code") {
				t.Errorf("another page: %s", body)
			}
		})
	}
}

// Mistakes of the form are told by field and cost no try; nothing is said about a code.
//
// spec: LOGIN-12, LOGIN-19
func TestMistakesCostNothing(t *testing.T) {
	for name, change := range map[string][]string{
		"no name": {"username", " "}, "no code": {"code", "--"}, "a long code": {"code", strings.Repeat("A", 300)}, "half a date": {"birth_date-month", ""}, "no such day": {"birth_date-day", "31"},
		"a short password": {"password", "short", "again", "short"}, "a common one": {"password", "password123", "again", "password123"}, "the name": {"username", "mariamaria", "password", "MariaMaria", "again", "MariaMaria"},
		"two passwords": {"again", "a quiet evening walk"}, "one password": {"again", ""},
	} {
		for _, right := range []string{code, "RC99"} {
			e := newEnv(t)
			form := e.form(t, "/recover?request=rq")
			form.Set("code", right)
			w := e.send(with(form, change...), "a")
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `aria-invalid="true"`) || len(e.work)+len(e.counts)+len(e.events)+len(e.used) != 0 {
				t.Errorf("%s: %d, work %q, %d counts", name, w.Code, e.work, len(e.counts))
			}
			if strings.Contains(w.Body.String(), "quiet") {
				t.Errorf("%s: a password is shown", name)
			}
		}
	}
}

// Tries run out: of a code, of an address, and of all.
//
// spec: LOGIN-05, LOGIN-19, LOGIN-26
// attack: EN-01, EN-06
func TestTriesRunOut(t *testing.T) {
	t.Run("a code, from everywhere", func(t *testing.T) {
		e := newEnv(t)
		form := e.form(t, "/recover?request=rq")
		for i := range 5 {
			e.send(with(form, "birth_date-year", "1970"), strings.Repeat("a", i+1))
		}
		if e.send(form, "z"); len(e.used) != 0 {
			t.Error("a sixth try was right")
		}
	})
	for name, address := range map[string]func(i int) string{
		"an address": func(int) string { return "a" }, "everybody": func(i int) string { return strings.Repeat("a", i+1) },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			form := e.form(t, "/recover?request=rq")
			limit := 20
			if name == "everybody" {
				limit, e.counts["recovery total"] = 7, 993
			}
			for i := range 30 {
				e.send(with(form, "code", "RC22"), address(i))
			}
			if n := strings.Count(strings.Join(e.work, " "), "code"); n != limit || e.blocked != 30-limit {
				t.Errorf("%d codes were looked at, %d tries told, want %d", n, e.blocked, limit)
			}
			if w := e.send(form, address(5)); w.Code != http.StatusTooManyRequests || len(e.used) != 0 {
				t.Errorf("the right code: %d", w.Code)
			}
		})
	}
}

// The page stands by itself as well, for whoever reads its address off a letter; a form
// that was not shown here does nothing, and no address is gone to.
//
// spec: LOGIN-16, LOGIN-19
// attack: LG-34, LP-02
func TestForgedAndOwnForms(t *testing.T) {
	e := newEnv(t)
	form := e.form(t, "/recover")
	if form.Get("request") != "home" {
		t.Fatalf("%v", form)
	}
	for name, other := range map[string]url.Values{
		"no ticket": with(form, "ticket", ""), "another ticket": with(form, "ticket", strings.Repeat("A", 43)), "another place": with(form, "request", "rq"), "no place": with(form, "request", "//evil.test"),
	} {
		if w := e.send(other, "a"); w.Code < 400 || len(e.counts)+len(e.used) != 0 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	kept := e.cookies
	e.cookies = map[string]*http.Cookie{}
	if w := e.send(form, "a"); w.Code != http.StatusForbidden || len(e.counts) != 0 {
		t.Errorf("another browser: %d", w.Code)
	}
	e.cookies = kept
	w := e.send(with(form, "disconnect", "yes", "next", "//evil.test"), "a")
	if len(e.used) != 1 || !e.used[0].DisconnectApps || e.used[0].Event.ClientID != "" {
		t.Fatalf("%d %+v", w.Code, e.used)
	}
	if body := w.Body.String(); !strings.Contains(body, `href="/login?request=home"`) || !strings.Contains(body, "All apps are disconnected") || strings.Contains(body, "evil") {
		t.Error(body)
	}
	if w := e.send(with(e.form(t, "/recover?request=rq"), "action", "cancel"), "a"); w.Code != http.StatusSeeOther || e.request.Refused != "access_denied" {
		t.Errorf("going back to the app: %d %q", w.Code, e.request.Refused)
	}
	if w := e.serve(e.door.Show, httptest.NewRequest(http.MethodGet, "/recover?request=//evil.test", nil)); w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" {
		t.Errorf("a place that is none: %d", w.Code)
	}
}
