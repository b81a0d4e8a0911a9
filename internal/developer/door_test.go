package developer_test

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

	"github.com/emberlatch/emberlatch/internal/consent"
	"github.com/emberlatch/emberlatch/internal/developer"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

const openScope = "openid fhirUser launch/patient offline_access patient/*.rs"

// env is a browser at the pages, and the store behind them.
type env struct {
	session.Store // there are no sessions
	now           time.Time
	counts        map[string]int
	kept          []store.Registration
	down, refuses error
	cookies       map[string]*http.Cookie
	door          *developer.Door
	mux           *http.ServeMux
}

func (e *env) RegisterClient(_ context.Context, r store.Registration) error {
	if e.refuses == nil {
		e.kept = append(e.kept, r)
	}
	return e.refuses
}

func (e *env) Client(context.Context, store.ClientID) (store.Client, error) {
	return store.Client{}, errors.Join(e.down, store.ErrNotFound)
}

func (e *env) Count(_ context.Context, key string, window time.Duration) (int, time.Time, error) {
	e.counts[key]++
	return e.counts[key], e.now.Add(window), e.down
}

func (e *env) Request(context.Context, []byte, []byte) (store.AuthorizationRequest, error) {
	return store.AuthorizationRequest{}, store.ErrNotFound
}

func (e *env) SaveFacts(context.Context, store.AuthorizationRequest) error { return store.ErrConflict }

func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), counts: map[string]int{}, cookies: map[string]*http.Cookie{}, mux: http.NewServeMux()}
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return e.now }
	settle := func(context.Context) error { return nil }
	var errs [5]error
	var sessions *session.Sessions
	var pages *page.Renderer
	var way *flow.Flow
	var registrar *register.Registrar
	sessions, errs[0] = session.New(session.Deps{Store: e, Idle: time.Hour, Absolute: time.Hour, Settle: settle, Now: now})
	pages, errs[1] = page.New(page.Deps{Organisation: "Valley Clinic", Now: now, Log: log})
	way, errs[2] = flow.New(flow.Deps{
		Store: e, Sessions: sessions, Pages: pages, Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log,
		Client: func(store.ClientID) (store.Client, bool) { return store.Client{}, false },
	})
	registrar, errs[3] = register.New(register.Deps{Now: now, Self: register.Policy{Scope: openScope + " user/*.rs", Reviewed: true}})
	e.door, errs[4] = developer.New(developer.Deps{
		Store: e, Registrar: registrar, Flow: way, Sessions: sessions, Settle: settle, Path: "/developers", Endpoint: "https://a.example/register",
		Approval: developer.Approval{Preview: func(store.Client) page.Approve { return page.Approve{App: page.App{Status: "self"}} }, Offer: consent.Offer, Choose: consent.Choose},
		Issuer:   "https://a.example", FHIRBase: "https://a.example/fhir", Reviewed: true, Limit: 10, WaitingLimit: 5,
		Address: func(*http.Request) string { return "net" }, Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log,
	})
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	e.door.Mount(e.mux)
	return e
}

func (e *env) do(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range e.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		e.cookies[c.Name] = c
	}
	return w
}

var ticket = regexp.MustCompile(`name="ticket" value="([^"]+)"`)

// ticket opens a page and takes its ticket.
func (e *env) ticket(t *testing.T, path string) string {
	t.Helper()
	found := ticket.FindStringSubmatch(e.do(httptest.NewRequest(http.MethodGet, path, nil)).Body.String())
	if found == nil {
		t.Fatalf("%s has no ticket", path)
	}
	return found[1]
}

func (e *env) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return e.do(r)
}

func form(ticket string) url.Values {
	return url.Values{
		"ticket": {ticket}, "application_type": {"native"}, "token_endpoint_auth_method": {"none"}, "client_name": {"A"}, "emberlatch_maker": {"B"},
		"contacts": {"a@example.org"}, "redirect_uris": {"https://app.example.org/cb"}, "scope": {"openid", "patient/Goal.rs"},
	}
}

// A form lives for half a day.
//
// spec: LOGIN-16
func TestAFormGetsOld(t *testing.T) {
	for after, want := range map[time.Duration]int{0: 200, 12 * time.Hour: 200, 12*time.Hour + time.Second: 400, -2 * time.Minute: 400} {
		e := newEnv(t)
		shown := e.ticket(t, "/developers/register")
		e.now = e.now.Add(after)
		w := e.post("/developers/register", form(shown))
		if w.Code != want || len(e.kept) != map[int]int{200: 1, 400: 0}[want] {
			t.Errorf("after %s: %d, %d kept", after, w.Code, len(e.kept))
		}
		if want == 200 {
			r := e.kept[0]
			if r.Limit != 10 || r.WaitingLimit != 5 || r.TokenHash != nil || r.Event.Kind != "client.registered" || r.Event.Detail != "form" || r.Client.MayAsk() || len(r.Client.RegistrationHash) != 32 {
				t.Errorf("kept %+v", r)
			}
		}
	}
}

// When the server cannot, the page says so, and shows no id and no token of an app
// that is not kept.
//
// attack: DC-18
func TestWhatTheStoreRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		down, refuses error
		want          int
	}{
		"full":         {nil, store.ErrFull, 503},
		"broken":       {nil, errors.New("no such table"), 500},
		"slow":         {nil, context.DeadlineExceeded, 503},
		"cannot count": {context.DeadlineExceeded, nil, 503},
	} {
		e := newEnv(t)
		shown, state := e.ticket(t, "/developers/register"), e.ticket(t, "/developers/app")
		e.down, e.refuses = row.down, row.refuses
		w := e.post("/developers/register", form(shown))
		if w.Code != row.want || strings.Contains(w.Body.String(), "ra_") || strings.Contains(w.Body.String(), "client-id") || strings.Contains(w.Body.String(), "no such table") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if row.down != nil {
			if w := e.post("/developers/app", url.Values{"ticket": {state}, "client_id": {"x"}}); w.Code != row.want {
				t.Errorf("%s, the state: %d", name, w.Code)
			}
		}
	}
}

func TestMissingPartsAreRefused(t *testing.T) {
	if _, err := developer.New(developer.Deps{}); err == nil {
		t.Error("a door without parts")
	}
}

// FuzzForm: whatever is sent, what is registered stays within what is offered, and is
// nobody's but the developer's.
func FuzzForm(f *testing.F) {
	e := newEnv(f)
	f.Add(form("t").Encode())
	f.Add("application_type=web&token_endpoint_auth_method=private_key_jwt&jwks=%7B%22keys%22%3A%5B%5D%7D&client_name=a&emberlatch_maker=b&contacts=a%40b&redirect_uris=https%3A%2F%2Fa.example%2Fcb&scope=openid")
	f.Add("application_type=web&token_endpoint_auth_method=client_secret_basic&client_name=%00&contacts=@&redirect_uris=%0d%0a,&scope=user/*.rs&scope=patient/*.rs")
	limit := smart.NewScopeSet(strings.Fields(openScope))
	f.Fuzz(func(t *testing.T, body string) {
		typed, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		c, secret, problems, err := e.door.Judge(typed)
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) > 0 {
			return
		}
		for _, text := range strings.Fields(c.Scope) {
			scope, err := smart.ParseScope(text)
			if err == nil && (scope.Level() != smart.LevelPatient || !limit.Covers(scope)) || err != nil && !limit.Has(text) {
				t.Fatalf("%s was not offered", text)
			}
		}
		if c.MayAsk() || c.Checked || c.Trusted || c.MayIntrospect || c.MayLaunch || !c.SelfRegistered || c.RegisteredWith != store.RegisteredByForm ||
			c.ApplicationType != store.ApplicationWeb && (secret != "" || !c.Public()) {
			t.Fatalf("registered %+v", c)
		}
	})
}
