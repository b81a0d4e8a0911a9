package testenv_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// eventually asks until it is so; what is told to other processes arrives in its own
// time, about a second here, and no test asserts one.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 200 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("never came to be: %s", what)
}

// Two processes are one server: each step of one flow may be answered by another,
// and what ends at one is over at the other.
//
// spec: INTRO-19, REVOKE-10, RS-10, RT-27
// attack: IN-15, JW-11
func TestTwoProcessesAreOneServer(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	one, two := nodes[0], nodes[1]
	c := one.Register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access"}`)
	registered := func() bool {
		return two.Browser().Open(c.Request("openid").URL()).HasButton("action", "sign-in")
	}
	eventually(t, "a new client is known at the other process", registered)

	r := c.Request("launch/patient patient/Patient.rs openid offline_access")
	b := one.Browser()
	login := b.Open(r.URL())
	approval := b.At(two).SignIn(login, "zoe")
	left := b.Submit(approval, "decision", "allow", nil)
	if left.Left == nil {
		t.Fatalf("approved at the first process what was shown by the second: %s", left.Describe())
	}
	a := c.At(two).Exchange(r, left.Left.Query().Get("code"))
	if a.Status != http.StatusOK {
		t.Fatal(a.Raw)
	}
	introspect := func(e *testenv.Env) bool {
		return c.At(e).Post("/introspect", url.Values{"token": {a.String("access_token")}}).Body["active"] == true
	}
	for name, e := range map[string]*testenv.Env{"first": one, "second": two} {
		if got := e.Get(a.String("access_token"), "Patient/zoe"); got.Status != http.StatusOK || !introspect(e) {
			t.Errorf("a new token at the %s process: %d", name, got.Status)
		}
	}
	keysOf := func(e *testenv.Env) string { doc, _ := document(t, e, "/jwks.json"); return doc.Raw }
	if keysOf(one) != keysOf(two) {
		t.Error("the processes publish different keys")
	}
	next := c.At(one).Refresh(a.String("refresh_token"))
	if next.Status != http.StatusOK {
		t.Fatal(next.Raw)
	}
	if got := c.At(two).Refresh(a.String("refresh_token")); got.String("refresh_token") != next.String("refresh_token") {
		t.Errorf("a retry at the other process has another successor: %d %s", got.Status, got.Raw)
	}
	if got := c.At(one).Post("/revoke", url.Values{"token": {next.String("refresh_token")}}); got.Status != http.StatusOK {
		t.Fatal(got.Raw)
	}
	if introspect(one) {
		t.Error("alive where it was revoked")
	}
	eventually(t, "a revoked token is inactive at the other process", func() bool { return !introspect(two) })
	eventually(t, "a revoked token is refused at the other process", func() bool {
		return two.Get(a.String("access_token"), "Patient/zoe").Status == http.StatusUnauthorized
	})
	if got := c.At(two).Refresh(next.String("refresh_token")); got.Status != http.StatusBadRequest {
		t.Errorf("a refresh at the other process: %d %s", got.Status, got.Raw)
	}
}
