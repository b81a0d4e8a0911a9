package testenv_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

const laboratory = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"

// approve goes through the pages as maria, ticking exactly what is named.
func approve(t *testing.T, env *testenv.Env, b *testenv.Browser, c *testenv.Client, r testenv.Request, ticked ...string) testenv.Page {
	t.Helper()
	p := b.Open(r.URL())
	if p.HasButton("action", "sign-in") {
		p = b.SignIn(p, "maria")
	}
	return b.Submit(p, "decision", "allow", url.Values{"scope": ticked})
}

// Each kind can be refused by itself; a part of a kind takes the place of the whole;
// what was left out is neither granted nor readable.
//
// spec: CONS-03, CONS-04, CONS-05, CONS-06, CONS-08, CONS-09, CONS-11, CONS-13, TOK-14, SCOPE-11, SCOPE-16, SCOPE-38, SCOPE-43, RSX-08, RSG-01, RSG-03, RSG-04, RSG-05, RSX-09
func TestWhatIsLeftOutIsNotGranted(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	r := c.Request("launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs patient/Observation.rs nonsense/thing")
	p := approve(t, env, env.Browser(), c, r, "patient/Patient.rs", "patient/Observation.rs", laboratory)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	want := []string{"launch/patient", "openid", "fhirUser", "patient/Patient.rs", laboratory}
	if got := a.Scopes(); !slices.Equal(got, want) {
		t.Fatalf("granted %v, want %v", got, want)
	}
	if a.String("refresh_token") != "" {
		t.Error("a refresh token without offline access")
	}
	token := a.String("access_token")
	if got := env.Get(token, "Condition?patient=maria"); got.Status != http.StatusForbidden || !strings.Contains(got.Header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("what was left out: %d %s", got.Status, got.Header.Get("WWW-Authenticate"))
	}
	all := sees(t, env, token, "Observation?_count=1000")
	if len(all) == 0 {
		t.Fatal("no laboratory results")
	}
	for _, id := range all {
		if !strings.Contains(id, "-lab-") {
			t.Errorf("%s is no laboratory result", id)
		}
	}
	if got := env.Get(token, "Observation/"+all[0]); got.Status != http.StatusOK {
		t.Errorf("a laboratory result: %d", got.Status)
	}
	if got := env.Get(token, "Observation/maria-smoking"); got.Status != http.StatusNotFound {
		t.Errorf("another category: %d", got.Status)
	}
	if got := sees(t, env, token, "Observation?category=vital-signs,laboratory&_count=1000"); len(got) != len(all) {
		t.Errorf("naming another category gave %d of %d", len(got), len(all))
	}
}

// A wildcard is shown type by type. Left whole it is granted as it was asked for;
// with something left out it becomes the list of the rest, in the same spelling.
//
// spec: CONS-02, CONS-12, SCOPE-10, SCOPE-17, SCOPE-18
func TestAWildcardIsAChoiceOfTypes(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	r := c.Request("launch/patient patient/*.read openid")
	b := env.Browser()
	p := b.SignIn(b.Open(r.URL()), "maria")
	offered := p.Inputs("scope")
	for _, want := range []string{"patient/Patient.read", "patient/Observation.read", "patient/Coverage.read"} {
		if !slices.Contains(offered, want) {
			t.Errorf("%s is not offered", want)
		}
	}
	for _, words := range []string{"Pocket Chart", "Maria Lopez", "Allergies", "kinds that are added later"} {
		if !strings.Contains(p.Body, words) {
			t.Errorf("the approval page does not say %q", words)
		}
	}
	p = b.Submit(p, "decision", "allow", url.Values{"scope": {"patient/Patient.read", "patient/Immunization.read"}})
	a := c.Exchange(r, p.Left.Query().Get("code"))
	if got := a.Scopes(); !slices.Equal(got, []string{"launch/patient", "openid", "patient/Patient.read", "patient/Immunization.read"}) {
		t.Errorf("granted %v", got)
	}
}

// The last choice is filled in, is not widened silently, and nobody is skipped who
// did not ask for that; a native app asks each time.
//
// spec: CONS-14, CONS-15, CONS-16, CONS-17, TOK-22
func TestChoicesAreRemembered(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	b := env.Browser()
	r := c.Request("launch/patient openid patient/Patient.rs patient/Condition.rs")
	p := approve(t, env, b, c, r, "patient/Patient.rs")
	first := c.Exchange(r, p.Left.Query().Get("code"))
	again := c.Request("launch/patient openid patient/Patient.rs patient/Condition.rs")
	p = b.Open(again.URL())
	if !p.HasButton("decision", "allow") {
		t.Fatalf("the second time nobody was asked: %s", p.Describe())
	}
	if got := p.Forms[0].Values["scope"]; !slices.Equal(got, []string{"patient/Patient.rs"}) {
		t.Errorf("filled in: %v", got)
	}
	p = b.Submit(p, "decision", "allow", url.Values{"remember": {"yes"}})
	a := c.Exchange(again, p.Left.Query().Get("code"))
	if a.Has("patient/Condition.rs") {
		t.Error("the choice was widened")
	}
	if got := env.Get(first.String("access_token"), "Patient/maria"); got.Status != http.StatusOK {
		t.Errorf("the first token died with the second approval: %d", got.Status)
	}
	if p := b.Open(c.Request("launch/patient openid patient/Patient.rs").URL()); !p.HasButton("decision", "allow") {
		t.Errorf("a native app was let through silently: %s", p.Describe())
	}
}

// Ticking nothing is declining.
//
// spec: CONS-10
func TestNothingTickedIsDeclined(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	p := approve(t, env, env.Browser(), c, c.Request("launch/patient openid patient/Patient.rs"), "patient/Observation.rs")
	if p.Left == nil || p.Left.Query().Get("error") != "access_denied" {
		t.Errorf("got %s", p.Describe())
	}
}

// Another person takes over from the approval page.
//
// spec: CONS-02
func TestSwitchingThePerson(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	b := env.Browser()
	r := c.Request(readAll)
	p := b.SignIn(b.Open(r.URL()), "maria")
	p = b.Submit(p, "decision", "switch", nil)
	if !p.HasButton("action", "sign-in") {
		t.Fatalf("after switching: %s", p.Describe())
	}
	p = b.SignIn(p, "james")
	p = b.Submit(p, "decision", "allow", nil)
	if a := c.Exchange(r, p.Left.Query().Get("code")); a.String("patient") != "james" {
		t.Errorf("patient %q", a.String("patient"))
	}
}
