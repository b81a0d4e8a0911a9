package testenv_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

const fromChart = "launch patient/*.rs openid fhirUser offline_access"

// visits are the encounters of a patient, the newest first.
func visits(t *testing.T, env *testenv.Env, username, patient string) []string {
	t.Helper()
	_, a := env.Token("sandbox-native", "launch/patient patient/Encounter.rs", username, patient)
	var bundle struct {
		Entry []struct {
			Resource struct {
				ID string `json:"id"`
			} `json:"resource"`
		} `json:"entry"`
	}
	got := env.Get(a.String("access_token"), "Encounter?_sort=-date")
	if err := json.Unmarshal([]byte(got.Raw), &bundle); err != nil || len(bundle.Entry) < 2 {
		t.Fatalf("encounters: %d %s", got.Status, got.Raw)
	}
	var ids []string
	for _, e := range bundle.Entry {
		ids = append(ids, e.Resource.ID)
	}
	return ids
}

// contextOf are the members of an answer that tell what the app was launched for.
func contextOf(a testenv.Answer) map[string]any {
	about := map[string]any{}
	for _, name := range []string{"patient", "encounter", "need_patient_banner", "smart_style_url", "intent", "tenant", "fhirContext"} {
		if value, there := a.Body[name]; there {
			about[name] = value
		}
	}
	return about
}

// A clinician starts an app from a chart: nobody is asked for a patient, the app
// learns of the chart, sees that patient and nobody else, and goes on to do so.
//
// spec: CTX-01, CTX-03, CTX-07, CTX-08, CTX-09, CTX-15, CTX-16, CTX-18, CTX-19, CTX-22, CTX-29, CTX-30, CTX-31, CTX-33, LOGIN-23
// spec: CONS-07, INTRO-09, RT-01, SCOPE-39, AUTHZ-05
// attack: SL-16
func TestAClinicianStartsAnAppFromAChart(t *testing.T) {
	env := testenv.Start(t)
	all := visits(t, env, "maria", "")
	started := env.Launch("sandbox-browser", "maria", "encounter", all[0], "user", "chen", "intent", "reconcile-medications", "tenant", "t 1",
		"fhirContext", `[{"reference":"ImagingStudy/7"}]`)
	value := started.String("launch")
	address := "http://127.0.0.1:9002/launch?" + url.Values{"iss": {env.FHIR}, "launch": {value}}.Encode()
	if started.Status != http.StatusOK || started.String("iss") != env.FHIR || started.Body["expires_in"] != 300.0 || len(value) < 46 ||
		strings.Contains(started.Raw, "maria") || started.String("launch_url") != address {
		t.Fatalf("launch: %d %s", started.Status, started.Raw)
	}
	c, b := env.Client("sandbox-browser"), env.Browser()
	r := c.Request(fromChart, "launch", value)
	p := b.SignIn(b.Open(r.URL()), "chen")
	if !p.HasButton("decision", "allow") || !strings.Contains(p.Body, "You are sharing the record of Maria Lopez.") {
		t.Fatalf("no approval for Maria after signing in: %s\n%s", p.Describe(), p.Body)
	}
	p = b.Submit(p, "decision", "allow", nil)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	style := a.String("smart_style_url")
	want := map[string]any{
		"patient": "maria", "encounter": all[0], "need_patient_banner": true, "smart_style_url": style, "intent": "reconcile-medications",
		"tenant": "t 1", "fhirContext": []any{map[string]any{"reference": "ImagingStudy/7"}},
	}
	if diff := cmp.Diff(want, contextOf(a)); diff != "" || a.String("scope") != fromChart {
		t.Fatalf("token answer: %s %s", a.Raw, diff)
	}
	token := a.String("access_token")
	seesOnlyMaria(t, env, token)
	if got := env.Get(token, "Encounter/"+all[1]); got.Status != http.StatusOK {
		t.Errorf("CTX-33: another encounter of hers: %d", got.Status)
	}
	again := c.Refresh(a.String("refresh_token"))
	narrow := c.Refresh(again.String("refresh_token"), "scope", "patient/Condition.rs")
	for name, got := range map[string]testenv.Answer{
		"refreshed": again, "refreshed for less": narrow,
		"introspected":          env.Client("sandbox-confidential").Post("/introspect", url.Values{"token": {again.String("access_token")}}),
		"introspected for less": env.Client("sandbox-confidential").Post("/introspect", url.Values{"token": {narrow.String("access_token")}}),
	} {
		if diff := cmp.Diff(want, contextOf(got)); got.Status != http.StatusOK || diff != "" {
			t.Errorf("%s: %d %s", name, got.Status, diff)
		}
	}
	// LOGIN-23: with the session there is no form any more.
	next := c.Launched(fromChart, "anna", "user", "chen")
	if p := b.Open(next.URL()); !p.HasButton("decision", "allow") || !strings.Contains(p.Body, "Anna Keller") {
		t.Errorf("the second launch: %s", p.Describe())
	}
}

func seesOnlyMaria(t *testing.T, env *testenv.Env, token string) {
	t.Helper()
	if got := env.Get(token, "Patient/maria"); got.Status != http.StatusOK {
		t.Errorf("her record: %d", got.Status)
	}
	// Anna is a patient of Dr. Chen as well.
	missing, other := env.Get(token, "Patient/nobody"), env.Get(token, "Patient/anna")
	if other.Status != http.StatusNotFound || other.Raw != missing.Raw {
		t.Errorf("another patient: %d %s", other.Status, other.Raw)
	}
	if got := env.Get(token, "Condition?patient=anna"); got.Status != http.StatusOK || strings.Contains(got.Raw, `"entry"`) {
		t.Errorf("problems of another patient: %d %s", got.Status, got.Raw)
	}
}

// The style document is there for everybody, for as long as caches like.
//
// spec: CTX-19, CTX-20
func TestStyleOfALaunch(t *testing.T) {
	env := testenv.Start(t)
	c, b := env.Client("sandbox-browser"), env.Browser()
	r := c.Launched("launch patient/Patient.rs", "maria")
	a := c.Exchange(r, b.Code(c, r, "maria", ""))
	path, ours := strings.CutPrefix(a.String("smart_style_url"), env.URL)
	if !ours {
		t.Fatalf("style %q", a.String("smart_style_url"))
	}
	got, doc := document(t, env, path, "Origin", "https://app.example.org")
	if got.Status != http.StatusOK || got.Header.Get("Access-Control-Allow-Origin") != "https://app.example.org" ||
		!strings.Contains(got.Header.Get("Cache-Control"), "immutable") || doc["color_background"] == nil || doc["font_family_body"] == nil {
		t.Errorf("style: %d %v %s", got.Status, got.Header, got.Raw)
	}
	if cached, _ := document(t, env, path, "If-None-Match", got.Header.Get("ETag")); cached.Status != http.StatusNotModified {
		t.Errorf("asked again: %d", cached.Status)
	}
	theirs := c.Launched("launch patient/Patient.rs", "maria", "style_url", "https://ehr.example.org/s.json", "need_patient_banner", "false")
	if a := c.Exchange(theirs, b.Code(c, theirs, "maria", "")); a.String("smart_style_url") != "https://ehr.example.org/s.json" || a.Body["need_patient_banner"] != false {
		t.Errorf("the EHR's own: %s", a.Raw)
	}
}

// Values that are not good, for the reasons that there are; and people who are not
// the right ones.
//
// spec: CTX-04, CTX-05, CTX-06, CTX-27, LOGIN-22, ERR-14, ERR-15
// attack: SL-01, SL-03, SL-04
func TestLaunchesThatAreRefused(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-browser")
	refused := func(name string, p testenv.Page, want string) {
		t.Helper()
		if p.Left == nil || p.Left.Query().Get("error") != want || p.Left.Query().Get("code") != "" {
			t.Errorf("%s: %s, want %s", name, p.Describe(), want)
		}
	}
	used := c.Launched(fromChart, "maria", "user", "chen")
	b := env.Browser()
	if b.Code(c, used, "chen", "") == "" {
		t.Fatal("no code")
	}
	refused("used", b.Open(used.URL()), "invalid_request")
	refused("used, in another browser", env.Browser().Open(used.URL()), "invalid_request")
	refused("unknown", b.Open(c.Request(fromChart, "launch", "la_unknown").URL()), "invalid_request")
	refused("the id of a patient", b.Open(c.Request(fromChart, "launch", "maria").URL()), "invalid_request")
	refused("the scope without a value", b.Open(c.Request(fromChart).URL()), "invalid_request")
	refused("a value without the scope", b.Open(c.Request(readAll, "launch", used.Values.Get("launch")).URL()), "invalid_request")
	other := env.Client("emberlatch-sample-app")
	refused("another client's", b.Open(other.Request(fromChart, "launch", c.Launched(fromChart, "maria").Values.Get("launch")).URL()), "invalid_request")
	if p := b.Open(c.Request(fromChart).URL() + "&launch=a%00b"); p.Left != nil || p.Status != http.StatusBadRequest {
		t.Errorf("SL-01 with NUL: %s", p.Describe())
	}

	stranger := env.Browser()
	refused("LOGIN-22 somebody else signs in", stranger.SignIn(stranger.Open(c.Launched(fromChart, "maria", "user", "chen").URL()), "maria"), "access_denied")
	// SL-03: in the session of Maria, who could open the chart; chen may sign in in her place.
	r := c.Launched(fromChart, "maria", "user", "chen")
	if code := stranger.Code(c, r, "chen", ""); c.Exchange(r, code).String("patient") != "maria" {
		t.Error("chen could not take over")
	}
	far := env.Browser()
	refused("out of reach", far.SignIn(far.Open(c.Launched(fromChart, "maria").URL()), "james"), "access_denied")

	unknown := c.Launched("launch launch/imagingstudy?role=x patient/*.rs", "maria")
	if a := c.Exchange(unknown, b.Code(c, unknown, "chen", "")); a.String("scope") != "launch patient/*.rs" {
		t.Errorf("CTX-27: %s", a.Raw)
	}
}

// Two tabs of one browser with two charts: what one becomes says nothing of the
// other, however they are mixed; and an older token stays with its own patient.
//
// spec: CTX-31, CTX-32
// attack: SL-07, RT-13
func TestTwoTabsWithTwoCharts(t *testing.T) {
	env := testenv.Start(t)
	c, b := env.Client("sandbox-browser"), env.Browser()
	patients := []string{"maria", "tom"}
	var requests []testenv.Request
	var pages []testenv.Page
	for _, patient := range patients {
		r := c.Launched(fromChart, patient, "user", "chen")
		p := b.Open(r.URL())
		if p.HasButton("action", "sign-in") {
			p = b.SignIn(p, "chen")
		}
		requests, pages = append(requests, r), append(pages, p)
	}
	answers := make([]testenv.Answer, len(patients))
	for _, i := range []int{1, 0} { // the other way round
		p := b.Submit(pages[i], "decision", "allow", nil)
		answers[i] = c.Exchange(requests[i], p.Left.Query().Get("code"))
	}
	for round := range 100 {
		for i, patient := range patients {
			answers[i] = c.Refresh(answers[i].String("refresh_token"))
			got := env.Client("sandbox-confidential").Post("/introspect", url.Values{"token": {answers[i].String("access_token")}})
			if answers[i].String("patient") != patient || got.String("patient") != patient {
				t.Fatalf("round %d: %s has %s, introspected %s", round, patient, answers[i].Raw, got.Raw)
			}
		}
	}
	seesOnlyMaria(t, env, answers[0].String("access_token"))
	if got := env.Get(answers[1].String("access_token"), "Patient/maria"); got.Status != http.StatusNotFound {
		t.Errorf("the tab of Tom sees Maria: %d", got.Status)
	}
}

// Who may start apps, and what a stranger or a curious client learns.
//
// spec: CTX-34, CTX-35
// attack: SL-05, SL-20
func TestWhoMayStartApps(t *testing.T) {
	env := testenv.Start(t)
	_, patient := env.Token("sandbox-native", readAll, "maria", "")
	const body = "client=sandbox-browser&patient=maria"
	for name, row := range map[string]struct {
		got    testenv.Answer
		status int
	}{
		"anonymous":             {send(t, env, "/launch", form, body), http.StatusUnauthorized},
		"a patient's token":     {send(t, env, "/launch", form, body, "Authorization", "Bearer "+patient.String("access_token")), http.StatusUnauthorized},
		"a wrong secret":        {send(t, env, "/launch", form, body+"&client_id=sandbox-confidential&client_secret=no"), http.StatusUnauthorized},
		"a public client":       {env.Client("sandbox-native").Post("/launch", url.Values{"client": {"sandbox-browser"}, "patient": {"maria"}}), http.StatusForbidden},
		"an ordinary client":    {env.Client("emberlatch-sample-app").Post("/launch", url.Values{"client": {"sandbox-browser"}, "patient": {"maria"}}), http.StatusForbidden},
		"no patient":            {env.Client(testenv.EHR).Post("/launch", url.Values{"client": {"sandbox-browser"}}), http.StatusBadRequest},
		"a banner of no kind":   {env.Launch("sandbox-browser", "maria", "need_patient_banner", "perhaps"), http.StatusBadRequest},
		"no such patient":       {env.Launch("sandbox-browser", "nobody"), http.StatusUnprocessableEntity},
		"out of the user's eye": {env.Launch("sandbox-browser", "james", "user", "chen"), http.StatusUnprocessableEntity},
		"an unknown app":        {env.Launch("nobody", "maria"), http.StatusUnprocessableEntity},
		"no launch URL":         {env.Launch("sandbox-native", "maria"), http.StatusUnprocessableEntity},
		"200 kB of context":     {env.Launch("sandbox-browser", "maria", "fhirContext", strings.Repeat("x", 200<<10)), http.StatusRequestEntityTooLarge},
	} {
		if row.got.Status != row.status || row.got.String("error") == "" || row.got.String("launch") != "" {
			t.Errorf("%s: %d %s, want %d", name, row.got.Status, row.got.Raw, row.status)
		}
	}
	hidden, missing := env.Launch("sandbox-browser", "james", "user", "chen"), env.Launch("sandbox-browser", "nobody", "user", "chen")
	if hidden.Raw != missing.Raw {
		t.Errorf("hidden and missing are told apart: %s, %s", hidden.Raw, missing.Raw)
	}
	req, err := http.NewRequest(http.MethodGet, env.URL+"/launch?"+body, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := env.Send(req); got.Status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.Status)
	}
	made := env.Admin(http.MethodPost, "/launches", `{"client":"sandbox-browser","patient":"maria"}`)
	if made.Status != http.StatusCreated || made.String("launch") == "" {
		t.Errorf("an operator: %d %s", made.Status, made.Raw)
	}
	if got := env.Admin(http.MethodPost, "/launches", `{"client":"sandbox-browser","patient":"maria","access_token":"x"}`); got.Status != http.StatusBadRequest {
		t.Errorf("a name that is nobody's: %d %s", got.Status, got.Raw)
	}
}

// The start page of the sandbox plays the EHR: the sample app, opened from a chart,
// goes through signing in to that chart.
//
// spec: CTX-01, CTX-35, LOGIN-23
func TestTheStartPageOpensTheSampleApp(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	start := b.Open("/")
	p := b.Submit(start, "action", "launch", url.Values{"chart": {"chen/maria"}})
	if p.Left == nil || p.Left.Scheme+"://"+p.Left.Host != env.File.SampleApp || p.Left.Path != "/launch" || p.Left.Query().Get("iss") != env.FHIR {
		t.Fatalf("the start page leads to %s", p.Describe())
	}
	app := env.VisitApp(p.Left.String()) // the app sends the browser back to us
	p = b.SignIn(b.Open(app.Header.Get("Location")), "chen")
	if !p.HasButton("decision", "allow") || !strings.Contains(p.Body, "Maria Lopez") {
		t.Fatalf("after signing in: %s", p.Describe())
	}
	for name, page := range map[string]testenv.Page{
		"a chart that is not offered": b.Submit(start, "action", "launch", url.Values{"chart": {"chen/james"}}),
		"somebody else's":             b.Submit(start, "action", "launch", url.Values{"chart": {"maria/maria"}}),
		"nothing":                     b.Submit(start, "action", "launch", url.Values{"chart": {""}}),
		"another site":                env.CrossSitePost("/sandbox/launch", url.Values{"chart": {"chen/maria"}}),
	} {
		if page.Status != http.StatusForbidden || page.Left != nil {
			t.Errorf("%s: %s", name, page.Describe())
		}
	}
}

// A launch value is good as nothing else, and nothing else as a launch value.
//
// attack: TK-11, JW-01
func TestALaunchValueIsNoOtherToken(t *testing.T) {
	env := testenv.Start(t)
	c, b := env.Client("sandbox-browser"), env.Browser()
	r := c.Launched(fromChart, "maria")
	value := r.Values.Get("launch")
	if got := c.Exchange(r, value); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
		t.Errorf("as a code: %d %s", got.Status, got.Raw)
	}
	if got := c.Refresh(value); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
		t.Errorf("as a refresh token: %d %s", got.Status, got.Raw)
	}
	if got := env.Get(value, "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("as an access token: %d", got.Status)
	}
	code := b.Code(c, r, "maria", "")
	a := c.Exchange(r, code)
	for name, other := range map[string]string{"a code": code, "a refresh token": a.String("refresh_token")} {
		if p := b.Open(c.Request(fromChart, "launch", other).URL()); p.Left == nil || p.Left.Query().Get("error") != "invalid_request" {
			t.Errorf("%s as a launch value: %s", name, p.Describe())
		}
	}
}

// With user/ scopes a clinician's app reads what the clinician may, whatever chart
// it was started from.
//
// spec: SCOPE-24, RSP-18, CTX-08
func TestAChartDoesNotLimitUserScopes(t *testing.T) {
	env := testenv.Start(t)
	c, b := env.Client("sandbox-browser"), env.Browser()
	r := c.Launched("launch user/*.rs", "maria", "user", "chen")
	a := c.Exchange(r, b.Code(c, r, "chen", ""))
	token := a.String("access_token")
	if a.String("patient") != "maria" || a.String("scope") != "launch user/*.rs" {
		t.Errorf("token answer %s", a.Raw)
	}
	for id, want := range map[string]int{"maria": http.StatusOK, "anna": http.StatusOK, "james": http.StatusNotFound} {
		if got := env.Get(token, "Patient/"+id); got.Status != want {
			t.Errorf("%s: %d, want %d", id, got.Status, want)
		}
	}
}

// What is said of launches in discovery is what the stories above have done.
//
// spec: DISC-05
func TestLaunchesAreAdvertised(t *testing.T) {
	_, doc := document(t, testenv.Start(t), "/fhir/.well-known/smart-configuration")
	list, _ := doc["capabilities"].([]any)
	for _, want := range []string{
		"launch-ehr", "launch-standalone", "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter",
		"context-standalone-patient", "context-standalone-encounter", "permission-patient", "permission-user",
	} {
		if !slices.Contains(list, any(want)) {
			t.Errorf("%s is offered and not advertised", want)
		}
	}
	if doc["authorization_endpoint"] == nil {
		t.Error("there is no authorization endpoint")
	}
}
