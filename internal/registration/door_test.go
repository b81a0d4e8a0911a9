package registration_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/registration"
	"github.com/emberlatch/emberlatch/internal/store"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memory is a store with one client and one initial access token, and with what
// happens between two calls.
type memory struct {
	client   store.Client
	token    []byte
	down     error
	onChange []error // the outcomes of changes, one after another
	between  func()  // before each outcome
	limit    int
}

func (m *memory) InitialAccessToken(_ context.Context, hash []byte) (store.InitialAccessToken, error) {
	if m.down != nil {
		return store.InitialAccessToken{}, m.down
	}
	if string(hash) != string(m.token) {
		return store.InitialAccessToken{}, store.ErrNotFound
	}
	return store.InitialAccessToken{ID: "t", Hash: hash}, nil
}

func (m *memory) RegisterClient(_ context.Context, r store.Registration) error {
	m.limit = r.Limit
	if err := m.outcome(); err != nil {
		return err
	}
	m.client = r.Client
	return nil
}

func (m *memory) Client(_ context.Context, id store.ClientID) (store.Client, error) {
	if m.down != nil {
		return store.Client{}, m.down
	}
	if id != m.client.ID {
		return store.Client{}, store.ErrNotFound
	}
	return m.client, nil
}

func (m *memory) outcome() error {
	if m.between != nil {
		m.between()
	}
	if len(m.onChange) == 0 {
		return nil
	}
	err := m.onChange[0]
	m.onChange = m.onChange[1:]
	return err
}

func (m *memory) ChangeClient(_ context.Context, c store.Client, _ store.Event) error {
	err := m.outcome()
	if err == nil {
		m.client = c
	}
	return err
}

func (m *memory) RemoveClient(context.Context, store.Client, store.Event) error { return m.outcome() }

func (m *memory) Count(context.Context, string, time.Duration) (int, time.Time, error) {
	return 1, now, nil
}

// open makes a door over a memory that holds a registered client; token is its
// registration access token.
func open(t *testing.T) (m *memory, d *registration.Door, token string) {
	t.Helper()
	registrar, err := register.New(register.Deps{Now: func() time.Time { return now }, Self: register.Policy{Scope: "openid patient/*.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	m = &memory{token: oauth.Hash("it_x")}
	d, err = registration.New(registration.Deps{
		Store: m, Registrar: registrar, Settle: func(context.Context) error { return nil }, Endpoint: "https://auth.example.org/register", Limit: 7,
		Address: func(*http.Request) string { return "a" }, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := registrar.RegisterSelf([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	token = "ra_secret"
	c.RegistrationHash = oauth.Hash(token)
	m.client = c
	return m, d, token
}

const document = `{"redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"none"}`

func ask(h http.HandlerFunc, method, id, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/register/"+id, strings.NewReader(body))
	r.SetPathValue("id", id)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h(w, r)
	return w
}

// When another hand is faster, a change is judged anew with what is there now; it
// never undoes what the operator did meanwhile.
//
// spec: REG-16, REG-17
func TestChangesMeet(t *testing.T) {
	for name, row := range map[string]struct {
		outcomes []error
		between  func(m *memory)
		want     int
	}{
		"alone":             {nil, nil, 200},
		"once slower":       {[]error{store.ErrConflict}, nil, 200},
		"always slower":     {[]error{store.ErrConflict, store.ErrConflict, store.ErrConflict}, nil, 503},
		"disabled between":  {[]error{store.ErrConflict}, func(m *memory) { m.client.Disabled = true }, 401},
		"removed between":   {[]error{store.ErrNotFound}, func(m *memory) { m.client = store.Client{} }, 401},
		"the store is down": {[]error{context.DeadlineExceeded}, nil, 503},
		"the store breaks":  {[]error{errors.New("no such table")}, nil, 500},
	} {
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			m, d, token := open(t)
			id := string(m.client.ID)
			m.onChange = row.outcomes
			if row.between != nil {
				m.between = func() { row.between(m) }
			}
			want := row.want
			if want == 200 && method == http.MethodDelete {
				want = 204
			}
			w := ask(d.Manage, method, id, token, `{"client_id":"`+id+`","redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"none","client_name":"B"}`)
			if w.Code != want || strings.Contains(w.Body.String(), "table") {
				t.Errorf("%s, %s: %d %s", name, method, w.Code, w.Body)
			}
		}
	}
}

// A token that was good when it was looked at may be used up when it is taken.
//
// attack: DC-01
func TestATokenIsUsedUpMeanwhile(t *testing.T) {
	for name, row := range map[string]struct {
		outcome error
		want    int
	}{
		"taken": {nil, 201}, "used up": {store.ErrConsumed, 401}, "full": {store.ErrFull, 503}, "down": {context.DeadlineExceeded, 503}, "broken": {errors.New("no such table"), 500},
	} {
		m, d, _ := open(t)
		m.client, m.onChange = store.Client{}, []error{row.outcome}
		w := ask(d.Register, http.MethodPost, "", "it_x", document)
		if w.Code != row.want || (m.client.ID != "") != (row.want == 201) || m.limit != 7 || w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "table") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if m.client.ID != "" && (!m.client.SelfRegistered || m.client.RegisteredWith != "t" || len(m.client.RegistrationHash) != 32) {
			t.Errorf("%s: stored %+v", name, m.client)
		}
	}
	m, d, token := open(t)
	m.down = context.DeadlineExceeded
	if w := ask(d.Register, http.MethodPost, "", "it_x", document); w.Code != 503 {
		t.Errorf("a store that cannot be asked: %d", w.Code)
	}
	if w := ask(d.Manage, http.MethodGet, string(m.client.ID), token, ""); w.Code != 503 {
		t.Errorf("a store that cannot be asked: %d", w.Code)
	}
}

func TestMissingPartsAreRefused(t *testing.T) {
	if _, err := registration.New(registration.Deps{}); err == nil {
		t.Error("a door without parts")
	}
}
