package authorize_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/authorize"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

const (
	issuer = "https://auth.example.org"
	base   = issuer + "/fhir"
	// challenge is the example of RFC 7636, appendix B.
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// memory is the part of the store contract that a request passes through.
type memory struct {
	session.HalfStore // nobody here is half signed in
	mu                sync.Mutex
	requests          map[string]store.AuthorizationRequest
	sessions          map[string]store.Session
	issued            []store.Issue
	promised          []store.PromisedGrant
	decisions         []store.ConsentDecision
	remembered        store.RememberedConsent
	broken            error                   // what every call about requests and codes answers, when set
	launches          map[string]store.Launch // by launch value
	pushed            map[string]store.PushedRequest
}

func (m *memory) CreateRequest(_ context.Context, r store.AuthorizationRequest) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[string(r.HandleHash)] = r
	return m.broken
}

// PushedRequest knows what a test has pushed; Life is not counted here.
func (m *memory) PushedRequest(_ context.Context, hash []byte, client store.ClientID) (store.PushedRequest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.pushed[string(hash)]
	if !ok || p.Request.ClientID != client {
		return store.PushedRequest{}, store.ErrNotFound
	}
	return p, nil
}

func (m *memory) UsePushedRequest(_ context.Context, hash []byte, client store.ClientID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.pushed[string(hash)]
	if m.broken != nil {
		return m.broken
	}
	if p.Used || p.Request.ClientID != client {
		return store.ErrConsumed
	}
	p.Used = true
	m.pushed[string(hash)] = p
	return nil
}

// ConsumeLaunch knows the launches that a test has made.
func (m *memory) ConsumeLaunch(_ context.Context, hash []byte, client store.ClientID) (store.Launch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for value, l := range m.launches {
		if bytes.Equal(oauth.Hash(value), hash) && l.ClientID == client {
			delete(m.launches, value)
			return l, nil
		}
	}
	return store.Launch{}, store.ErrNotFound
}

func (m *memory) ClaimRequest(_ context.Context, handle, unclaimed, browser []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.requests[string(handle)]
	if !ok || !bytes.Equal(r.BrowserHash, unclaimed) {
		return store.ErrNotFound
	}
	r.BrowserHash = browser
	m.requests[string(handle)] = r
	return nil
}

func (m *memory) Request(_ context.Context, handle, browser []byte) (store.AuthorizationRequest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.requests[string(handle)]
	if !ok || !bytes.Equal(r.BrowserHash, browser) {
		return store.AuthorizationRequest{}, store.ErrNotFound
	}
	return r, m.broken
}

func (m *memory) SaveFacts(_ context.Context, r store.AuthorizationRequest) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests[string(r.HandleHash)].Version != r.Version {
		return store.ErrConflict
	}
	r.Version++
	m.requests[string(r.HandleHash)] = r
	return nil
}

// answer marks a request; the caller holds the lock.
func (m *memory) answer(handle []byte) error {
	r := m.requests[string(handle)]
	if !r.AnsweredAt.IsZero() {
		return store.ErrConsumed
	}
	r.AnsweredAt = time.Unix(1, 0)
	m.requests[string(handle)] = r
	return nil
}

func (m *memory) AnswerRequest(_ context.Context, handle []byte, d *store.ConsentDecision) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.answer(handle); err != nil {
		return err
	}
	if d != nil {
		m.decisions = append(m.decisions, *d)
	}
	return nil
}

func (m *memory) IssueCode(_ context.Context, i store.Issue) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	if i.RequestHandleHash != nil {
		if err := m.answer(i.RequestHandleHash); err != nil {
			return err
		}
	}
	m.issued = append(m.issued, i)
	return nil
}

// promise makes a code that carries its grant, up to some scopes.
func (m *memory) promise(p store.PromisedGrant) string {
	if len(p.Grant.Scopes) > 8 {
		return ""
	}
	m.promised = append(m.promised, p)
	return "ac_promised"
}

func (m *memory) Remembered(_ context.Context, u store.UserID, c store.ClientID, patient string) (store.RememberedConsent, error) {
	if r := m.remembered; r.UserID != u || r.ClientID != c || r.Patient != patient {
		return store.RememberedConsent{}, store.ErrNotFound
	}
	return m.remembered, nil
}

func (m *memory) CreateSession(_ context.Context, s store.Session) error {
	m.sessions[string(s.IDHash)] = s
	return nil
}

func (m *memory) ContinueSession(ctx context.Context, s store.Session, old []byte) error {
	delete(m.sessions, string(old))
	return m.CreateSession(ctx, s)
}

func (m *memory) Session(_ context.Context, hash []byte) (store.Session, error) {
	s, ok := m.sessions[string(hash)]
	if !ok {
		return s, store.ErrNotFound
	}
	s.ReadAt = s.CreatedAt.Add(skew) // the database's clock is another one
	return s, nil
}

func (m *memory) TouchSession(context.Context, []byte, time.Time) error { return nil }

func (m *memory) EndSession(_ context.Context, hash []byte, _ string) error {
	delete(m.sessions, string(hash))
	return nil
}

// skew is how far the clock of the database is ahead.
const skew = 90 * time.Second

// env is the endpoint with one browser.
type env struct {
	t        testing.TB
	store    *memory
	sessions *session.Sessions
	clients  map[store.ClientID]store.Client
	users    map[store.UserID]store.User
	reach    map[store.UserID][]string
	clock    time.Time
	deps     authorize.Deps
	door     *authorize.Door
	cookies  map[string]*http.Cookie
	noVisits bool // nobody has a visit to choose
}

const all = "openid fhirUser profile launch launch/patient launch/encounter patient/*.cruds user/*.rs offline_access online_access"

func client(id, kind string, uris ...string) store.Client {
	c := store.Client{
		ID: store.ClientID(id), Name: id, ApplicationType: store.ApplicationWeb, AuthMethod: store.AuthSecretBasic, RedirectURIs: uris,
		Scope: all, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, Trusted: true,
	}
	if kind == "public" {
		c.AuthMethod, c.ApplicationType = store.AuthNone, store.ApplicationBrowser
	}
	if kind == "native" {
		c.AuthMethod, c.ApplicationType = store.AuthNone, store.ApplicationNative
	}
	return c
}

func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{
		t: t, clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), cookies: map[string]*http.Cookie{},
		store:   &memory{requests: map[string]store.AuthorizationRequest{}, sessions: map[string]store.Session{}, pushed: map[string]store.PushedRequest{}},
		clients: map[store.ClientID]store.Client{},
		users: map[store.UserID]store.User{
			"maria": {ID: "maria", Username: "maria", Role: store.RolePatient, FHIRUser: "Patient/maria"},
			"anna":  {ID: "anna", Username: "anna", Role: store.RolePatient, FHIRUser: "Patient/anna"},
			"chen":  {ID: "chen", Username: "chen", Role: store.RolePractitioner, FHIRUser: "Practitioner/chen"},
			"lost":  {ID: "lost", Username: "lost", Role: store.RolePatient, FHIRUser: "Patient/lost"},
		},
		reach: map[store.UserID][]string{"maria": {"maria"}, "anna": {"anna", "leo"}, "chen": {"maria"}},
	}
	for _, c := range []store.Client{
		client("web", "confidential", "https://web.example.org/cb?keep=1", "https://other.example.org/cb"),
		client("browser", "public", "https://browser.example.org/cb"),
		client("native", "native", "http://127.0.0.1/cb", "org.example.app:/cb"),
		client("desktop", "confidential", store.OutOfBand),
	} {
		e.clients[c.ID] = c
	}
	now := func() time.Time { return e.clock }
	log := slog.New(slog.DiscardHandler)
	sessions, err := session.New(session.Deps{Store: e.store, Idle: time.Hour, Absolute: 12 * time.Hour, Secure: true, Settle: func(context.Context) error { return nil }, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Deps{Organisation: "Riverside Clinic", Secure: true, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	find := func(id store.ClientID) (store.Client, bool) { c, ok := e.clients[id]; return c, ok }
	way, err := flow.New(flow.Deps{Store: e.store, Sessions: sessions, Pages: pages, Client: find, Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	e.sessions = sessions
	e.deps = authorize.Deps{
		Store: e.store, Flow: way, Sessions: sessions, Client: find, Person: e.person,
		HasVisits: func(context.Context, store.User, string) (bool, error) { return !e.noVisits, nil },
		Offered:   func(asked smart.ScopeSet) smart.ScopeSet { return asked },
		HintedUser: func(text string) (store.UserID, bool) {
			user, ours := strings.CutPrefix(text, "hint-")
			return store.UserID(user), ours
		},
		LoginPath: "/login", PatientPath: "/choose", EncounterPath: "/choose/encounter", ApprovePath: "/approve", Issuer: issuer, FHIRBase: base,
		CodeLife: time.Minute, RefreshIdle: 93 * 24 * time.Hour, PromisedCode: e.store.promise, NewID: func() string { return "id" }, Now: now, Log: log, OfferPushed: true,
	}
	e.open(nil)
	return e
}

// open makes the door anew with other parts.
func (e *env) open(change func(*authorize.Deps)) {
	e.t.Helper()
	if change != nil {
		change(&e.deps)
	}
	var err error
	if e.door, err = authorize.New(e.deps); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) person(_ context.Context, id store.UserID) (store.User, reach.Whom, error) {
	u, ok := e.users[id]
	if !ok {
		return u, reach.Whom{}, store.ErrNotFound
	}
	return u, reach.Of(e.reach[id]...), nil
}

// answer is what the endpoint said.
type answer struct {
	status   int
	header   http.Header
	body     string
	location *url.URL
}

// query is a parameter that went to the app.
func (a answer) query(name string) string {
	if a.location == nil {
		return ""
	}
	return a.location.Query().Get(name)
}

// outcome is the code, the error, the path of the next step, or "page".
func (a answer) outcome() string {
	switch {
	case a.location == nil:
		return "page"
	case a.query("error") != "":
		return a.query("error")
	case a.query("code") != "":
		return "code"
	}
	return a.location.Path
}

func (e *env) serve(h http.HandlerFunc, r *http.Request) answer {
	e.t.Helper()
	for _, c := range e.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h(w, r)
	for _, c := range w.Result().Cookies() {
		e.cookies[c.Name] = c
	}
	body, _ := io.ReadAll(w.Body)
	a := answer{status: w.Code, header: w.Header(), body: string(body)}
	if to := w.Header().Get("Location"); to != "" {
		var err error
		if a.location, err = url.Parse(to); err != nil {
			e.t.Fatalf("Location %q: %v", to, err)
		}
	}
	return a
}

// values is a complete request; pairs replace parameters, or remove them when empty.
func (e *env) values(id, scope string, pairs ...string) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {id}, "redirect_uri": {e.clients[store.ClientID(id)].RedirectURIs[0]}, "scope": {scope},
		"state": {"st"}, "aud": {base}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v
}

// begin sends a request; a stored one is followed to its next step.
func (e *env) begin(v url.Values) answer {
	e.t.Helper()
	a := e.serve(e.door.ServeHTTP, httptest.NewRequest(http.MethodGet, issuer+"/authorize?"+v.Encode(), nil))
	if a.location != nil && a.location.Path == flow.ContinuePath {
		return e.continues(a.query("request"))
	}
	return a
}

func (e *env) continues(handle string) answer {
	e.t.Helper()
	target := issuer + flow.ContinuePath + "?" + url.Values{"request": {handle}}.Encode()
	return e.serve(e.door.Continue, httptest.NewRequest(http.MethodGet, target, nil))
}

// signIn gives the browser a session.
func (e *env) signIn(user store.UserID) session.Authenticated {
	e.t.Helper()
	w := httptest.NewRecorder()
	who, _, err := e.sessions.Start(w, httptest.NewRequest(http.MethodGet, "/", nil), store.User{ID: user}, []string{"pwd"})
	if err != nil {
		e.t.Fatal(err)
	}
	for _, c := range w.Result().Cookies() {
		e.cookies[c.Name] = c
	}
	return who
}

// approve writes the fact of the approval page into the only stored request, and
// returns what was stored.
func (e *env) approve(scopes string, change func(*store.AuthorizationRequest)) {
	e.t.Helper()
	for key, r := range e.store.requests {
		r.Approved, r.ApprovedSet = strings.Fields(scopes), true
		if change != nil {
			change(&r)
		}
		e.store.requests[key] = r
	}
}

func sameScopes(got []string, want string) bool { return slices.Equal(got, strings.Fields(want)) }
