package testenv

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

// RelyingParty is an app that is told of logouts; a library of apps judges what it gets.
type RelyingParty struct {
	URL string

	t        testing.TB
	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
	tokens   []*oidc.LogoutToken
	raw      []string
}

// RelyingParty listens until the test ends. Before answering it calls delay.
func (e *Env) RelyingParty(delay func()) *RelyingParty {
	e.t.Helper()
	rp := &RelyingParty{t: e.t}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		delay()
		if err := rp.take(r); err != nil {
			e.t.Errorf("a logout token is not good: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
	}))
	e.t.Cleanup(s.Close)
	rp.URL = s.URL + "/logout"
	return rp
}

// Is tells the relying party which client it is.
func (rp *RelyingParty) Is(c *Client, algorithm string) {
	rp.t.Helper()
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), c.env.client), c.env.URL)
	if err != nil {
		rp.t.Fatal(err)
	}
	rp.mu.Lock()
	defer rp.mu.Unlock()
	rp.verifier = provider.Verifier(&oidc.Config{ClientID: c.ID, SupportedSigningAlgs: []string{algorithm}})
}

// Verifier judges tokens of the server.
func (rp *RelyingParty) Verifier() *oidc.IDTokenVerifier {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	return rp.verifier
}

func (rp *RelyingParty) take(r *http.Request) error {
	raw := r.PostFormValue("logout_token")
	token, err := rp.Verifier().VerifyLogout(r.Context(), raw)
	if err != nil {
		return err
	}
	rp.mu.Lock()
	defer rp.mu.Unlock()
	rp.tokens, rp.raw = append(rp.tokens, token), append(rp.raw, raw)
	return nil
}

// Told are the logouts that it was told of.
func (rp *RelyingParty) Told() ([]*oidc.LogoutToken, []string) {
	rp.mu.Lock()
	defer rp.mu.Unlock()
	return append([]*oidc.LogoutToken(nil), rp.tokens...), append([]string(nil), rp.raw...)
}
