package testenv_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// What cannot go on in a browser is a page of ours, with a status that says why and
// without a redirect.
//
// spec: ERR-23, AUTHZ-29, LOGIN-16
// attack: LG-34
func TestWhatCannotGoOnIsAPage(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	b := env.Browser()
	login := b.Open(c.Request(readAll).URL())
	page := func(name string, p testenv.Page, status int) {
		t.Helper()
		if p.Left != nil || p.Status != status || !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") || !strings.Contains(p.Body, "<h1>") {
			t.Errorf("%s: %s %s, want a page with status %d", name, p.Describe(), p.Header.Get("Content-Type"), status)
		}
		if status != http.StatusTooManyRequests && p.Value(t, "error-id") == "" {
			t.Errorf("%s: no error id", name)
		}
	}
	for _, path := range []string{"/login", "/login/second", "/choose", "/approve", "/enrol", "/authorize/continue"} {
		page(path+" of no request", b.Open(path+"?request=rq_"+strings.Repeat("x", 43)), http.StatusBadRequest)
		page(path+" without a request", b.Open(path), http.StatusBadRequest)
	}
	form := login.Forms[0]
	for _, f := range login.Forms {
		if f.Values.Get("ticket") != "" {
			form = f
		}
	}
	without := maps.Clone(form.Values)
	delete(without, "ticket")
	page("a form without its ticket", b.Post(form.Action, merge(without, url.Values{"username": {"maria"}, "password": {"x"}})), http.StatusForbidden)
	page("a form of another site", b.Forged(form.Action, merge(form.Values, url.Values{"username": {"maria"}, "password": {"x"}})), http.StatusForbidden)
	last := testenv.Page{}
	for range 9 {
		last = b.Submit(login, "action", "sign-in", url.Values{"username": {"maria"}, "password": {"not it"}})
	}
	page("too many tries", last, http.StatusTooManyRequests)
}

// A hundred wrong passwords at once: no more are judged than one after the other
// would be, since each is counted before it is judged.
//
// spec: LOGIN-11
// attack: LG-05
func TestManyPasswordsAtOnce(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	login := b.Open(env.Client("sandbox-native").Request(readAll).URL())
	var form testenv.Form
	for _, f := range login.Forms {
		if f.Values.Get("ticket") != "" {
			form = f
		}
	}
	wrong := merge(form.Values, url.Values{"username": {"maria"}, "password": {"not it"}, "action": {"sign-in"}})
	statuses := make([]int, 100)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() { statuses[i] = b.Post(form.Action, wrong).Status })
	}
	wg.Wait()
	judged := 0
	for _, s := range statuses {
		switch s {
		case http.StatusOK:
			judged++
		case http.StatusTooManyRequests:
		default:
			t.Errorf("status %d", s)
		}
	}
	if judged == 0 || judged > 8 {
		t.Errorf("%d of a hundred passwords at once were judged", judged)
	}
}

// A search needs no parameter that the app did not think of: each type that US Core
// names is found by its patient alone, without a status.
//
// spec: RSX-10, RSX-09
func TestNoSearchNeedsAStatus(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", readAll, "maria", "")
	for _, typ := range []string{
		"AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Coverage", "DiagnosticReport", "DocumentReference", "Encounter", "Goal", "Immunization",
		"MedicationDispense", "MedicationRequest", "Observation", "Procedure", "QuestionnaireResponse", "RelatedPerson", "ServiceRequest",
	} {
		got := env.Get(a.String("access_token"), typ+"?patient=maria")
		if got.Status != http.StatusOK || got.String("resourceType") != "Bundle" {
			t.Errorf("%s: %d %s", typ, got.Status, got.Raw)
		}
	}
}

// What the policy of this server refuses, whatever the token says, is forbidden
// without blaming the scope; a patient outside of the ward is not found, as one that
// does not exist (ERR-45).
//
// spec: ERR-44, ERR-45
func TestPolicyIsNotAScope(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-confidential", "launch/patient patient/*.rs user/*.rs", "chen", "maria")
	token := a.String("access_token")
	for _, path := range []string{"AuditEvent", "AuditEvent/x", "Group/x", "Person?name=x", "Patient/maria/$summary"} {
		got := env.Get(token, path)
		if got.Status != http.StatusForbidden || got.String("resourceType") != "OperationOutcome" || !strings.Contains(got.Raw, `"code":"forbidden"`) ||
			strings.Contains(got.Raw, "insufficient_scope") || got.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %s, challenge %q", path, got.Status, got.Raw, got.Header.Get("WWW-Authenticate"))
		}
	}
	outside, missing := env.Get(token, "Patient/james"), env.Get(token, "Patient/nobody-at-all")
	if outside.Status != http.StatusNotFound || outside.Raw != missing.Raw || missing.Status != http.StatusNotFound {
		t.Errorf("outside of the ward: %d %s; missing: %d %s", outside.Status, outside.Raw, missing.Status, missing.Raw)
	}
	if got := sees(t, env, token, "Patient?_count=50"); slices.Contains(got, "james") {
		t.Errorf("a search finds a patient outside of the ward: %v", got)
	}
}
