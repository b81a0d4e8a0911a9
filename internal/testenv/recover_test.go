package testenv_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

const another = "another quiet walk"

// handedOut makes a recovery code, as `emberlatch user recover` does.
func handedOut(t *testing.T, env *testenv.Env, username, input string) string {
	t.Helper()
	a := env.Admin(http.MethodPost, "/users/"+username+"/recover", input)
	code := a.String("code")
	if a.Status != http.StatusCreated || code == "" || a.String("page") != env.URL+"/recover" {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	return code
}

// born is the birth date of a patient, as the page asks for it; token reads the record.
func born(t *testing.T, env *testenv.Env, token, patient string) url.Values {
	t.Helper()
	date, _ := env.Get(token, "Patient/"+patient).Body["birthDate"].(string)
	parts := strings.Split(date, "-")
	if len(parts) != 3 {
		t.Fatalf("born %q", date)
	}
	return url.Values{"birth_date-year": {parts[0]}, "birth_date-month": {parts[1]}, "birth_date-day": {parts[2]}}
}

// recovering are the inputs of the recovery page.
func recovering(username, code, password string, birth url.Values) url.Values {
	return merge(url.Values{"username": {username}, "code": {code}, "password": {password}, "again": {password}}, birth)
}

// signIn is sign-in with any password.
func signIn(b *testenv.Browser, p testenv.Page, username, password string) testenv.Page {
	return b.Submit(p, "action", "sign-in", url.Values{"username": {username}, "password": {password}})
}

var recoverLink = regexp.MustCompile(`href="(/recover\?request=[^"]+)"`)

// atRecovery follows the link of a sign-in page.
func atRecovery(t *testing.T, b *testenv.Browser, p testenv.Page) testenv.Page {
	t.Helper()
	found := recoverLink.FindStringSubmatch(p.Body)
	if found == nil {
		t.Fatalf("no way to recovery: %s", p.Describe())
	}
	return b.Open(found[1])
}

const (
	refusedText   = "do not match a recovery code"
	recoveredText = "Your password is changed"
)

// Who cannot sign in gets a code from the operator, chooses another password inside of the
// request of an app, and goes on with it. The session and the password of before are dead,
// and so is the code; apps that may go on alone do.
//
// spec: LOGIN-04, LOGIN-10, LOGIN-14, LOGIN-19
// attack: LG-12, LG-15
func TestAPersonRecovers(t *testing.T) {
	env := testenv.Start(t)
	there := env.Browser()
	connectedApps(t, env, there, "maria")
	c, before := env.Token("sandbox-confidential", readAll, "maria", "")
	birth := born(t, env, before.String("access_token"), "maria")

	void := handedOut(t, env, "maria", `{}`)
	code, others := handedOut(t, env, "maria", `{"hours":2}`), handedOut(t, env, "james", `{}`)
	b, r := env.Browser(), c.Request(readAll)
	login := b.Open(r.URL())
	p := atRecovery(t, b, login)
	var refusals []string
	for name, wrong := range map[string]url.Values{
		"a code that was replaced": recovering("maria", void, another, birth), "somebody else's code": recovering("maria", others, another, birth),
		"somebody else": recovering("james", code, another, birth), "nobody": recovering("nobody-here", code, another, birth),
		"another day": merge(recovering("maria", code, another, birth), url.Values{"birth_date-year": {"1901"}}), "no code": recovering("maria", "RC", another, birth),
	} {
		q := b.Submit(p, "action", "recover", wrong)
		if q.Status != http.StatusOK || !strings.Contains(q.Body, refusedText) {
			t.Fatalf("%s: %s", name, q.Describe())
		}
		refusals = append(refusals, typed.ReplaceAllString(q.Body, ""))
	}
	for _, other := range refusals {
		if other != refusals[0] {
			t.Errorf("failures look different:\n%s\n---\n%s", refusals[0], other)
		}
	}
	if q := there.Open("/manage"); q.HasButton("action", "sign-in") {
		t.Error("a refusal has ended a session")
	}

	done := b.Submit(p, "action", "recover", recovering("Maria", strings.ToLower(strings.ReplaceAll(code, "-", " ")), another, birth))
	if done.Status != http.StatusOK || !strings.Contains(done.Body, recoveredText) || !strings.Contains(done.Body, "keep access go on") {
		t.Fatalf("%s\n%s", done.Describe(), done.Body)
	}
	if q := there.Open("/manage"); !q.HasButton("action", "sign-in") {
		t.Errorf("the session of before: %s", q.Describe())
	}
	if q := b.Open("/manage"); !q.HasButton("action", "sign-in") {
		t.Errorf("somebody is signed in who gave no password: %s", q.Describe())
	}
	again := b.Submit(p, "action", "recover", recovering("maria", code, "one more quiet walk", birth))
	if typed.ReplaceAllString(again.Body, "") != refusals[0] {
		t.Errorf("the code, used again: %s", again.Describe())
	}
	next := b.Open("/login?request=" + url.QueryEscape(login.URL.Query().Get("request")))
	if q := b.SignIn(next, "maria"); !strings.Contains(q.Body, "could not sign you in") {
		t.Errorf("the old password: %s", q.Describe())
	}
	approval := signIn(b, next, "maria", another)
	if !approval.HasButton("decision", "allow") {
		t.Fatalf("the new password: %s", approval.Describe())
	}
	if a := c.Exchange(r, b.Submit(approval, "decision", "allow", nil).Left.Query().Get("code")); a.String("patient") != "maria" {
		t.Errorf("the request of before: %s", a.Raw)
	}
	if a := c.Refresh(before.String("refresh_token")); a.Status != http.StatusOK {
		t.Errorf("an app that was to go on: %s", a.Raw)
	}
	if q := env.Browser(); !strings.Contains(signIn(q, q.Open("/manage"), "james", env.Password("james")).Body, "Connected apps") {
		t.Error("james cannot sign in any more")
	}
}

// With the tick of the person, or the word of the operator, all apps lose what they have, at
// once: refresh tokens, access tokens and codes that nobody has redeemed.
//
// spec: LOGIN-19
// attack: LG-12
func TestARecoveryDisconnectsApps(t *testing.T) {
	for name, row := range map[string]struct {
		input string
		tick  url.Values
	}{
		"the person": {`{}`, url.Values{"disconnect": {"yes"}}}, "the operator": {`{"disconnectApps":true}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			env := testenv.Start(t)
			c, had := env.Token("sandbox-confidential", readAll, "maria", "")
			birth := born(t, env, had.String("access_token"), "maria")
			r, open, _ := pending(t, env, c, "maria")
			_, others := env.Token("sandbox-confidential", readAll, "james", "")
			b := env.Browser()
			p := b.Open("/recover") // from a letter, without an app
			done := b.Submit(p, "action", "recover", merge(recovering("maria", handedOut(t, env, "maria", row.input), another, birth), row.tick))
			if !strings.Contains(done.Body, recoveredText) || !strings.Contains(done.Body, "All apps are disconnected") {
				t.Fatal(done.Body)
			}
			if got := env.Get(had.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
				t.Errorf("the access token: %d", got.Status)
			}
			if a := c.Refresh(had.String("refresh_token")); a.String("error") != "invalid_grant" {
				t.Errorf("the refresh token: %d %s", a.Status, a.Raw)
			}
			if a := c.Exchange(r, open); a.String("error") != "invalid_grant" {
				t.Errorf("the code: %d %s", a.Status, a.Raw)
			}
			if a := c.Refresh(others.String("refresh_token")); a.Status != http.StatusOK {
				t.Errorf("somebody else's app: %s", a.Raw)
			}
			if q := signIn(b, b.Open("/login?request=manage"), "maria", another); !strings.Contains(q.Body, "Connected apps") {
				t.Errorf("the new password: %s", q.Describe())
			}
		})
	}
}

// Operators hear what they asked for wrongly; a record without a whole birth date, a
// disabled account and nobody get no code.
//
// spec: LOGIN-19
func TestAnOperatorMakesNoUselessCode(t *testing.T) {
	env := testenv.Start(t)
	env.Admin(http.MethodPost, "/data?name=x.ndjson", `{"resourceType":"Patient","id":"vague","birthDate":"1980"}`)
	env.Admin(http.MethodPost, "/users", account("vague", "patient", "Patient/vague"))
	env.Admin(http.MethodPost, "/users/james/disable", "")
	for _, row := range []struct {
		name, input string
		status      int
		says        string
	}{
		{"maria", `{"hours":-1}`, 400, "1 to 336"}, {"maria", `{"hours":337}`, 400, "1 to 336"}, {"maria", `{"days":1}`, 400, "days"}, {"nobody-here", `{}`, 404, "nobody-here"},
		{"vague", `{}`, 409, "no whole birth date"}, {"james", `{}`, 409, "is disabled"}, {"chen", `{"hours":336}`, 201, `"username":"chen"`},
	} {
		if a := env.Admin(http.MethodPost, "/users/"+row.name+"/recover", row.input); a.Status != row.status || !strings.Contains(a.Raw, row.says) {
			t.Errorf("%s %s: %d %s", row.name, row.input, a.Status, a.Raw)
		}
	}
}

// A patient who has an account gets no second one; a recovery code leads back to the first.
//
// spec: LOGIN-07, LOGIN-19
// attack: EN-11
func TestASecondEnrolmentNeedsRecovery(t *testing.T) {
	env := testenv.Start(t)
	who := env.File.Enrolment[0]
	env.Admin(http.MethodPost, "/users", account("nora", "patient", "Patient/"+who.Patient))
	b := env.Browser()
	login := b.Open(env.Client("sandbox-native").Request(readAll).URL())
	p := b.Open("/enrol?request=" + url.QueryEscape(login.URL.Query().Get("request")))
	p = b.Submit(p, "action", "continue", url.Values{"given": {who.Given}, "family": {who.Family}, "birth_date": {who.BirthDate}, "code": {who.Code}})
	p = b.Submit(p, "action", "continue", url.Values{"username": {"nora-again"}, "password": {another}})
	if !strings.Contains(p.Body, "do not match an invitation") {
		t.Fatalf("a second enrolment: %s", p.Describe())
	}
	date := strings.Split(who.BirthDate, "-")
	birth := url.Values{"birth_date-year": {date[0]}, "birth_date-month": {date[1]}, "birth_date-day": {date[2]}}
	done := b.Submit(atRecovery(t, b, login), "action", "recover", recovering("nora", handedOut(t, env, "nora", `{}`), another, birth))
	if !strings.Contains(done.Body, recoveredText) {
		t.Fatal(done.Body)
	}
	if q := signIn(b, b.Open(login.URL.String()), "nora", another); len(q.Inputs("patient")) == 0 {
		t.Errorf("the account of before: %s", q.Describe())
	}
}

// A recovery code is nothing else, and nothing else is a recovery code.
//
// attack: TK-11
func TestARecoveryCodeIsNoOtherSecret(t *testing.T) {
	env := testenv.Start(t)
	c, had := env.Token("sandbox-confidential", readAll, "maria", "")
	birth, code := born(t, env, had.String("access_token"), "maria"), handedOut(t, env, "maria", `{}`)
	r, open, b := pending(t, env, c, "maria")
	for _, spelling := range []string{code, strings.ReplaceAll(code, "-", "")} {
		if a := c.Exchange(r, spelling); a.String("error") != "invalid_grant" {
			t.Errorf("as a code: %d %s", a.Status, a.Raw)
		}
		if a := c.Refresh(spelling); a.String("error") != "invalid_grant" {
			t.Errorf("as a refresh token: %d %s", a.Status, a.Raw)
		}
		if a := env.Get(spelling, "Patient/maria"); a.Status != http.StatusUnauthorized {
			t.Errorf("as an access token: %d", a.Status)
		}
		if q := b.Open("/login?request=" + url.QueryEscape(spelling)); q.Status != http.StatusBadRequest {
			t.Errorf("as a handle: %s", q.Describe())
		}
		if q := b.Open(c.Request(readAll, "request_uri", "urn:ietf:params:oauth:request_uri:"+spelling).URL()); q.HasButton("decision", "allow") {
			t.Errorf("as a pushed request: %s", q.Describe())
		}
	}
	who := env.File.Enrolment[0]
	e := env.Browser()
	p := e.Open(c.Request(readAll).URL())
	p = e.Open("/enrol?request=" + url.QueryEscape(p.URL.Query().Get("request")))
	if q := e.Submit(p, "action", "continue", url.Values{"given": {who.Given}, "family": {who.Family}, "birth_date": {who.BirthDate}, "code": {code}}); len(q.Inputs("password")) != 0 {
		t.Error("as an invitation")
	}
	p = e.Open("/recover")
	for name, other := range map[string]string{"an invitation": who.Code, "a code": open, "a refresh token": had.String("refresh_token"), "an access token": had.String("access_token")[:150]} {
		if q := e.Submit(p, "action", "recover", recovering("maria", other, another, birth)); !strings.Contains(q.Body, refusedText) {
			t.Errorf("%s as a recovery code: %s", name, q.Describe())
		}
	}
	if q := e.Submit(p, "action", "recover", recovering("maria", code, another, birth)); !strings.Contains(q.Body, recoveredText) {
		t.Errorf("the code itself: %s", q.Describe())
	}
}

// One code, sent many times at once to two processes, is good once; the password of that
// one is the account's, and what has ended is over at both.
//
// spec: LOGIN-19
// attack: F-53
func TestOneCodeAtTwoProcesses(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	one, two := nodes[0], nodes[1]
	c := one.Register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access"}`)
	r := c.Request(readAll)
	a := c.Exchange(r, one.Browser().Code(c, r, "zoe", ""))
	eventually(t, "the app is known at the other process", func() bool { return two.Get(a.String("access_token"), "Patient/zoe").Status == http.StatusOK })
	there := two.Browser()
	connectedApps(t, two, there, "zoe")
	code, birth := handedOut(t, one, "zoe", `{"disconnectApps":true}`), url.Values{"birth_date-year": {"1990"}, "birth_date-month": {"1"}, "birth_date-day": {"1"}}

	const tries = 4 // fewer than a code may be tried
	var pages [tries]testenv.Page
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range tries {
		b := nodes[i%2].Browser()
		p := b.Open("/recover")
		done.Go(func() {
			start.Wait()
			pages[i] = b.Submit(p, "action", "recover", recovering("zoe", code, another+string(rune('a'+i)), birth))
		})
	}
	start.Done()
	done.Wait()
	won := -1
	for i, p := range pages {
		switch {
		case strings.Contains(p.Body, recoveredText) && won < 0:
			won = i
		case !strings.Contains(p.Body, refusedText):
			t.Errorf("%d: %s", i, p.Describe())
		}
	}
	if won < 0 {
		t.Fatal("nobody got through")
	}
	for i := range tries {
		b := nodes[i%2].Browser()
		if in := strings.Contains(signIn(b, b.Open("/login?request=manage"), "zoe", another+string(rune('a'+i))).Body, "Connected apps"); in != (i == won) {
			t.Errorf("the password of %d, where %d has won: signed in %v", i, won, in)
		}
	}
	if q := there.Open("/manage"); !q.HasButton("action", "sign-in") {
		t.Errorf("the session at the other process: %s", q.Describe())
	}
	for i, e := range nodes {
		eventually(t, "the access token is refused everywhere", func() bool { return e.Get(a.String("access_token"), "Patient/zoe").Status == http.StatusUnauthorized })
		if got := c.At(e).Refresh(a.String("refresh_token")); got.String("error") != "invalid_grant" {
			t.Errorf("the refresh at %d: %s", i, got.Raw)
		}
	}
}

// What is issued, used, refused and has to wait stands in the security record, which holds
// no code and no password.
//
// spec: LOGIN-05, LOGIN-26
func TestRecoveryIsRecorded(t *testing.T) {
	env := testenv.Start(t)
	_, had := env.Token("sandbox-confidential", readAll, "maria", "")
	birth, code := born(t, env, had.String("access_token"), "maria"), handedOut(t, env, "maria", `{}`)
	wrong := "RCZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ"
	b := env.Browser()
	p := b.Open("/recover")
	b.Submit(p, "action", "recover", recovering("maria", wrong, "a password of a refusal", birth))
	b.Submit(p, "action", "recover", recovering("maria", code, another, birth))
	last := testenv.Page{}
	for range 20 {
		last = b.Submit(p, "action", "recover", recovering("maria", wrong, "a password of a refusal", birth))
	}
	if last.Status != http.StatusTooManyRequests {
		t.Errorf("after too many tries: %s", last.Describe())
	}
	kinds, export := map[string]int{}, ""
	for range 100 { // the trail is written a moment later
		export = env.Admin(http.MethodGet, "/audit/export", "").Raw
		clear(kinds)
		for _, line := range strings.Split(strings.TrimSpace(export), "\n") {
			var e struct{ Subtype []struct{ Code string } }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			kinds[e.Subtype[len(e.Subtype)-1].Code]++
		}
		if kinds["login.blocked"] > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if kinds["login.blocked"] == 0 {
		t.Errorf("nobody had to wait: %v", kinds)
	}
	for kind, n := range map[string]int{"recovery.issued": 1, "recovery": 1, "recovery.refused": 19} {
		if kinds[kind] != n {
			t.Errorf("%d events %s, want %d: %v", kinds[kind], kind, n, kinds)
		}
	}
	for name, secret := range map[string]string{
		"the code": code, "the code in one piece": strings.ReplaceAll(code, "-", ""), "a wrong code": wrong, "a wrong code in one piece": strings.ReplaceAll(wrong, "-", ""),
		"the password": another, "a refused password": "a password of a refusal", "an event": "apps kept",
	} {
		if strings.Contains(export, secret) != (name == "an event") {
			t.Errorf("%s %q is in the record, or the record is none: %s", name, secret, export)
		}
	}
}
