package testenv_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// decide makes a decision as an operator does.
func decide(t *testing.T, env *testenv.Env, id, verb, words string) testenv.Answer {
	t.Helper()
	if verb == "approve" || verb == "verify" {
		if words == `{}` {
			words = `{"revision":` + fmt.Sprint(env.Admin(http.MethodGet, "/clients/"+id, "").Body["revision"]) + `}`
		}
	}
	a := env.Admin(http.MethodPost, "/clients/"+id+"/"+verb, words)
	if a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", verb, a.Status, a.Raw)
	}
	return a
}

// asksNobody: an app that may not ask people is told so on a page, by the endpoint
// for pushed requests, and to the EHR that would start it.
func asksNobody(t *testing.T, env *testenv.Env, own testenv.Own, name, slug string) {
	t.Helper()
	if p := env.Browser().Open(own.Request("launch/patient patient/Patient.rs").URL()); p.Status != http.StatusForbidden || p.Left != nil || !strings.Contains(p.Body, slug) {
		t.Errorf("%s, authorization: %s", name, p.Describe())
	}
	want := map[bool]string{true: "unauthorized_client", false: "invalid_client"}[slug == "client.not_enabled"]
	if a := own.Post("/par", own.Request("launch/patient patient/Patient.rs").Values); a.String("error") != want {
		t.Errorf("%s, pushed: %d %s", name, a.Status, a.Raw)
	}
	if a := env.Launch(own.ID, "maria"); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Raw, "not enabled") {
		t.Errorf("%s, launch: %d %s", name, a.Status, a.Raw)
	}
}

// The way of an app from the form to people, and out again; each step is seen by its
// developer and by the operator, and is in force at once.
//
// spec: REG-05, REG-06, REG-16, CONS-23, REVOKE-14
func TestTheReviewOfAnApp(t *testing.T) {
	env := testenv.StartWith(t, reviewed)
	b := env.Browser()
	if home := b.Open("/developers"); !strings.Contains(home.Body, "within 10 business days") || !strings.Contains(home.Body, "Within 5 business days") {
		t.Errorf("what developers may expect:\n%s", home.Body)
	}
	own := b.OwnApp(testenv.AppForm("initiate_login_uri", "https://app.example.org/launch", "scope", "launch|openid|launch/patient|offline_access|patient/Patient.rs"))
	seen := func(state string, more ...string) {
		t.Helper()
		p := b.State(own.ID, own.Token)
		for _, want := range append(more, state) {
			if p.Status != http.StatusOK || p.Value(t, "state") != state || !strings.Contains(p.Body, want) {
				t.Errorf("its developer reads %q, want %q and %q", p.Value(t, "state"), state, want)
			}
		}
	}
	queued := func() string { return env.Admin(http.MethodGet, "/queue", "").Raw }
	seen("Waits for a check", "The answer is due by ", "Registered on ")
	if q := queued(); !strings.Contains(q, own.ID) || !strings.Contains(q, `"state":"registered"`) || !strings.Contains(q, `"due":"`) || !strings.Contains(q, "dev@app.example.org") {
		t.Errorf("queue: %s", q)
	}
	if got := env.JSON(http.MethodGet, own.URI, own.Token, ""); !strings.Contains(got.Raw, `"emberlatch_review":{"state":"registered"`) {
		t.Errorf("what the app reads of itself: %s", got.Raw)
	}
	asksNobody(t, env, own, "registered", "client.not_enabled")
	decide(t, env, own.ID, "ask", `{"question":"Write to us from an address at <b>app.example.org</b>."}`)
	seen("Waits for you", "Write to us from an address at &lt;b&gt;app.example.org")
	asksNobody(t, env, own, "asked", "client.not_enabled")
	if a := env.Admin(http.MethodPost, "/clients/"+own.ID+"/decline", `{"reason":""}`); a.Status != http.StatusBadRequest {
		t.Errorf("declined without a reason: %d %s", a.Status, a.Raw)
	}
	decide(t, env, own.ID, "verify", `{}`)
	seen("Checked, not let in yet", "The answer is due by ")
	asksNobody(t, env, own, "verified", "client.not_enabled")
	decide(t, env, own.ID, "approve", `{}`)
	seen("Let in", "Let in on ")
	if q := queued(); strings.Contains(q, own.ID) {
		t.Errorf("it still waits: %s", q)
	}
	person := env.Browser()
	r := own.Request("launch/patient patient/Patient.rs offline_access", "prompt", "consent")
	p := person.SignIn(person.Open(r.URL()), "maria")
	if p.HasButton("action", "continue") { // whose record
		p = person.Submit(p, "action", "continue", url.Values{"patient": {"maria"}})
	}
	if !strings.Contains(p.Body, "Checked by Valley Clinic") {
		t.Errorf("people read:\n%s", p.Body)
	}
	tokens := own.Exchange(r, person.Code(own.Client, r, "maria", ""))
	if tokens.Status != http.StatusOK || env.Get(tokens.String("access_token"), "Patient/maria").Status != http.StatusOK {
		t.Fatalf("approved: %d %s", tokens.Status, tokens.Raw)
	}
	pending := person.Open(own.Request("launch/patient patient/Patient.rs", "prompt", "consent").URL())
	decide(t, env, own.ID, "suspend", `{"reason":"It asks patients for their passwords."}`)
	seen("Stopped", "It asks patients for their passwords.")
	asksNobody(t, env, own, "suspended", "client.disabled")
	if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("suspended, FHIR API: %d", got.Status)
	}
	if got := own.Refresh(tokens.String("refresh_token")); got.String("error") != "invalid_client" {
		t.Errorf("suspended, token endpoint: %d %s", got.Status, got.Raw)
	}
	if got := person.Submit(pending, "decision", "allow", nil); got.Left != nil || got.Status < 400 {
		t.Errorf("suspended, an approval under way: %s", got.Describe())
	}
	if got := env.JSON(http.MethodGet, own.URI, own.Token, ""); got.Status != http.StatusUnauthorized {
		t.Errorf("suspended, its registration: %d", got.Status)
	}
	if a := env.Admin(http.MethodPost, "/clients/"+own.ID+"/approve", `{"revision":`+fmt.Sprint(env.Admin(http.MethodGet, "/clients/"+own.ID, "").Body["revision"])+`}`); a.Status != http.StatusBadRequest || !strings.Contains(a.Raw, "client enable") {
		t.Errorf("suspended, and approved: %d %s", a.Status, a.Raw)
	}
	decide(t, env, own.ID, "enable", `{}`)
	seen("Let in")
	if got := own.Refresh(tokens.String("refresh_token")); got.String("error") != "invalid_grant" {
		t.Errorf("what ended came back: %d %s", got.Status, got.Raw)
	}
}

// An app that says it is another one goes back to the queue: what was approved is not
// what it is now (bait and switch).
//
// spec: REG-06, REG-17
// attack: DC-15
func TestAnApprovedAppThatChanges(t *testing.T) {
	env := testenv.StartWith(t, reviewed)
	own := env.Browser().OwnApp(testenv.AppForm())
	decide(t, env, own.ID, "approve", `{}`)
	r := own.Request("launch/patient patient/Patient.rs offline_access")
	tokens := own.Exchange(r, env.Browser().Code(own.Client, r, "maria", ""))
	document := func(redirect, scope string) string {
		return `{"client_id":"` + own.ID + `","client_name":"Growth Tracker","emberlatch_maker":"Sprout Health","contacts":["dev@app.example.org"],"application_type":"native",
			"token_endpoint_auth_method":"none","redirect_uris":["` + redirect + `","http://127.0.0.1/cb"],"scope":"` + scope + `"}`
	}
	if a := env.JSON(http.MethodPut, own.URI, own.Token, document("https://app.example.org/cb", "openid launch/patient patient/Patient.rs")); a.Status != http.StatusOK || !strings.Contains(a.Raw, `"state":"enabled"`) {
		t.Errorf("the same app with less: %d %s", a.Status, a.Raw)
	}
	a := env.JSON(http.MethodPut, own.URI, own.Token, document("https://other.example.org/cb", "openid launch/patient patient/Patient.rs"))
	if a.Status != http.StatusOK || !strings.Contains(a.Raw, `"state":"registered"`) || strings.Contains(a.Raw, "emberlatch_checked") {
		t.Fatalf("another address: %d %s", a.Status, a.Raw)
	}
	own.RedirectURI = "https://other.example.org/cb"
	if p := env.Browser().Open(own.Request("launch/patient patient/Patient.rs").URL()); p.Status != http.StatusForbidden || !strings.Contains(p.Body, "client.not_enabled") {
		t.Errorf("it asks people all the same: %s", p.Describe())
	}
	if q := env.Admin(http.MethodGet, "/queue", "").Raw; !strings.Contains(q, own.ID) {
		t.Errorf("queue: %s", q)
	}
	// What people gave it they gave it: they can take it back, and the operator can end it.
	if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusOK {
		t.Errorf("what was given before: %d", got.Status)
	}
	decide(t, env, own.ID, "decline", `{"reason":"Nobody at that address knows the app."}`)
	if p := env.Browser().State(own.ID, own.Token); p.Value(t, "state") != "Declined" || !strings.Contains(p.Body, "Nobody at that address knows the app.") {
		t.Errorf("declined: %s", p.Value(t, "state"))
	}
	if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("declined, FHIR API: %d", got.Status)
	}
	if a := env.Admin(http.MethodPost, "/clients/"+own.ID+"/enable", ``); a.Status != http.StatusBadRequest || !strings.Contains(a.Raw, "client approve") {
		t.Errorf("declined, and enabled: %d %s", a.Status, a.Raw)
	}
}

// An app that changes between the operator's look and the approval is not what was
// looked at, and is not approved.
//
// spec: REG-06
// attack: DC-15
func TestAnAppThatChangesBeforeItsApproval(t *testing.T) {
	env := testenv.StartWith(t, reviewed)
	own := env.Browser().OwnApp(testenv.AppForm())
	looked := func() string {
		t.Helper()
		var queue []struct {
			Revision json.Number `json:"revision"`
		}
		if err := json.Unmarshal([]byte(env.Admin(http.MethodGet, "/queue", "").Raw), &queue); err != nil || len(queue) != 1 {
			t.Fatalf("%v: %v", queue, err)
		}
		return queue[0].Revision.String()
	}
	seen := looked()
	changed := env.JSON(http.MethodPut, own.URI, own.Token, `{"client_id":"`+own.ID+`","client_name":"Growth Tracker","emberlatch_maker":"Sprout Health","application_type":"native",
		"token_endpoint_auth_method":"none","redirect_uris":["https://evil.example.org/cb"],"scope":"openid launch/patient patient/Patient.rs"}`)
	if changed.Status != http.StatusOK {
		t.Fatal(changed.Raw)
	}
	for _, verb := range []string{"approve", "verify"} {
		if a := env.Admin(http.MethodPost, "/clients/"+own.ID+"/"+verb, `{"revision":`+seen+`}`); a.Status != http.StatusConflict || !strings.Contains(a.Raw, "has changed") {
			t.Errorf("%s of what it was: %d %s", verb, a.Status, a.Raw)
		}
	}
	if a := env.Admin(http.MethodPost, "/clients/"+own.ID+"/approve", `{}`); a.Status != http.StatusBadRequest || !strings.Contains(a.Raw, "revision") {
		t.Errorf("approved unseen: %d %s", a.Status, a.Raw)
	}
	decide(t, env, own.ID, "approve", `{"revision":`+looked()+`}`)
}

// Who has an initial access token was let in by it: such an app waits for nobody. Who
// takes an app's name is seen in the queue.
//
// spec: REG-05, REG-11
// attack: DC-08
func TestWhoWaitsForAReview(t *testing.T) {
	env := testenv.StartWith(t, reviewed)
	a := env.JSON(http.MethodPost, "/register", env.InitialAccessToken("1"), `{`+ownApp+`}`)
	c := env.Registered(a)
	r := c.Request(readAll)
	if tokens := c.Exchange(r, env.Browser().Code(c, r, "maria", "")); tokens.Status != http.StatusOK {
		t.Errorf("by a token: %d %s", tokens.Status, tokens.Raw)
	}
	if q := env.Admin(http.MethodGet, "/queue", ""); q.Raw != "[]\n" {
		t.Errorf("queue: %s", q.Raw)
	}
	own := env.Browser().OwnApp(testenv.AppForm("client_name", "GROWTH-tracker"))
	if q := env.Admin(http.MethodGet, "/queue", ""); !strings.Contains(q.Raw, own.ID) || !strings.Contains(q.Raw, `"same_name":["`) || !strings.Contains(q.Raw, c.ID) {
		t.Errorf("queue: %s", q.Raw)
	}
	for _, verb := range []string{"approve", "verify", "decline", "ask"} {
		if a := env.Admin(http.MethodPost, "/clients/sandbox-native/"+verb, `{"reason":"x","question":"x","revision":1}`); a.Status != http.StatusBadRequest {
			t.Errorf("%s of an operator's app: %d %s", verb, a.Status, a.Raw)
		}
		if a := env.Admin(http.MethodPost, "/clients/nobody/"+verb, `{}`); a.Status != http.StatusNotFound {
			t.Errorf("%s of no app: %d %s", verb, a.Status, a.Raw)
		}
	}
}

// An operator's narrowing binds what the app says of itself afterwards.
//
// spec: REG-17
// attack: DC-10, DC-15
func TestAnAppStaysBelowTheOperatorsCeiling(t *testing.T) {
	env := testenv.Start(t)
	a := env.JSON(http.MethodPost, "/register", env.InitialAccessToken("1"), `{`+ownApp+`}`)
	c, uri, own := env.Registered(a), a.String("registration_client_uri"), a.String("registration_access_token")
	change := env.Admin(http.MethodPatch, "/clients/"+c.ID, `{"scope":"openid patient/Goal.rs","require_pushed_authorization_requests":true}`)
	if change.Status != http.StatusOK || !strings.Contains(change.Raw, `"ceiling":{"scope":"openid patient/Goal.rs","require_pushed":true}`) {
		t.Fatalf("%d %s", change.Status, change.Raw)
	}
	if got := env.JSON(http.MethodPut, uri, own, `{"client_id":"`+c.ID+`",`+ownApp+`,"scope":"openid patient/*.rs"}`); got.Status != http.StatusBadRequest || !strings.HasPrefix(got.String("error_description"), "scope: ") {
		t.Errorf("wider again: %d %s", got.Status, got.Raw)
	}
	got := env.JSON(http.MethodPut, uri, own, `{"client_id":"`+c.ID+`",`+ownApp+`,"scope":"openid","require_pushed_authorization_requests":false}`)
	if got.Status != http.StatusOK || got.String("scope") != "openid" || got.Body["require_pushed_authorization_requests"] != true {
		t.Errorf("less: %d %s", got.Status, got.Raw)
	}
	if p := env.Browser().Open(c.Request("openid").URL()); !strings.Contains(p.Body, "request.not_pushed") {
		t.Errorf("a request that was not pushed: %s", p.Describe())
	}
}
