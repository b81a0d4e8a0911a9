package enrol_test

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

	"github.com/emberlatch/emberlatch/internal/enrol"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// env is the enrolment step of one request; it is its own store and accounts.
type env struct {
	session.HalfStore // nobody here is half signed in
	clock             time.Time
	request           store.AuthorizationRequest
	sessions          map[string]store.Session
	users             map[string]store.User
	counts            map[string]int
	ends              map[string]time.Time
	invited           map[string]*store.Invitation
	tried             map[string]int
	looked            []string // records that were read
	blocked           int
	nameless          bool   // the record has no structured name
	only              string // the record has this one name
	events            []store.Event
	door              *enrol.Door
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

func (e *env) Count(_ context.Context, key string, window time.Duration) (int, time.Time, error) {
	if !e.clock.Before(e.ends[key]) {
		e.counts[key], e.ends[key] = 0, e.clock.Add(window)
	}
	e.counts[key]++
	return e.counts[key], e.ends[key], nil
}

func (e *env) ResetCount(context.Context, string) error { panic("enrolment forgets no tries") }

// TryInvitation counts a try, whatever comes of it.
func (e *env) TryInvitation(_ context.Context, hash []byte, most int) (store.Invitation, error) {
	e.tried[string(hash)]++
	if i := e.invited[string(hash)]; i != nil && e.tried[string(hash)] <= most {
		return *i, nil
	}
	return store.Invitation{}, store.ErrNotFound
}

func (e *env) Enrol(_ context.Context, hash []byte, u store.User) error {
	if _, taken := e.users[u.UsernameKey]; taken {
		return store.ErrConflict
	}
	if e.invited[string(hash)] == nil {
		return store.ErrConsumed
	}
	delete(e.invited, string(hash))
	e.users[u.UsernameKey] = u
	return nil
}

func (e *env) Patient(_ context.Context, id string) (reach.Patient, error) {
	e.looked = append(e.looked, id)
	if id != "nora" {
		return reach.Patient{}, reach.ErrNotFound
	}
	if e.only != "" {
		return reach.Patient{ID: "nora", Name: e.only, Family: e.only, Only: e.only, BirthDate: "1980-02-29"}, nil
	}
	if e.nameless {
		return reach.Patient{ID: "nora", Name: "Zoë", BirthDate: "1980-02-29"}, nil
	}
	return reach.Patient{ID: "nora", Name: "Zoë Anne O'Brien-García", Given: "Zoë Anne", Family: "O'Brien-García", BirthDate: "1980-02-29"}, nil
}

func (e *env) Record(_ context.Context, event store.Event) error {
	e.events = append(e.events, event)
	return nil
}

func (e *env) UsernameKey(name string) (string, error) {
	return strings.ToLower(strings.TrimSpace(name)), nil
}

func (e *env) HashPassword(_ context.Context, password string) (string, error) {
	return "anew " + password, nil
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{
		clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), sessions: map[string]store.Session{}, counts: map[string]int{},
		ends: map[string]time.Time{}, invited: map[string]*store.Invitation{}, tried: map[string]int{}, cookies: map[string]*http.Cookie{},
		users: map[string]store.User{"taken": {ID: "taken", UsernameKey: "taken"}},
	}
	now := func() time.Time { return e.clock }
	log := slog.New(slog.DiscardHandler)
	var errs [4]error
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
	counted, err := tries.New(tries.Deps{
		Store: e, UsernameKey: func(name string) (string, error) { return name, nil }, Address: func(r *http.Request) string { return r.Header.Get("Test-Address") },
		Blocked: func(*http.Request) { e.blocked++ }, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.door, errs[3] = enrol.New(enrol.Deps{
		Store: e, Accounts: e, Patients: e, Flow: way, Sessions: sessions, Path: "/enrol", SecondPath: "/login/second", Now: now, Log: log,
		NewID: func() string { return "new" }, Tries: counted,
	})
	e.invited[string(enrol.CodeHash("ABCD-2345"))] = &store.Invitation{Patient: "nora"}
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
	shown := e.serve(e.door.Show, httptest.NewRequest(http.MethodGet, "/enrol?request=rq", nil))
	found := ticketInput.FindStringSubmatch(shown.Body.String())
	if found == nil {
		t.Fatalf("the page: %d %s", shown.Code, shown.Body)
	}
	form := url.Values{"request": {"rq"}, "ticket": {found[1]}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/enrol", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Test-Address", address)
	return e.serve(e.door.Post, r)
}

// claim is what somebody says about themselves, as fields of the form.
func claim(given, family, date, code string) []string {
	part := strings.SplitN(date+"--", "-", 3)
	return []string{
		"action", "continue", "given", given, "family", family, "code", code,
		"birth_date-year", part[0], "birth_date-month", part[1], "birth_date-day", strings.TrimRight(part[2], "-"),
	}
}

// Names are compared as people write them; all that is wrong is told alike, after
// the same look at one invitation and one record.
//
// spec: LOGIN-02, LOGIN-04
// attack: EN-03, EN-14
func TestWhoAreYou(t *testing.T) {
	var failure string
	for _, row := range []struct {
		name, given, family, date, code string
		want                            bool
	}{
		{"LOGIN-02 as written", "Zoë Anne", "O'Brien-García", "1980-02-29", "ABCD-2345", true},
		{"LOGIN-02 without accents and marks", "zoe", "obrien garcia", "1980-2-29", "abcd 2345", true},
		{"LOGIN-02 another apostrophe", "ZOE ANNE", "O\u2019BRIEN-GARCIA", "1980-02-29", "abcd2345", true},
		{"LOGIN-04 another given name", "Anne", "O'Brien-García", "1980-02-29", "ABCD-2345", false},
		{"LOGIN-04 another family name", "Zoë", "Brien", "1980-02-29", "ABCD-2345", false},
		{"LOGIN-04 another birth date", "Zoë", "O'Brien-García", "1980-02-28", "ABCD-2345", false},
		{"LOGIN-04 another code", "Zoë", "O'Brien-García", "1980-02-29", "ABCD-2346", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			w := e.post(t, "a", claim(row.given, row.family, row.date, row.code)...)
			if confirmed := e.request.EnrolPatient == "nora"; confirmed != row.want {
				t.Fatalf("confirmed %v: %d", confirmed, w.Code)
			}
			if len(e.tried) != 1 || len(e.looked) != 1 {
				t.Errorf("%d invitations tried, %d records read", len(e.tried), len(e.looked))
			}
			if row.want {
				return
			}
			body := regexp.MustCompile(`value="[^"]*"`).ReplaceAllString(w.Body.String(), "")
			if failure == "" {
				failure = body
			}
			if body != failure || w.Code != http.StatusOK {
				t.Errorf("status %d, or another page", w.Code)
			}
			if row.given == "Zoë" && strings.Contains(w.Body.String(), "Anne") { // EN-14
				t.Error("the page shows what only the record says")
			}
		})
	}
}

// What the record does not say is matched by nothing: the name is one of three
// things that have to be right.
//
// spec: LOGIN-04
func TestAMissingNameMatchesNothing(t *testing.T) {
	for _, nameless := range []bool{true, false} {
		for _, name := range []string{"-", "…", "' '"} {
			e := newEnv(t)
			e.nameless = nameless
			e.post(t, "a", claim(name, name, "1980-02-29", "ABCD-2345")...)
			if e.request.EnrolPatient != "" {
				t.Errorf("%q is the name of the record (nameless %v)", name, nameless)
			}
		}
	}
}

// Who has one name only gives it in either field, or in both; the record says whether
// that is all of it. Nobody learns which it was.
//
// spec: LOGIN-02, LOGIN-04
func TestWhoHasOneName(t *testing.T) {
	var failure string
	for _, row := range []struct {
		name, only, given, family string
		ticked, want              bool
	}{
		{"in the second field", "Ngozi", "", "ngozi", true, true},
		{"in the first field", "Ngozi", "NGÓZI", "", true, true},
		{"in both", "Ngozi", "Ngozi", "Ngozi", false, true},
		{"in both, ticked", "Ngozi", "Ngozi", "Ngozi", true, true},
		{"with a mark for what is missing", "Ngozi", "-", "Ngozi", true, true},
		{"a name of several words", "Devi Lal", "devi", "lal", false, true},
		{"another name", "Ngozi", "", "Ngoz", true, false},
		{"a part of it", "Devi Lal", "Devi", "", true, false},
		{"one more name", "Ngozi", "Ada", "Ngozi", false, false},
		{"twice in one field", "Ngozi", "Ngozi Ngozi", "", true, false},
		{"the family name of who has two", "", "", "O'Brien-García", true, false},
		{"the given name of who has two", "", "Zoë", "", true, false},
		{"both names in one field, of who has two", "", "Zoë O'Brien-García", "", true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			e.only = row.only
			fields := claim(row.given, row.family, "1980-02-29", "ABCD-2345")
			if row.ticked {
				fields = append(fields, "one_name", "yes")
			}
			w := e.post(t, "a", fields...)
			if confirmed := e.request.EnrolPatient == "nora"; confirmed != row.want {
				t.Fatalf("confirmed %v: %d %s", confirmed, w.Code, w.Body)
			}
			if len(e.tried) != 1 || len(e.looked) != 1 {
				t.Errorf("%d invitations tried, %d records read", len(e.tried), len(e.looked))
			}
			if row.want {
				return
			}
			body := regexp.MustCompile(`value="[^"]*"| checked`).ReplaceAllString(w.Body.String(), "")
			if failure == "" {
				failure = body
			}
			if body != failure {
				t.Error("another page")
			}
		})
	}
}

// A name that was left out by mistake costs no try.
func TestANameLeftOut(t *testing.T) {
	for name, fields := range map[string][]string{
		"the family name": claim("Zoë", "", "1980-02-29", "ABCD-2345"), "the given name": claim("", "O'Brien-García", "1980-02-29", "ABCD-2345"),
		"both": append(claim("", "", "1980-02-29", "ABCD-2345"), "one_name", "yes"),
	} {
		e := newEnv(t)
		if w := e.post(t, "a", fields...); !strings.Contains(w.Body.String(), `aria-invalid="true"`) || len(e.tried) != 0 {
			t.Errorf("%s: %d tries, %s", name, len(e.tried), w.Body)
		}
	}
}

// Tries run out: for an invitation, and for an address.
//
// spec: LOGIN-05, LOGIN-26
// attack: EN-01
func TestTriesRunOut(t *testing.T) {
	t.Run("EN-01 an invitation, from everywhere", func(t *testing.T) {
		e := newEnv(t)
		for i := range 5 {
			e.post(t, strings.Repeat("a", i+1), claim("Zoë", "O'Brien-García", "1970-01-01", "ABCD-2345")...)
		}
		e.post(t, "z", claim("Zoë", "O'Brien-García", "1980-02-29", "ABCD-2345")...)
		if e.request.EnrolPatient != "" {
			t.Error("a sixth try was right")
		}
	})
	t.Run("LOGIN-05 an address, with made-up codes", func(t *testing.T) {
		e := newEnv(t)
		for i := range 30 {
			e.post(t, "a", claim("Zoë", "O'Brien-García", "1980-02-29", "ZZZZ-"+strings.Repeat("2", i+1))...)
		}
		if len(e.tried) != 20 || e.blocked != 10 {
			t.Errorf("%d codes were looked at, %d tries told", len(e.tried), e.blocked)
		}
		e.post(t, "a", claim("Zoë", "O'Brien-García", "1980-02-29", "ABCD-2345")...)
		if e.request.EnrolPatient != "" {
			t.Error("the address may go on")
		}
	})
}

// The account is for the patient who was confirmed, and for nobody without that.
//
// spec: LOGIN-03, LOGIN-06, LOGIN-07
// attack: EN-11
func TestCredentials(t *testing.T) {
	credentials := []string{"action", "continue", "username", "zoe", "password", "a quiet morning walk", "patient", "maria"}
	e := newEnv(t)
	e.post(t, "a", credentials...)
	if len(e.users) != 1 || e.request.UserID != "" {
		t.Fatal("LOGIN-03: an account without a confirmed identity")
	}
	e.post(t, "a", claim("Zoë", "O'Brien-García", "1980-02-29", "ABCD-2345")...)
	e.post(t, "a", "action", "continue", "username", "Taken", "password", "a quiet morning walk")
	if e.request.UserID != "" {
		t.Fatal("a name that is taken")
	}
	if w := e.post(t, "a", credentials...); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if u := e.users["zoe"]; u.FHIRUser != "Patient/nora" || u.Role != store.RolePatient || e.request.UserID != u.ID || e.request.EnrolPatient != "" {
		t.Errorf("user %+v, request %+v", u, e.request)
	}
	e.post(t, "b", claim("Zoë", "O'Brien-García", "1980-02-29", "ABCD-2345")...)
	if e.request.EnrolPatient != "" {
		t.Error("LOGIN-06: the invitation works twice")
	}
}
