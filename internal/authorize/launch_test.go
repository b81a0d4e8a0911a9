package authorize_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	value       = "la_of-the-chart"
	chartScopes = "launch patient/*.rs openid"
	chart       = `{"patient":"maria","encounter":"e1","need_patient_banner":false,"smart_style_url":"https://x/s.json","intent":"i"}`
)

// inEHR is an environment in which chen has started the app web from the chart of
// maria.
func inEHR(t testing.TB) *env {
	t.Helper()
	e := newEnv(t)
	e.store.launches = map[string]store.Launch{value: {ClientID: "web", UserID: "chen", Context: chart}}
	return e
}

// What comes of a launch value, for everybody who may be signed in.
//
// spec: CTX-04, CTX-05, CTX-06, CTX-07, CTX-10, LOGIN-22, LOGIN-23, ERR-14, ERR-15, AUTHZ-05
// attack: SL-01, SL-03, SL-04
func TestLaunchFromAChart(t *testing.T) {
	for _, row := range []struct {
		name   string
		client string
		user   store.UserID
		scope  string
		launch string
		want   string
		silent string // with prompt=none
	}{
		{"LOGIN-23 chen is signed in", "web", "chen", chartScopes, value, "/approve", "consent_required"},
		{"CTX-10 hints of the same", "web", "chen", "launch launch/patient launch/encounter patient/*.rs", value, "/approve", "consent_required"},
		{"CTX-07 user scopes alone", "web", "chen", "launch user/*.rs", value, "/approve", "consent_required"},
		{"nobody is signed in", "web", "", chartScopes, value, "/login", "login_required"},
		{"LOGIN-22 somebody else is signed in", "web", "maria", chartScopes, value, "/login", "login_required"},
		{"CTX-05 unknown", "web", "chen", chartScopes, "la_unknown", "invalid_request", "invalid_request"},
		{"SL-01 of 6 kB", "web", "chen", chartScopes, strings.Repeat("l", 6000), "invalid_request", "invalid_request"},
		{"SL-03 of another app", "browser", "chen", chartScopes, value, "invalid_request", "invalid_request"},
		{"SL-04 the scope without a value", "web", "chen", chartScopes, "", "invalid_request", "invalid_request"},
		{"SL-04 a value without the scope", "web", "chen", patientScopes, value, "invalid_request", "invalid_request"},
	} {
		ask := func(t *testing.T, want string, pairs ...string) {
			e := inEHR(t)
			if row.user != "" {
				e.signIn(row.user)
			}
			a := e.begin(e.values(row.client, row.scope, append(pairs, "launch", row.launch)...))
			if a.outcome() != want {
				t.Errorf("got %s, want %s (%v)", a.outcome(), want, a.location)
			}
			if _, there := e.store.launches[value]; there != (want == "invalid_request") {
				t.Errorf("the launch is still there: %t", there)
			}
		}
		t.Run(row.name, func(t *testing.T) { ask(t, row.want) })
		t.Run(row.name+", prompt=none", func(t *testing.T) { ask(t, row.silent, "prompt", "none") })
	}
}

// A mistake of the app, and a look at what would be allowed, do not cost the launch;
// its use does.
//
// spec: CTX-04
func TestWhenALaunchIsUsedUp(t *testing.T) {
	e := inEHR(t)
	e.signIn("chen")
	for _, pairs := range [][]string{{"code_challenge", ""}, {"scope", "launch patient/*.rs  x"}, {"aud", "https://other.example.org"}, {"prompt", "dance"}} {
		if a := e.begin(e.values("web", chartScopes, append(pairs, "launch", value)...)); a.query("error") == "" {
			t.Errorf("%v: %s", pairs, a.outcome())
		}
	}
	target := issuer + "/authorize?" + e.values("web", chartScopes, "launch", value).Encode()
	if a := e.serve(e.door.ServeHTTP, httptest.NewRequest(http.MethodHead, target, nil)); a.status != http.StatusOK {
		t.Errorf("HEAD: %d", a.status)
	}
	if a := e.begin(e.values("web", chartScopes, "launch", value)); a.outcome() != "/approve" {
		t.Errorf("after all that: %s", a.outcome())
	}
	if a := e.begin(e.values("web", chartScopes, "launch", value)); a.outcome() != "invalid_request" {
		t.Errorf("again: %s", a.outcome())
	}
}

// The person who signs in is the one who started the app, and can open the chart.
//
// spec: LOGIN-22, ERR-15
// attack: SL-03
func TestWhoMayGoOnFromAChart(t *testing.T) {
	for _, row := range []struct {
		name   string
		named  store.UserID
		user   store.UserID
		reach  []string
		want   string
		reason string
	}{
		{"the one who started it", "chen", "chen", []string{"maria"}, "/approve", ""},
		{"anybody with the chart", "", "chen", []string{"maria", "leo"}, "/approve", ""},
		{"the patient", "", "maria", []string{"maria"}, "/approve", ""},
		{"ERR-15 somebody else", "chen", "maria", []string{"maria"}, "access_denied", "not the one"},
		{"the chart has moved out of reach", "chen", "chen", []string{"leo"}, "access_denied", "cannot open"},
		{"nobody's chart", "", "anna", []string{"anna"}, "access_denied", "cannot open"},
		{"no reach at all", "", "lost", nil, "access_denied", "cannot open"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := inEHR(t)
			e.store.launches[value] = store.Launch{ClientID: "web", UserID: row.named, Context: chart}
			e.reach[row.user] = row.reach
			if a := e.begin(e.values("web", chartScopes, "launch", value)); a.outcome() != "/login" {
				t.Fatalf("nobody is signed in: %s", a.outcome())
			}
			who := e.signIn(row.user)
			for key, q := range e.store.requests { // what the login page writes
				q.UserID, q.SessionHash, q.AuthTime = who.UserID(), who.Hash(), who.AuthTime()
				e.store.requests[key] = q
			}
			a := e.continues(e.handle())
			if a.outcome() != row.want || !strings.Contains(a.query("error_description"), row.reason) {
				t.Errorf("got %s %s, want %s", a.outcome(), a.query("error_description"), row.want)
			}
			if len(e.store.decisions) != 0 {
				t.Error("a refusal that nobody has decided is kept as a decision")
			}
		})
	}
}

// The grant is for the chart, whatever forms say, with all that the EHR has told;
// the context of a standalone launch has none of it.
//
// spec: CTX-08, CTX-09, CTX-10, CTX-17, CTX-21
// attack: SL-04
func TestAGrantFromAChart(t *testing.T) {
	e := inEHR(t)
	e.signIn("chen")
	e.reach["chen"] = []string{"maria", "leo"}
	const scopes = "launch launch/patient launch/encounter patient/*.rs openid"
	e.begin(e.values("web", scopes, "launch", value, "patient", "leo", "encounter", "e9"))
	e.approve(scopes, func(q *store.AuthorizationRequest) { q.Patient, q.Encounter, q.EncounterSet = "leo", "e9", true })
	if a := e.continues(e.handle()); a.outcome() != "/approve" {
		t.Fatalf("CTX-17: an approval for another patient counts: %s", a.outcome())
	}
	e.approve(scopes, nil)
	got := e.issued(t).Grant
	want := store.Grant{Patient: "maria", Encounter: "e1", LaunchContext: chart, Scopes: strings.Fields(scopes)}
	if diff := cmp.Diff(want, store.Grant{Patient: got.Patient, Encounter: got.Encounter, LaunchContext: got.LaunchContext, Scopes: got.Scopes}); diff != "" {
		t.Error(diff)
	}

	e = inEHR(t)
	e.store.launches[value] = store.Launch{ClientID: "web", UserID: "chen", Context: `{"patient":"maria"}`}
	e.signIn("chen")
	e.begin(e.values("web", scopes, "launch", value))
	e.approve(scopes, nil)
	if got := e.issued(t).Grant; got.Encounter != "" || !sameScopes(got.Scopes, "launch launch/patient patient/*.rs openid") {
		t.Errorf("no encounter is open, granted %v with %q", got.Scopes, got.Encounter)
	}

	e = inEHR(t)
	e.signIn("maria")
	e.begin(e.values("web", patientScopes))
	e.approve(patientScopes, nil)
	if got := e.issued(t).Grant; got.LaunchContext != "" {
		t.Errorf("CTX-21: a standalone launch has %s", got.LaunchContext)
	}
}

// In a standalone launch an encounter is chosen after the patient; who has none to
// choose goes on without the scope.
//
// spec: CTX-12, SCOPE-37
func TestStandaloneEncounter(t *testing.T) {
	const scopes = "launch/encounter patient/*.rs openid"
	e := newEnv(t)
	e.signIn("anna")
	if a := e.begin(e.values("web", scopes)); a.outcome() != "/choose" {
		t.Fatalf("the patient comes first: %s", a.outcome())
	}
	e = newEnv(t)
	e.signIn("maria")
	if a := e.begin(e.values("web", scopes, "prompt", "none")); a.outcome() != "interaction_required" {
		t.Errorf("prompt=none: %s", a.outcome())
	}
	if a := e.begin(e.values("web", scopes)); a.outcome() != "/choose/encounter" {
		t.Fatalf("then the encounter: %s", a.outcome())
	}
	none := newEnv(t)
	none.noVisits = true
	none.signIn("maria")
	for prompt, want := range map[string]string{"none": "consent_required", "": "/approve"} {
		if a := none.begin(none.values("web", scopes, "prompt", prompt)); a.outcome() != want {
			t.Errorf("no visit to choose, prompt %q: %s", prompt, a.outcome())
		}
	}
	none.approve(scopes, func(*store.AuthorizationRequest) {})
	if got := none.issued(t).Grant; got.Encounter != "" || !sameScopes(got.Scopes, "patient/*.rs openid") {
		t.Errorf("no visit to choose: granted %v, %q", got.Scopes, got.Encounter)
	}
	for encounter, want := range map[string]string{"e1": scopes, "": "patient/*.rs openid"} {
		e := newEnv(t)
		e.signIn("maria")
		e.begin(e.values("web", scopes))
		e.approve(scopes, func(q *store.AuthorizationRequest) { q.Encounter, q.EncounterSet = encounter, true })
		if got := e.issued(t).Grant; got.Patient != "maria" || got.Encounter != encounter || !sameScopes(got.Scopes, want) {
			t.Errorf("encounter %q: granted %v about %s, %q", encounter, got.Scopes, got.Patient, got.Encounter)
		}
	}
}
