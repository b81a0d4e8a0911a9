package token_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/token"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/smart"
)

// away is a store that cannot be asked.
type away struct{ err error }

func (a away) RedeemCode(context.Context, store.Redemption) (store.Grant, error) {
	return store.Grant{}, a.err
}

func (a away) RedeemPromised(context.Context, store.PromisedGrant, store.Redemption) (store.Grant, error) {
	return store.Grant{}, a.err
}

func (a away) RefreshGrant(context.Context, store.Refresh) (store.Refreshed, error) {
	return store.Refreshed{}, a.err
}

func (a away) StandingGrant(context.Context, store.Standing) (store.Grant, error) {
	return store.Grant{}, a.err
}

// busy is a failure that passes.
type busy struct{}

func (busy) Error() string   { return "the database is busy" }
func (busy) Temporary() bool { return true }

// apps are the registered clients: one, public.
type apps struct{}

func (apps) Client(id store.ClientID) (store.Client, bool) {
	return store.Client{
		ID: "a", AuthMethod: store.AuthNone, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
	}, id == "a"
}

// noKeys and nothing: no client proves itself by an assertion here.
type (
	noKeys  struct{}
	nothing struct{}
)

func (noKeys) Find(context.Context, store.Client, string, string) (clientkey.Key, error) {
	return clientkey.Key{}, clientkey.ErrNoKey
}

func (nothing) UseAssertion(context.Context, store.Assertion) error { return store.ErrReplayed }

// minter reads any refresh token as the first of a grant.
type minter struct{ *tokens.Tokens }

func (minter) ParseRefreshToken(string) (tokens.RefreshName, bool) {
	return tokens.RefreshName{GrantID: "g", ClientID: "a"}, true
}

// ParsePromisedCode knows one code, "promised".
func (minter) ParsePromisedCode(text string) (store.PromisedGrant, bool) {
	return store.PromisedGrant{Grant: store.Grant{ID: "g", ClientID: "a"}}, text == "promised"
}

func newDoor(t *testing.T, err error) *token.Door {
	t.Helper()
	return doorOn(t, away{err}, func(*token.Deps) {})
}

// doorOn is a door on some store, with changes.
func doorOn(t *testing.T, grants token.Grants, change func(*token.Deps)) *token.Door {
	t.Helper()
	clients, fault := clientauth.New(clientauth.Deps{
		Clients: apps{}, Keys: noKeys{}, Assertions: nothing{}, Audiences: []string{"https://ehr.example.org"}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if fault != nil {
		t.Fatal(fault)
	}
	deps := token.Deps{
		Grants: grants, Clients: clients, Minter: minter{},
		Client: apps{}.Client, IsOriginOf: func(store.Client, string) bool { return true }, Offered: func(s smart.ScopeSet) smart.ScopeSet { return s },
		Entitled:   func(context.Context, store.User, string) (bool, error) { return true, nil },
		Revoke:     func(context.Context, store.Revocation) (int, error) { return 0, nil },
		Ended:      func(store.GrantID) {},
		NewGrantID: func() store.GrantID { return "g" }, FHIRBase: "https://ehr.example.org/fhir", RefreshGrace: time.Second, Log: slog.New(slog.DiscardHandler),
	}
	change(&deps)
	d, fault := token.New(deps)
	if fault != nil {
		t.Fatal(fault)
	}
	return d
}

// A store that cannot be asked is never told as a mistake of the app: it would
// throw a good token away.
func TestAStoreThatIsAwayIsNotTheClientsMistake(t *testing.T) {
	for name, form := range map[string]url.Values{
		"a code":                        {"grant_type": {"authorization_code"}, "client_id": {"a"}, "code": {"c"}, "redirect_uri": {"https://a.example.org/cb"}, "code_verifier": {strings.Repeat("v", 43)}},
		"a code that carries its grant": {"grant_type": {"authorization_code"}, "client_id": {"a"}, "code": {"promised"}, "redirect_uri": {"https://a.example.org/cb"}, "code_verifier": {strings.Repeat("v", 43)}},
		"a code without its verifier":   {"grant_type": {"authorization_code"}, "client_id": {"a"}, "code": {"c"}, "redirect_uri": {"https://a.example.org/cb"}},
		"a refresh token":               {"grant_type": {"refresh_token"}, "client_id": {"a"}, "refresh_token": {"r"}},
		"a narrowed one":                {"grant_type": {"refresh_token"}, "client_id": {"a"}, "refresh_token": {"r"}, "scope": {"openid"}},
		"one without a client_id":       {"grant_type": {"refresh_token"}, "refresh_token": {"r"}},
	} {
		for status, err := range map[int]error{http.StatusServiceUnavailable: busy{}, http.StatusInternalServerError: errors.New("disk gone")} {
			r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			newDoor(t, err).ServeHTTP(w, r)
			if w.Code != status {
				t.Errorf("%s, %v: %d %s", name, err, w.Code, w.Body)
			}
		}
	}
}
