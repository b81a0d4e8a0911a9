package testenv_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

func nothing() {}

// told is an app that is told of logouts, registered and ready.
func told(env *testenv.Env, delay func(), algorithm string) (*testenv.Client, *testenv.RelyingParty) {
	rp := env.RelyingParty(delay)
	c := env.Register(`{"client_name":"Companion","redirect_uris":["https://companion.example.org/cb"],"scope":"launch/patient patient/*.rs openid fhirUser offline_access",
"id_token_signed_response_alg":"` + algorithm + `","backchannel_logout_uri":"` + rp.URL + `","backchannel_logout_session_required":true}`)
	rp.Is(c, algorithm)
	return c, rp
}

// signedIn is a browser's sign-in to an app: its tokens, and the sid of its ID token.
func signedIn(t *testing.T, c *testenv.Client, rp *testenv.RelyingParty, b *testenv.Browser, username string) (testenv.Answer, string) {
	t.Helper()
	r := c.Request("launch/patient patient/Patient.rs openid offline_access")
	a := c.Exchange(r, b.Code(c, r, username, ""))
	id, err := rp.Verifier().Verify(t.Context(), a.String("id_token"))
	if err != nil {
		t.Fatalf("%v: %s", err, a.Raw)
	}
	var claims struct {
		SID string `json:"sid"`
	}
	must(t, id.Claims(&claims))
	if claims.SID == "" {
		t.Fatal("the ID token has no sid")
	}
	return a, claims.SID
}

// Every app that got an ID token in a session is told of its end, with the sid of that
// token, once; a library of apps takes the token. It is nothing but that.
//
// spec: LOGOUT-10, DISC-35
// attack: JW-01
func TestAppsAreToldOfALogout(t *testing.T) {
	env := testenv.Start(t)
	_, provider := document(t, env, "/.well-known/openid-configuration")
	if provider["backchannel_logout_supported"] != true || provider["backchannel_logout_session_supported"] != true {
		t.Error("discovery says nothing of it")
	}
	one, rpOne := told(env, nothing, "RS256")
	two, rpTwo := told(env, nothing, "ES256")
	_, rpElse := told(env, nothing, "RS256")
	b, other := env.Browser(), env.Browser()
	mine, sid := signedIn(t, one, rpOne, b, "maria")
	_, sidTwo := signedIn(t, two, rpTwo, b, "maria")
	_, apart := signedIn(t, one, rpOne, other, "maria")
	if sid != sidTwo || sid == apart {
		t.Fatalf("sids %q, %q, %q", sid, sidTwo, apart)
	}
	refreshed := one.Refresh(mine.String("refresh_token"))
	if p := b.Open("/logout?" + url.Values{"id_token_hint": {refreshed.String("id_token")}}.Encode()); p.HasButton("action", "sign-out") {
		t.Fatal(p.Describe())
	}
	for name, rp := range map[string]*testenv.RelyingParty{"RS256": rpOne, "ES256": rpTwo} {
		eventually(t, "told of the logout: "+name, func() bool { all, _ := rp.Told(); return len(all) == 1 })
		all, _ := rp.Told()
		if all[0].SessionID != sid || all[0].Subject == "" || all[0].Expiry.Sub(all[0].IssuedAt) != 2*time.Minute {
			t.Errorf("%s: %+v", name, all[0])
		}
	}
	if all, _ := rpElse.Told(); len(all) != 0 {
		t.Error("an app without a part in it was told")
	}

	_, raw := rpOne.Told()
	if _, err := rpOne.Verifier().VerifyLogout(t.Context(), mine.String("id_token")); err == nil {
		t.Error("the ID token is a logout token")
	}
	if p := other.Open("/logout?" + url.Values{"id_token_hint": {raw[0]}}.Encode()); !p.HasButton("action", "sign-out") {
		t.Errorf("the logout token signs out: %s", p.Describe())
	}
	if p := other.Open(one.Request("openid", "prompt", "none", "id_token_hint", raw[0]).URL()); p.Left == nil || p.Left.Query().Get("error") == "" {
		t.Errorf("the logout token is a hint: %s", p.Describe())
	}
	if got := env.Get(raw[0], "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("the logout token reads: %d", got.Status)
	}
	if got := one.Post("/introspect", url.Values{"token": {raw[0]}}); got.Body["active"] != false {
		t.Errorf("the logout token is active: %s", got.Raw)
	}
	if got := one.Refresh(refreshed.String("refresh_token")); got.Status != http.StatusOK {
		t.Errorf("offline access has ended: %s", got.Raw)
	}
}

// Who signs in again has the same session to apps. Somebody else at the same browser,
// and an operator who disables the account, end it.
//
// spec: LOGOUT-10
func TestWhatElseEndsASession(t *testing.T) {
	env := testenv.Start(t)
	c, rp := told(env, nothing, "RS256")
	b := env.Browser()
	_, sid := signedIn(t, c, rp, b, "maria")
	again := c.Request("openid", "prompt", "login")
	p := b.SignIn(b.Open(again.URL()), "maria")
	if p.HasButton("decision", "allow") {
		p = b.Submit(p, "decision", "allow", nil)
	}
	if p.Left == nil {
		t.Fatal(p.Describe())
	}
	c.Exchange(again, p.Left.Query().Get("code"))
	b.SignIn(b.Open(c.Request("openid", "prompt", "login").URL()), "james")
	toldOf(t, rp, sid)

	_, sid = signedIn(t, c, rp, env.Browser(), "maria")
	if a := env.Admin(http.MethodPost, "/users/maria/disable", ""); a.Status != http.StatusOK {
		t.Fatal(a.Raw)
	}
	toldOf(t, rp, sid)
}

// toldOf waits until the last thing an app was told is the end of a session.
func toldOf(t *testing.T, rp *testenv.RelyingParty, sid string) {
	t.Helper()
	last := func() string {
		all, _ := rp.Told()
		if len(all) == 0 {
			return ""
		}
		return all[len(all)-1].SessionID
	}
	eventually(t, "told of "+sid, func() bool { return last() == sid })
}

// The person's page waits for nobody: one app does not answer, another is not there at
// all, and a third is told meanwhile.
//
// spec: LOGOUT-10
func TestNobodyWaitsForAnAppThatIsTold(t *testing.T) {
	env := testenv.Start(t)
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	slow, rpSlow := told(env, func() { <-hold }, "RS256")
	t.Cleanup(release)
	gone := httptest.NewServer(http.NotFoundHandler())
	dead := env.Register(`{"redirect_uris":["https://dead.example.org/cb"],"scope":"openid launch/patient patient/*.rs offline_access","backchannel_logout_uri":"` + gone.URL + `"}`)
	gone.Close()
	good, rpGood := told(env, nothing, "RS256")
	b := env.Browser()
	signedIn(t, slow, rpSlow, b, "maria")
	r := dead.Request("openid launch/patient patient/Patient.rs")
	dead.Exchange(r, b.Code(dead, r, "maria", ""))
	a, sid := signedIn(t, good, rpGood, b, "maria")
	if p := b.Open("/logout?" + url.Values{"id_token_hint": {a.String("id_token")}}.Encode()); p.Status != http.StatusOK || p.HasButton("action", "sign-out") {
		t.Fatal(p.Describe())
	}
	toldOf(t, rpGood, sid)
	if all, _ := rpSlow.Told(); len(all) != 0 {
		t.Error("the slow app has answered")
	}
	release()
	toldOf(t, rpSlow, sid)
}

// Two processes of one server: sessions end at either, and each app is told of each
// once.
//
// spec: LOGOUT-10
func TestTwoProcessesTellOnce(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	c, rp := told(nodes[0], nothing, "RS256")
	eventually(t, "a new client is known at the other process", func() bool {
		return nodes[1].Browser().Open(c.Request("openid").URL()).HasButton("action", "sign-in")
	})
	const sessions = 12
	var wait sync.WaitGroup
	ended := map[string]bool{}
	for i := range sessions {
		b := nodes[i%2].Browser()
		a, sid := signedIn(t, c.At(nodes[i%2]), rp, b, "zoe")
		ended[sid] = true
		wait.Go(func() {
			b.At(nodes[(i+1)%2]).Open("/logout?" + url.Values{"id_token_hint": {a.String("id_token")}}.Encode())
		})
	}
	wait.Wait()
	eventually(t, "told of all", func() bool { all, _ := rp.Told(); return len(all) >= sessions })
	all, _ := rp.Told()
	seen, ids := map[string]int{}, map[string]*oidc.LogoutToken{}
	for _, token := range all {
		seen[token.SessionID]++
		ids[token.TokenID] = token
	}
	for sid := range ended {
		if seen[sid] != 1 {
			t.Errorf("told %d times of %s", seen[sid], sid)
		}
	}
	if len(ids) != sessions || len(all) != sessions {
		t.Errorf("%d tokens, %d jtis, %d sessions", len(all), len(ids), sessions)
	}
}
