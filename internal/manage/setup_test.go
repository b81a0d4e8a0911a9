package manage_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/manage"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// env is the door on a real store. reached says whom people reach.
type env struct {
	t       *testing.T
	store   *storesql.Store
	reached map[store.UserID][]string
	wide    bool // more is reached than can be found out
	clients map[store.ClientID]store.Client
	ahead   time.Duration // of the clock of this process
	settled int
	handler http.Handler
	// one browser a person
	browsers map[store.UserID]*browser
	sessions *session.Sessions
	factors  *factor.Factors
	required []store.Role
}

// browser holds cookies.
type browser struct {
	env     *env
	cookies map[string]*http.Cookie
}

func (e *env) now() time.Time { return time.Now().Add(e.ahead) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newEnv(t *testing.T) *env {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: testdb.SQLite(t)})
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	e := &env{t: t, store: storesql.New(d), browsers: map[store.UserID]*browser{}, clients: map[store.ClientID]store.Client{}, reached: map[store.UserID][]string{}}
	for _, c := range []store.Client{
		{ID: "growth", Name: "GrowthTracker", Maker: "Sprout Health"}, {ID: "steps", Name: "StepCounter"}, {ID: "risk", Name: "RiskCalc", Checked: true},
	} {
		e.clients[c.ID] = c
		must(t, e.store.CreateClient(t.Context(), c))
	}
	e.door()
	return e
}

// door wires it as package app does.
func (e *env) door() {
	t, log := e.t, slog.New(slog.DiscardHandler)
	var err error
	e.sessions, err = session.New(session.Deps{Store: e.store, Idle: time.Hour, Absolute: 12 * time.Hour, Secure: true, Required: func(r store.Role) bool { return slices.Contains(e.required, r) }, Settle: e.settle, Now: e.now})
	must(t, err)
	pages, err := page.New(page.Deps{Organisation: "Riverside Clinic", Secure: true, ConnectedPath: manage.Path, Now: e.now, Log: log})
	must(t, err)
	way, err := flow.New(flow.Deps{Store: e.store, Sessions: e.sessions, Pages: pages, Client: e.client, Key: func() []byte { return make([]byte, 32) }, Now: e.now, Log: log})
	must(t, err)
	lower := func(name string) (string, error) { return strings.ToLower(name), nil }
	counted, err := tries.New(tries.Deps{Store: e.store, UsernameKey: lower, Address: func(*http.Request) string { return "a" }, Now: e.now})
	must(t, err)
	ledger, err := audit.NewReader(e.store, func(context.Context) error { return nil }, audit.Teller{Base: "https://ehr.example.org/fhir"})
	must(t, err)
	e.factors, err = factor.New(factor.Deps{Store: e.store, Secret: make([]byte, 32), Issuer: "Riverside Clinic", Now: e.now})
	must(t, err)
	d, err := manage.New(manage.Deps{
		Store: e.store, Ledger: ledger, Accounts: plain{}, Factors: e.factors, Tries: counted, Flow: way, Sessions: e.sessions, Client: e.client, Person: e.person, Patient: patient,
		FlushUses: func(context.Context) error { return nil }, Settle: e.settle, LoginPath: "/login", LogoutPath: "/logout", AccessLife: 20 * time.Minute, Emergencies: true,
		Sensitive: func(category, _ string) string { return map[string]string{"hiv": "HIV", "abuse": "Abuse"}[category] }, Now: e.now, Log: log,
	})
	must(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+manage.Path, d.List)
	mux.HandleFunc("GET "+manage.PathStop, d.ShowStop)
	mux.HandleFunc("POST "+manage.PathStop, d.Stop)
	mux.HandleFunc("GET "+manage.PathStopAll, d.ShowStopAll)
	mux.HandleFunc("POST "+manage.PathStopAll, d.StopAll)
	mux.HandleFunc("GET "+manage.PathReceipt, d.Receipt)
	mux.HandleFunc("GET "+manage.PathSignIns, d.ShowSignIns)
	mux.HandleFunc("POST "+manage.PathSignIns, d.EndOthers)
	mux.HandleFunc("GET "+manage.PathLooked, d.ShowLooked)
	mux.HandleFunc("GET "+manage.PathEmergencies, d.ShowEmergencies)
	mux.HandleFunc("POST "+manage.PathEmergencies, d.EndEmergency)
	mux.HandleFunc("GET "+manage.PathPassword, d.ShowPassword)
	mux.HandleFunc("POST "+manage.PathPassword, d.ChangePassword)
	mux.HandleFunc("GET "+manage.PathSecondStep, d.ShowSecondStep)
	mux.HandleFunc("POST "+manage.PathSecondStep, d.ChangeSecondStep)
	mux.HandleFunc("GET "+manage.PathSetUp, d.ShowSetUp)
	mux.HandleFunc("POST "+manage.PathSetUp, d.SetUp)
	e.handler = mux
}

func (e *env) settle(context.Context) error { e.settled++; return nil }

func (e *env) client(id store.ClientID) (store.Client, bool) {
	c, ok := e.clients[id]
	return c, ok
}

func (e *env) person(ctx context.Context, id store.UserID) (store.User, reach.Whom, error) {
	if e.wide {
		return store.User{}, reach.Whom{}, reach.ErrTooWide
	}
	u, err := e.store.User(ctx, id)
	return u, reach.Of(e.reached[id]...), err
}

func patient(_ context.Context, id string) (reach.Patient, error) {
	if id == "gone" {
		return reach.Patient{}, reach.ErrNotFound
	}
	return reach.Patient{ID: id, Name: "Name-of-" + id}, nil
}

// plain keeps passwords as they are, with a word before them.
type plain struct{}

func (plain) Verify(_ context.Context, password, encoded string) (bool, error) {
	return encoded != "" && encoded == "of "+password, nil
}

func (plain) HashPassword(_ context.Context, password string) (string, error) {
	return "of " + password, nil
}

// user makes a person who is signed in, with whom they reach.
func (e *env) user(id store.UserID, role store.Role, fhirUser string, reached ...string) *browser {
	e.t.Helper()
	must(e.t, e.store.CreateUser(e.t.Context(), store.User{
		ID: id, Username: string(id), UsernameKey: string(id), Display: "Display-of-" + string(id), Role: role, FHIRUser: fhirUser, PasswordHash: "of an old password",
	}))
	e.reached[id] = reached
	e.browsers[id] = e.signIn(id)
	return e.browsers[id]
}

// signIn is a browser in which somebody has just signed in.
func (e *env) signIn(id store.UserID) *browser {
	e.t.Helper()
	b := &browser{e, map[string]*http.Cookie{}}
	w := httptest.NewRecorder()
	user, err := e.store.User(e.t.Context(), id)
	must(e.t, err)
	_, _, err = e.sessions.Start(w, httptest.NewRequest(http.MethodGet, "/", nil), user, []string{"pwd"})
	must(e.t, err)
	b.keep(w)
	return b
}

func (b *browser) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
	}
}

func (b *browser) serve(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.env.handler.ServeHTTP(w, r)
	b.keep(w)
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.serve(httptest.NewRequest(http.MethodGet, "https://auth.example.org"+path, nil))
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.org"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.serve(r)
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)"`)

// form is what a page's form sends, with more of it.
func (b *browser) form(path string, pairs ...string) url.Values {
	b.env.t.Helper()
	w := b.get(path)
	if w.Code != http.StatusOK {
		b.env.t.Fatalf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
	}
	v := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(w.Body.String(), -1) {
		v.Set(m[1], m[2])
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// stopLinks are the links of the list that stop something, by the app's name.
func (b *browser) stopLinks() map[string]string {
	links := map[string]string{}
	for _, m := range regexp.MustCompile(`href="(/manage/stop\?access=[^"]+)">Stop sharing with ([^<]+)<`).FindAllStringSubmatch(b.get(manage.Path).Body.String(), -1) {
		links[m[2]] = m[1]
	}
	return links
}

var offline = store.RefreshPolicy{Kind: store.RefreshOffline, Idle: 90 * 24 * time.Hour, Rotate: true}

// give redeems a grant.
func (e *env) give(user store.UserID, client store.ClientID, patient string, p store.RefreshPolicy, scopes ...string) store.GrantID {
	e.t.Helper()
	random := func(n int) []byte { b := make([]byte, n); _, _ = rand.Read(b); return b }
	if len(scopes) == 0 {
		scopes = []string{"patient/Observation.rs", "openid"}
	}
	i := store.Issue{
		Grant: store.Grant{
			ID: store.GrantID(base64.RawURLEncoding.EncodeToString(random(16))), ClientID: client, UserID: user, Patient: patient, Scopes: scopes, Refresh: p,
		},
		Code: store.AuthorizationCode{Hash: random(32), RedirectURI: "https://app.example.org/cb", CodeChallenge: "c", Life: time.Minute},
	}
	must(e.t, e.store.IssueCode(e.t.Context(), i))
	_, err := e.store.RedeemCode(e.t.Context(), store.Redemption{CodeHash: i.Code.Hash, ClientID: client, RedirectURI: i.Code.RedirectURI, CodeChallenge: "c"})
	must(e.t, err)
	return i.Grant.ID
}

func (e *env) alive(id store.GrantID) bool {
	e.t.Helper()
	g, err := e.store.Grant(e.t.Context(), id)
	must(e.t, err)
	return g.RevokedAt.IsZero()
}
