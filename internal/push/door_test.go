package push_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/push"
	"github.com/emberlatch/emberlatch/internal/store"
)

// keeper keeps what is pushed, or fails.
type keeper struct {
	kept []store.PushedRequest
	err  error
}

func (k *keeper) CreatePushedRequest(_ context.Context, p store.PushedRequest) error {
	if k.err == nil {
		k.kept = append(k.kept, p)
	}
	return k.err
}

// anybody lets everybody in as nobody, whose client has no name.
type anybody struct{}

func (anybody) Authenticate(*http.Request, oauth.Parameters) (clientauth.Authenticated, *oauth.Error) {
	return clientauth.Authenticated{}, nil
}

// busy is a failure that passes.
type busy struct{}

func (busy) Error() string   { return "the database is busy: secret" }
func (busy) Temporary() bool { return true }

func ask(t *testing.T, k *keeper, checked store.AuthorizationRequest) *httptest.ResponseRecorder {
	t.Helper()
	d, err := push.New(push.Deps{
		Requests: k, Clients: anybody{}, Check: func(oauth.Parameters) (store.AuthorizationRequest, *oauth.Error) { return checked, nil },
		IsOriginOf: func(store.Client, string) bool { return false }, Address: func(*http.Request) string { return "192.0.2.0" }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/par", strings.NewReader("response_type=code"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// A failure of the store is told without its reason, and no reference leaves.
func TestWhatCannotBeKept(t *testing.T) {
	for _, row := range []struct {
		err    error
		status int
		code   string
	}{
		{fmt.Errorf("storing: %w", store.ErrFull), http.StatusTooManyRequests, "temporarily_unavailable"},
		{busy{}, http.StatusServiceUnavailable, "temporarily_unavailable"}, {errors.New("secret"), http.StatusInternalServerError, "server_error"},
	} {
		w := ask(t, &keeper{err: row.err}, store.AuthorizationRequest{})
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.code) || strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "urn:") {
			t.Errorf("%v: %d %s", row.err, w.Code, w.Body)
		}
		if full := errors.Is(row.err, store.ErrFull); full != (w.Header().Get("Retry-After") == "90") {
			t.Errorf("%v: Retry-After %q", row.err, w.Header().Get("Retry-After"))
		}
	}
}

// What is checked is kept for the client that has proven itself, and for no other.
func TestAClientPushesForItself(t *testing.T) {
	k := &keeper{}
	if w := ask(t, k, store.AuthorizationRequest{ClientID: "another"}); w.Code != http.StatusBadRequest || len(k.kept) != 0 {
		t.Errorf("%d %s, kept %v", w.Code, w.Body, k.kept)
	}
	w := ask(t, k, store.AuthorizationRequest{})
	if w.Code != http.StatusCreated || len(k.kept) != 1 || k.kept[0].Life.Seconds() != 90 || strings.Contains(w.Body.String(), string(k.kept[0].ReferenceHash)) {
		t.Errorf("%d %s, kept %v", w.Code, w.Body, k.kept)
	}
}

// Whoever has not proven who they are, or is known to nobody, is counted by network.
func TestWhoIsCounted(t *testing.T) {
	for name, row := range map[string]struct {
		client store.Client
		want   string
	}{
		"public":                              {store.Client{Trusted: true, AuthMethod: store.AuthNone}, "192.0.2.0"},
		"confidential, registered by itself":  {store.Client{AuthMethod: store.AuthSecretBasic}, "192.0.2.0"},
		"confidential, added by the operator": {store.Client{AuthMethod: store.AuthSecretBasic, Trusted: true}, ""},
	} {
		if got := push.Counted(row.client, "192.0.2.0"); got != row.want {
			t.Errorf("%s: counted by %q", name, got)
		}
	}
}

func TestPartsAreRequired(t *testing.T) {
	if _, err := push.New(push.Deps{}); err == nil {
		t.Error("a door without parts")
	}
}
