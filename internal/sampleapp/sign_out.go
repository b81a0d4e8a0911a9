package sampleapp

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
)

// identity is what the app keeps of an ID token.
type identity struct {
	raw      string // the hint with which it signs the person out
	fhirUser string
	sid      string // the session at the server, which ends by a logout token
}

// signedOut is where the server sends the browser afterwards, and told is where it
// posts logout tokens; both are registered.
const (
	signedOut = "/signed-out"
	told      = "/backchannel-logout"
)

// signOut forgets everything that is open in this browser, and signs the person out at
// the server (OpenID Connect RP-Initiated Logout 1.0 §2). What the app may read when
// nobody is there it still may: giving that back is Disconnect.
func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	v := a.visitOf(w, r)
	c := v.connection(chartOf(r))
	v.closeAll(func(*connection) bool { return true })
	if c == nil || c.identity.raw == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	end, err := a.endSession(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	q := end.Query()
	q.Set("id_token_hint", c.identity.raw)
	q.Set("post_logout_redirect_uri", a.deps.BaseURL+signedOut)
	end.RawQuery = q.Encode()
	http.Redirect(w, r, end.String(), http.StatusSeeOther)
}

// endSession is where the server signs people out (§2.1).
func (a *App) endSession(ctx context.Context) (*url.URL, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, a.http), a.deps.Issuer)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, err
	}
	if metadata.EndSession == "" {
		return nil, errors.New("the server signs nobody out")
	}
	return url.Parse(metadata.EndSession)
}

// goodbye is where the person comes back to.
func (a *App) goodbye(w http.ResponseWriter, _ *http.Request) {
	a.show(w, http.StatusOK, "signed_out.tmpl", nil)
}

// maxLogout bounds what the server posts, in bytes.
const maxLogout = 16 << 10

// logout takes a logout token (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8):
// the session at the server is over, and so is what was opened in it here.
func (a *App) logout(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogout)
	ctx := oidc.ClientContext(r.Context(), a.http)
	provider, err := oidc.NewProvider(ctx, a.deps.Issuer)
	if err != nil {
		a.deps.Log.WarnContext(ctx, "sample app: the server cannot be asked", "error", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: a.deps.ClientID}).VerifyLogout(ctx, r.PostFormValue("logout_token"))
	if err != nil || token.SessionID == "" {
		a.deps.Log.WarnContext(ctx, "sample app: a logout token is not good", "error", err)
		http.Error(w, "that is no logout token for this app", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range a.sessions {
		v.closeAll(func(c *connection) bool { return c.identity.sid == token.SessionID })
	}
}
