package testenv_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// In a standalone launch the person says which visit is meant; ids of others count
// for nothing; with none, or none to choose, the scope is not granted.
//
// spec: CTX-12, CTX-13, CTX-15, CTX-21
func TestAVisitIsChosen(t *testing.T) {
	env := testenv.Start(t)
	mine, hers := visits(t, env, "maria", ""), visits(t, env, "james", "")
	c := env.Client("sandbox-browser")
	const scope = "launch/patient launch/encounter patient/*.rs"
	open := func() (*testenv.Browser, testenv.Request, testenv.Page) {
		b, r := env.Browser(), c.Request(scope)
		p := b.SignIn(b.Open(r.URL()), "maria")
		if got := p.Inputs("encounter"); len(got) < 3 || got[0] != mine[0] || got[len(got)-1] != "" {
			t.Fatalf("visits to choose from: %v, %s", got, p.Describe())
		}
		return b, r, p
	}
	b, r, p := open()
	for name, ids := range map[string][]string{"another's": {hers[0]}, "no id": {"../Patient/maria"}, "nothing": {}, "two": mine[:2]} {
		p = b.Submit(p, "action", "continue", url.Values{"encounter": ids})
		if p.Status != http.StatusBadRequest || len(p.Inputs("encounter")) == 0 {
			t.Fatalf("%s: %s", name, p.Describe())
		}
	}
	p = b.Submit(p, "action", "continue", url.Values{"encounter": {mine[1]}})
	p = b.Submit(p, "decision", "allow", nil)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	want := map[string]any{"patient": "maria", "encounter": mine[1]}
	if diff := cmp.Diff(want, contextOf(a)); diff != "" || a.String("scope") != scope {
		t.Errorf("token answer: %s %s", a.Raw, diff)
	}
	b, r, p = open()
	p = b.Submit(p, "action", "continue", url.Values{"encounter": {""}})
	p = b.Submit(p, "decision", "allow", nil)
	a = c.Exchange(r, p.Left.Query().Get("code"))
	if diff := cmp.Diff(map[string]any{"patient": "maria"}, contextOf(a)); diff != "" || a.Has("launch/encounter") {
		t.Errorf("no visit: %s %s", a.Raw, diff)
	}
	b, _, p = open()
	if p = b.Submit(p, "action", "cancel", nil); p.Left == nil || p.Left.Query().Get("error") != "access_denied" {
		t.Errorf("back to the app: %s", p.Describe())
	}

	env.Admin(http.MethodPost, "/data?name=zoe.json", `{"resourceType":"Patient","id":"zoe","name":[{"family":"Winter"}]}`)
	if got := env.Admin(http.MethodPost, "/users", `{"username":"zoe","password":"a quiet morning walk","role":"patient","fhirUser":"Patient/zoe"}`); got.Status != http.StatusCreated {
		t.Fatalf("a patient without visits: %s", got.Raw)
	}
	b, r = env.Browser(), c.Request(scope)
	p = b.Submit(b.Open(r.URL()), "action", "sign-in", url.Values{"username": {"zoe"}, "password": {"a quiet morning walk"}})
	if !p.HasButton("decision", "allow") {
		t.Fatalf("with nothing to choose from: %s\n%s", p.Describe(), p.Body)
	}
	p = b.Submit(p, "decision", "allow", nil)
	if a := c.Exchange(r, p.Left.Query().Get("code")); a.String("patient") != "zoe" || a.Has("launch/encounter") {
		t.Errorf("without visits: %s", a.Raw)
	}
}

// In a launch from a chart the pickers are closed: their forms change nothing.
//
// spec: CTX-07, CTX-17
func TestPickersAreClosedInALaunchFromAChart(t *testing.T) {
	env := testenv.Start(t)
	c, b := env.Client("sandbox-browser"), env.Browser()
	r := c.Launched("launch launch/patient launch/encounter patient/*.rs", "maria", "user", "chen")
	p := b.SignIn(b.Open(r.URL()), "chen")
	query := "?request=" + url.QueryEscape(p.Forms[0].Values.Get("request"))
	for _, path := range []string{"/choose", "/choose/encounter"} {
		if p := b.Open(path + query); !p.HasButton("decision", "allow") || !strings.Contains(p.Body, "Maria Lopez") {
			t.Errorf("%s: %s", path, p.Describe())
		}
	}
	p = b.Submit(p, "decision", "allow", nil)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	if a.String("patient") != "maria" || !slices.Equal(a.Scopes(), strings.Fields("launch launch/patient patient/*.rs")) {
		t.Errorf("token answer %s", a.Raw)
	}
}
