package testenv_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// connectedApps opens the page that discovery names, signing in if it asks.
func connectedApps(t *testing.T, env *testenv.Env, b *testenv.Browser, username string) testenv.Page {
	t.Helper()
	_, doc := document(t, env, "/fhir/.well-known/smart-configuration")
	endpoint, _ := doc["management_endpoint"].(string)
	p := b.Open(strings.TrimPrefix(endpoint, env.URL))
	if p.HasButton("action", "sign-in") {
		p = b.SignIn(p, username)
	}
	if p.Status != http.StatusOK || p.URL.String() != endpoint {
		t.Fatalf("the page of connected apps: %s", p.Describe())
	}
	return p
}

var stopLink = regexp.MustCompile(`/manage/stop\?access=[A-Za-z0-9_-]{22}`)

// stop stops the first thing on the page.
func stop(t *testing.T, b *testenv.Browser, p testenv.Page) testenv.Page {
	t.Helper()
	link := stopLink.FindString(p.Body)
	if link == "" {
		t.Fatalf("there is nothing to stop: %s", p.Body)
	}
	return b.Submit(b.Open(link), "action", "stop", nil)
}

// A person who has allowed an app for good, and not to be asked again, stops it: its
// next FHIR call, its refresh token and its silence are over.
//
// spec: CONS-18, CONS-19, REVOKE-09, REVOKE-11, REVOKE-12, REVOKE-15, DISC-20
// attack: CO-12
func TestAPersonStopsAnApp(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	const scope = "launch/patient openid patient/Patient.rs patient/Observation.rs offline_access"
	b, r := env.Browser(), c.Request(scope)
	left := b.Submit(b.SignIn(b.Open(r.URL()), "maria"), "decision", "allow", url.Values{"remember": {"yes"}})
	if left.Left == nil {
		t.Fatal(left.Describe())
	}
	a := c.Exchange(r, left.Left.Query().Get("code"))
	if silent := b.Open(c.Request(scope, "prompt", "none").URL()); silent.Left == nil || silent.Left.Query().Get("code") == "" {
		t.Fatalf("the app is asked about again before it was stopped: %s", silent.Describe())
	}
	if got := env.Get(a.String("access_token"), "Patient/maria"); got.Status != http.StatusOK {
		t.Fatal(got.Raw)
	}

	p := connectedApps(t, env, b, "maria")
	for _, want := range []string{"Your own record, Maria Lopez", "Keeps access when you are away", "even when you are not using it", "just now", "Results and measurements"} {
		if !strings.Contains(p.Body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if p.Header.Get("Content-Security-Policy") == "" || p.Header.Get("X-Frame-Options") != "DENY" || p.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", p.Header)
	}
	before := time.Now().Add(-2 * time.Second)
	done := stop(t, b, p)
	at := regexp.MustCompile(`[0-9]{2}:[0-9]{2}:[0-9]{2} UTC`).FindString(done.Body)
	moment, err := time.Parse("2006-01-02 15:04:05 UTC", time.Now().UTC().Format(time.DateOnly)+" "+at)
	if err != nil || moment.Before(before) || moment.After(time.Now().Add(2*time.Second)) {
		t.Errorf("the done page says %q (%v): %s", at, err, done.Describe())
	}
	got := env.Get(a.String("access_token"), "Patient/maria")
	if got.Status != http.StatusUnauthorized || !strings.Contains(got.Header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("the next FHIR call: %d %s", got.Status, got.Raw)
	}
	if got := c.Refresh(a.String("refresh_token")); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
		t.Errorf("the refresh: %d %s", got.Status, got.Raw)
	}
	if silent := b.Open(c.Request(scope, "prompt", "none").URL()); silent.Left == nil || silent.Left.Query().Get("error") != "consent_required" {
		t.Errorf("without asking: %s", silent.Describe())
	}
	if asked := b.Open(c.Request(scope).URL()); !asked.HasButton("decision", "allow") {
		t.Errorf("the next launch does not ask: %s", asked.Describe())
	}
	receipt := b.Open(strings.ReplaceAll(regexp.MustCompile(`/manage/receipt\?[^"]+`).FindString(done.Body), "&amp;", "&"))
	if receipt.Status != http.StatusOK || !strings.Contains(receipt.Body, at) || strings.Contains(receipt.Body, a.String("refresh_token")) || strings.Contains(receipt.Body, a.String("access_token")) {
		t.Errorf("receipt: %s %s", receipt.Describe(), receipt.Body)
	}
}

// The way to the page is one step from where people think of it.
//
// spec: REVOKE-09, CONS-19
func TestTheWayToConnectedApps(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	approval := b.SignIn(b.Open(env.Client("sandbox-native").Request("launch/patient patient/Patient.rs").URL()), "maria")
	signOut := b.Open("/logout?client_id=sandbox-native")
	for name, p := range map[string]testenv.Page{
		"start": b.Open("/"), "approval": approval, "sign out": signOut, "error": b.Open("/authorize?client_id=nobody"), "signed out": b.Submit(signOut, "action", "sign-out", nil),
	} {
		if !strings.Contains(p.Body, `href="/manage"`) {
			t.Errorf("%s: no link on %s", name, p.Describe())
		}
	}
}

// Sign-in for the page is sign-in: it serves what an app asks for later, and is not
// asked for again while it is fresh.
//
// spec: LOGIN-01, LOGIN-14, LOGIN-18
// attack: LG-08
func TestSigningInForThePage(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	connectedApps(t, env, b, "maria")
	approval := b.Open(env.Client("sandbox-native").Request("launch/patient patient/Patient.rs").URL())
	if !approval.HasButton("decision", "allow") {
		t.Errorf("an app's request: %s", approval.Describe())
	}
	before := b.Cookies()["emberlatch_session"]
	if p := b.Open("/login?request=manage.stop-all&next=//evil.test"); p.Left != nil || p.HasButton("action", "sign-in") || b.Cookies()["emberlatch_session"] != before {
		t.Errorf("a sign-in that is not needed: %s", p.Describe())
	}
	if left := b.Submit(approval, "decision", "allow", nil); left.Left == nil || left.Left.Query().Get("code") == "" {
		t.Errorf("the app's request: %s", left.Describe())
	}
}

// A representative sees what they gave for those they stand for; the patient sees it
// too, stops it, and sees by which app, not by whom, their record was opened at work.
//
// spec: CONS-18, REVOKE-09
func TestTheOneWhoseRecordItIsStopsIt(t *testing.T) {
	env := testenv.Start(t)
	tom := ""
	for _, p := range env.File.People {
		if p.Username == "ruth" {
			tom = p.Patients[0]
		}
	}
	const password = "a quiet morning walk"
	made := env.Admin(http.MethodPost, "/users", `{"username":"tomberg","password":"`+password+`","role":"patient","fhirUser":"Patient/`+tom+`"}`)
	if made.Status != http.StatusCreated {
		t.Fatal(made.Raw)
	}
	var more testenv.File
	if err := json.Unmarshal([]byte(`{"people":[{"username":"tomberg","password":"`+password+`"}]}`), &more); err != nil {
		t.Fatal(err)
	}
	env.File.People = append(env.File.People, more.People...)
	c, a := env.Token("sandbox-confidential", "launch/patient patient/Patient.rs offline_access", "ruth", tom)

	if p := connectedApps(t, env, env.Browser(), "ruth"); !strings.Contains(p.Body, "The record of ") || !stopLink.MatchString(p.Body) {
		t.Errorf("the representative: %s", p.Body)
	}
	if p := connectedApps(t, env, env.Browser(), "maria"); strings.Contains(p.Body, "The record of ") || stopLink.MatchString(p.Body) {
		t.Errorf("somebody else: %s", p.Body)
	}
	b := env.Browser()
	p := connectedApps(t, env, b, "tomberg")
	if !strings.Contains(p.Body, "Allowed by Ruth Berg") || !strings.Contains(p.Body, "Your own record") {
		t.Errorf("the patient: %s", p.Body)
	}
	stop(t, b, p)
	if got := env.Get(a.String("access_token"), "Patient/"+tom); got.Status != http.StatusUnauthorized {
		t.Errorf("the next FHIR call: %d", got.Status)
	}
	if got := c.Refresh(a.String("refresh_token")); got.String("error") != "invalid_grant" {
		t.Errorf("the refresh: %d %s", got.Status, got.Raw)
	}
}

// A password that was changed is the only one that is good, and the other browsers are
// signed out.
//
// spec: LOGIN-12, LOGIN-14
// attack: LG-12
func TestAPasswordIsChanged(t *testing.T) {
	env := testenv.Start(t)
	here, there := env.Browser(), env.Browser()
	connectedApps(t, env, here, "maria")
	connectedApps(t, env, there, "maria")
	const password = "another quiet walk"
	done := here.Submit(here.Open("/manage/password"), "action", "change", url.Values{"current": {env.Password("maria")}, "password": {password}})
	if !strings.Contains(done.Body, "Your password is changed") {
		t.Fatal(done.Body)
	}
	if p := there.Open("/manage"); !p.HasButton("action", "sign-in") {
		t.Errorf("the other browser: %s", p.Describe())
	}
	if p := there.SignIn(there.Open("/manage"), "maria"); !strings.Contains(p.Body, "could not sign you in") {
		t.Errorf("the old password: %s", p.Describe())
	}
	if p := there.Submit(there.Open("/manage"), "action", "sign-in", url.Values{"username": {"maria"}, "password": {password}}); !strings.Contains(p.Body, "Connected apps") {
		t.Errorf("the new password: %s", p.Describe())
	}
	others := here.Submit(here.Open("/manage/sign-ins"), "action", "end-others", nil)
	if !strings.Contains(others.Body, "signed out everywhere else") || !there.Open("/manage").HasButton("action", "sign-in") {
		t.Errorf("ending the others: %s", others.Describe())
	}
}

// What is stopped at one process is over at the other, and each shows what the other
// has done.
//
// spec: REVOKE-09, REVOKE-10
func TestStoppedAtTheOtherProcess(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	one, two := nodes[0], nodes[1]
	c := one.Register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access"}`)
	r := c.Request("launch/patient patient/Patient.rs openid offline_access")
	a := c.Exchange(r, one.Browser().Code(c, r, "zoe", ""))
	eventually(t, "the app is known at the other process", func() bool { return two.Get(a.String("access_token"), "Patient/zoe").Status == http.StatusOK })
	b := two.Browser()
	stop(t, b, connectedApps(t, two, b, "zoe"))
	if got := two.Get(a.String("access_token"), "Patient/zoe"); got.Status != http.StatusUnauthorized {
		t.Errorf("at the process where it was stopped: %d", got.Status)
	}
	if got := c.At(one).Refresh(a.String("refresh_token")); got.String("error") != "invalid_grant" {
		t.Errorf("the refresh at the other process: %d %s", got.Status, got.Raw)
	}
	eventually(t, "a stopped app is refused at the other process", func() bool {
		return one.Get(a.String("access_token"), "Patient/zoe").Status == http.StatusUnauthorized
	})
	if p := connectedApps(t, one, b.At(one), "zoe"); !strings.Contains(p.Body, "by you") {
		t.Errorf("the other process does not know of it: %s", p.Body)
	}
}

// What an operator sets is the only password that is good, and nobody is signed in any
// more.
//
// spec: LOGIN-12
// attack: LG-12
func TestAnOperatorSetsAPassword(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	connectedApps(t, env, b, "maria")
	made := env.Admin(http.MethodPost, "/users/maria/password", `{}`)
	if made.Status != http.StatusOK || len(made.String("password")) < 24 {
		t.Fatal(made.Raw)
	}
	p := b.Open("/manage")
	if !p.HasButton("action", "sign-in") {
		t.Errorf("the session goes on: %s", p.Describe())
	}
	if p = b.SignIn(p, "maria"); !strings.Contains(p.Body, "could not sign you in") {
		t.Errorf("the old password: %s", p.Describe())
	}
	if p = b.Submit(p, "action", "sign-in", url.Values{"username": {"maria"}, "password": {made.String("password")}}); !strings.Contains(p.Body, "Connected apps") {
		t.Errorf("the new password: %s", p.Describe())
	}
}
