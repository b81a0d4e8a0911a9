package consent_test

import (
	"bytes"
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/internal/consent"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// memory holds one request and the sessions.
type memory struct {
	session.HalfStore // nobody here is half signed in
	request           store.AuthorizationRequest
	sessions          map[string]store.Session
	remembered        *store.RememberedConsent
}

func (m *memory) Request(_ context.Context, handle, browser []byte) (store.AuthorizationRequest, error) {
	if !bytes.Equal(handle, m.request.HandleHash) || !bytes.Equal(browser, m.request.BrowserHash) {
		return store.AuthorizationRequest{}, store.ErrNotFound
	}
	return m.request, nil
}

func (m *memory) SaveFacts(_ context.Context, r store.AuthorizationRequest) error {
	if r.Version != m.request.Version {
		return store.ErrConflict
	}
	r.Version++
	m.request = r
	return nil
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
	return s, nil
}

func (m *memory) TouchSession(context.Context, []byte, time.Time) error { return nil }

func (m *memory) EndSession(_ context.Context, hash []byte, _ string) error {
	delete(m.sessions, string(hash))
	return nil
}

func (m *memory) choice(context.Context, store.UserID, store.ClientID, string) (store.RememberedConsent, error) {
	if m.remembered == nil {
		return store.RememberedConsent{}, store.ErrNotFound
	}
	return *m.remembered, nil
}

// env is the approval step of one request of one person.
type env struct {
	t        rapid.TB
	store    *memory
	client   store.Client
	sessions *session.Sessions
	door     *consent.Door
	cookies  map[string]*http.Cookie
}

func newEnv(t rapid.TB, asked string, change func(*store.Client)) *env {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }
	log := slog.New(slog.DiscardHandler)
	e := &env{t: t, store: &memory{sessions: map[string]store.Session{}}, cookies: map[string]*http.Cookie{}}
	e.client = store.Client{ID: "app", Name: "Growth Tracker", AuthMethod: store.AuthNone, RedirectURIs: []string{"https://app.example.org/cb"}}
	if change != nil {
		change(&e.client)
	}
	var errs [4]error
	var pages *page.Renderer
	var way *flow.Flow
	e.sessions, errs[0] = session.New(session.Deps{Store: e.store, Idle: time.Hour, Absolute: time.Hour, Secure: true, Settle: func(context.Context) error { return nil }, Now: now})
	pages, errs[1] = page.New(page.Deps{Organisation: "Riverside Clinic", Secure: true, Now: now, Log: log})
	way, errs[2] = flow.New(flow.Deps{
		Store: e.store, Sessions: e.sessions, Pages: pages, Key: func() []byte { return make([]byte, 32) }, Now: now, Log: log,
		Client: func(store.ClientID) (store.Client, bool) { return e.client, true },
	})
	e.door, errs[3] = consent.New(consent.Deps{
		Remembered: e.store.choice, Flow: way, Sessions: e.sessions, Path: "/approve", Now: now,
		Person: func(_ context.Context, id store.UserID) (store.User, reach.Whom, error) {
			return store.User{ID: id, Display: "Maria Lopez", FHIRUser: "Patient/maria"}, reach.Of("maria"), nil
		},
		Patient: func(_ context.Context, id string) (reach.Patient, error) {
			return reach.Patient{ID: id, Name: "Maria Lopez"}, nil
		},
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	browser := e.sessions.Browser(w, httptest.NewRequest(http.MethodGet, "/", nil))
	e.keep(w)
	e.store.request = store.AuthorizationRequest{
		HandleHash: oauth.Hash("rq"), BrowserHash: browser, Version: 1, ClientID: "app", RedirectURI: e.client.RedirectURIs[0],
		Scopes: strings.Fields(asked), Patient: "maria", UserID: "maria", SessionHash: e.signIn(),
	}
	return e
}

func (e *env) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		e.cookies[c.Name] = c
	}
}

func (e *env) signIn() []byte {
	w := httptest.NewRecorder()
	who, _, err := e.sessions.Start(w, httptest.NewRequest(http.MethodGet, "/", nil), store.User{ID: "maria"}, []string{"pwd"})
	if err != nil {
		e.t.Fatal(err)
	}
	e.keep(w)
	return who.Hash()
}

func (e *env) serve(h http.HandlerFunc, r *http.Request) *httptest.ResponseRecorder {
	for _, c := range e.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h(w, r)
	return w
}

var ticketInput = regexp.MustCompile(`name="ticket"[^>]*value="([^"]*)"`)

// show reads the page and its ticket.
func (e *env) show() (body, ticket string) {
	e.t.Helper()
	w := e.serve(e.door.Show, httptest.NewRequest(http.MethodGet, "/approve?request=rq", nil))
	found := ticketInput.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil {
		e.t.Fatalf("the page: %d %s", w.Code, w.Body)
	}
	return w.Body.String(), html.UnescapeString(found[1])
}

func (e *env) post(form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/approve", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return e.serve(e.door.Post, r)
}

// allow ticks scopes on a page that is shown first.
func (e *env) allow(ticked []string, pairs ...string) store.AuthorizationRequest {
	e.t.Helper()
	_, ticket := e.show()
	form := url.Values{"request": {"rq"}, "ticket": {ticket}, "decision": {"allow"}, "scope": ticked}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	if w := e.post(form); w.Code != http.StatusSeeOther {
		e.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return e.store.request
}

const (
	problems = "?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"
	concerns = "?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern"
	labs     = "?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
)

// spec: CONS-03, CONS-04, CONS-05, CONS-09, CONS-10, CONS-11
// attack: CO-03, CO-09
func TestWhatIsTicked(t *testing.T) {
	for _, row := range []struct{ name, asked, ticked, want string }{
		{"CONS-03 one of two types", "patient/Condition.rs patient/Immunization.rs", "patient/Immunization.rs", "patient/Immunization.rs"},
		{"CONS-03 a type of a wildcard", "patient/*.rs", "patient/Immunization.rs", "patient/Immunization.rs"},
		{"CONS-03 in the words of version 1", "patient/*.read", "patient/Immunization.read", "patient/Immunization.read"},
		{"CONS-03 reading without writing", "patient/Observation.cruds", "patient/Observation.rs", "patient/Observation.rs"},
		{"CONS-03 writing of one type of a wildcard", "patient/*.cruds", "patient/Goal.cud", "patient/Goal.cud"},
		{"CONS-03 what no app writes is no choice", "patient/*.cruds", "patient/CareTeam.cud patient/Practitioner.cud patient/Patient.cud patient/Encounter.u", ""},
		{"CONS-03 what apps change of a patient", "patient/*.cruds", "patient/Patient.u", "patient/Patient.u"},
		{"CONS-04 one part", "patient/Condition.rs", "patient/Condition.rs" + problems, "patient/Condition.rs" + problems},
		{"CONS-04 two parts", "patient/Condition.rs", "patient/Condition.rs" + problems + " patient/Condition.rs" + concerns, "patient/Condition.rs" + problems + " patient/Condition.rs" + concerns},
		{"CONS-04 a part of a wildcard", "patient/*.rs", "patient/Observation.rs" + labs, "patient/Observation.rs" + labs},
		{"CONS-05 a part takes the place of the whole", "patient/Condition.rs", "patient/Condition.rs patient/Condition.rs" + problems, "patient/Condition.rs" + problems},
		{"CONS-05 in every scope of the type", "patient/*.rs patient/Condition.rs", "patient/Condition.rs patient/Condition.rs" + problems, "patient/Condition.rs" + problems},
		{"CONS-09 what says who it is stays", "openid fhirUser launch/patient patient/Condition.rs patient/Goal.rs", "patient/Goal.rs", "openid fhirUser launch/patient patient/Goal.rs"},
		{"CONS-10 nothing", "openid patient/Condition.rs", "", ""},
		{"CO-03 a scope of nobody's request", "patient/Condition.rs", "patient/Condition.rs patient/*.cruds user/*.rs offline_access", "patient/Condition.rs"},
		{"CO-03 only scopes of nobody's request", "openid patient/Condition.rs", "patient/Immunization.rs", ""},
		{"CO-03 a part that was not offered", "patient/Condition.rs", "patient/Condition.rs?category=x|y", ""},
		{"CONS-08 lasting access refused", "patient/Goal.rs offline_access", "patient/Goal.rs", "patient/Goal.rs"},
		{"CONS-08 lasting access", "patient/Goal.rs offline_access", "patient/Goal.rs offline_access", "patient/Goal.rs offline_access"},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := newEnv(t, row.asked, nil).allow(strings.Fields(row.ticked))
			if row.want == "" {
				if q.Refused != "access_denied" || q.ApprovedSet {
					t.Errorf("approved %v, refused %q", q.Approved, q.Refused)
				}
				return
			}
			if !slices.Equal(q.Approved, strings.Fields(row.want)) || !q.ApprovedSet || q.Refused != "" {
				t.Errorf("approved %v, refused %q", q.Approved, q.Refused)
			}
		})
	}
}

// Whatever a form says, nothing is approved beyond what was asked for.
//
// spec: CONS-11
// attack: CO-03
func TestNeverMoreThanWasAsked(t *testing.T) {
	pool := []string{
		"openid", "launch/patient", "offline_access", "patient/*.rs", "patient/*.read", "patient/*.cruds", "patient/Condition.rs", "patient/Condition.r",
		"patient/Observation.rs", "patient/Observation.cu", "user/*.rs", "user/Patient.rs", "patient/Condition.rs" + problems, "patient/Observation.rs" + labs,
	}
	rapid.Check(t, func(t *rapid.T) {
		asked := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, 6, rapid.ID).Draw(t, "asked")
		ticked := rapid.SliceOfDistinct(rapid.SampledFrom(pool), rapid.ID).Draw(t, "ticked")
		set := smart.NewScopeSet(asked)
		for _, text := range newEnv(t, strings.Join(asked, " "), nil).allow(ticked).Approved {
			scope, err := smart.ParseScope(text)
			if err != nil && !set.Has(text) || err == nil && !set.Covers(scope) {
				t.Fatalf("asked %v, ticked %v: %s was approved", asked, ticked, text)
			}
		}
	})
}

// spec: CONS-14, CONS-15, CONS-20
func TestHowLongAndWhetherToAsk(t *testing.T) {
	native := func(c *store.Client) { c.RedirectURIs = []string{"org.example.app:/cb"} }
	own := func(c *store.Client) { c.RefreshLife = time.Hour }
	for _, row := range []struct {
		name         string
		client       func(*store.Client)
		duration     string
		wantLife     time.Duration
		wantRemember bool
	}{
		{"CONS-20 a day", nil, "day", 24 * time.Hour, true},
		{"CONS-20 three months", nil, "quarter", 93 * 24 * time.Hour, true},
		{"CONS-20 a year", nil, "year", 365 * 24 * time.Hour, true},
		{"CONS-20 for ever is no choice", nil, "ever", 0, true},
		{"CONS-20 a client with its own length", own, "year", 0, true},
		{"CONS-15 a private scheme is asked again", native, "quarter", 93 * 24 * time.Hour, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := newEnv(t, "patient/Goal.rs offline_access", row.client).allow([]string{"patient/Goal.rs", "offline_access"}, "duration", row.duration, "remember", "yes")
			if q.RefreshLife != row.wantLife || q.Remember != row.wantRemember {
				t.Errorf("life %v, remember %v", q.RefreshLife, q.Remember)
			}
		})
	}
}

// The last choice is filled in, and nothing is ticked that was left out.
//
// spec: CONS-14, CONS-16
func TestTheLastChoiceIsFilledIn(t *testing.T) {
	e := newEnv(t, "patient/Goal.rs patient/Immunization.rs patient/CarePlan.rs", nil)
	e.store.remembered = &store.RememberedConsent{Requested: []string{"patient/Goal.rs", "patient/Immunization.rs"}, Approved: []string{"patient/Goal.rs"}}
	body, _ := e.show()
	for value, want := range map[string]bool{"patient/Goal.rs": true, "patient/Immunization.rs": false, "patient/CarePlan.rs": true} {
		input := regexp.MustCompile(`<input[^>]*value="` + regexp.QuoteMeta(value) + `"[^>]*>`).FindString(body)
		if input == "" || strings.Contains(input, "checked") != want {
			t.Errorf("%s: want ticked %v in %q", value, want, input)
		}
	}
}

// A form counts once, from the page, browser and session that it was shown in.
//
// spec: CONS-17, LOGIN-16
// attack: CO-01, AZ-28
func TestFormsThatAreNotAccepted(t *testing.T) {
	form := func(ticket string) url.Values {
		return url.Values{"request": {"rq"}, "ticket": {ticket}, "decision": {"allow"}, "scope": {"patient/Goal.rs"}}
	}
	for _, row := range []struct {
		name string
		post func(e *env, ticket string) *httptest.ResponseRecorder
		want int
	}{
		{"CO-01 no ticket", func(e *env, _ string) *httptest.ResponseRecorder { return e.post(form("")) }, http.StatusForbidden},
		{"CO-01 from another site", func(e *env, ticket string) *httptest.ResponseRecorder {
			return e.post(form(ticket), "Sec-Fetch-Site", "cross-site")
		}, http.StatusForbidden},
		{"CO-01 from a sister site", func(e *env, ticket string) *httptest.ResponseRecorder {
			return e.post(form(ticket), "Sec-Fetch-Site", "same-site")
		}, http.StatusForbidden},
		{"CO-01 from nowhere", func(e *env, ticket string) *httptest.ResponseRecorder {
			return e.post(form(ticket), "Origin", "null")
		}, http.StatusForbidden},
		{"CO-01 another session", func(e *env, ticket string) *httptest.ResponseRecorder {
			e.signIn()
			return e.post(form(ticket))
		}, http.StatusSeeOther},
		{"CONS-17 another browser", func(e *env, ticket string) *httptest.ResponseRecorder {
			delete(e.cookies, "__Host-emberlatch_browser")
			return e.post(form(ticket))
		}, http.StatusBadRequest},
		{"CONS-17 the ticket of before", func(e *env, ticket string) *httptest.ResponseRecorder {
			e.store.request.Version++
			return e.post(form(ticket))
		}, http.StatusForbidden},
		{"no button", func(e *env, ticket string) *httptest.ResponseRecorder {
			v := form(ticket)
			v.Del("decision")
			return e.post(v)
		}, http.StatusSeeOther},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t, "patient/Goal.rs", nil)
			_, ticket := e.show()
			w := row.post(e, ticket)
			if w.Code != row.want || e.store.request.ApprovedSet || e.store.request.Refused != "" {
				t.Errorf("status %d, want %d; approved %v", w.Code, row.want, e.store.request.Approved)
			}
		})
	}
}

// Languages from outside are chosen among those that exist.
//
// attack: CO-15
func TestLanguagesFromOutside(t *testing.T) {
	for _, header := range []string{strings.Repeat("xx,", 20000), strings.Repeat("a", 60000), "../../etc/passwd", "es;q=zzz", "\u202e"} {
		e := newEnv(t, "patient/Goal.rs", nil)
		r := httptest.NewRequest(http.MethodGet, "/approve?request=rq", nil)
		r.Header.Set("Accept-Language", header)
		if w := e.serve(e.door.Show, r); w.Code != http.StatusOK || !regexp.MustCompile(`<html lang="(en|es)"`).Match(w.Body.Bytes()) {
			t.Errorf("%.20q: %d", header, w.Code)
		}
	}
}
