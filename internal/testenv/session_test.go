package testenv_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

const onePatient = "launch/patient openid patient/Patient.rs"

// The steps after signing in show people and patients: only to the one who signed
// in, as long as that session stands.
//
// spec: LOGIN-18, CONS-17
func TestStepsAreForTheOneWhoSignedIn(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	for name, leave := range map[string]func(b *testenv.Browser){
		"signed out":             func(b *testenv.Browser) { b.Post("/logout", url.Values{}) },
		"somebody else signs in": func(b *testenv.Browser) { b.SignIn(b.Open(c.Request(onePatient, "prompt", "login").URL()), "james") },
	} {
		t.Run(name, func(t *testing.T) {
			b := env.Browser()
			picker := b.SignIn(b.Open(c.Request(onePatient).URL()), "chen")
			search := url.Values{"name": {"lop"}}
			if found := b.Submit(picker, "action", "search", search); !strings.Contains(found.Body, "Lopez") {
				t.Fatalf("the clinician finds nobody: %s", found.Describe())
			}
			leave(b)
			if after := b.Open(picker.URL.RequestURI()); len(after.Inputs("patient")) != 0 || !after.HasButton("action", "sign-in") {
				t.Errorf("the picker shows patients: %s", after.Describe())
			}
			if found := b.Submit(picker, "action", "search", search); strings.Contains(found.Body, "Lopez") {
				t.Error("a search finds patients")
			}

			b = env.Browser()
			approval := b.SignIn(b.Open(c.Request(onePatient).URL()), "maria")
			if !approval.HasButton("decision", "allow") {
				t.Fatal(approval.Describe())
			}
			leave(b)
			if after := b.Open(approval.URL.RequestURI()); strings.Contains(after.Body, "Maria Lopez") || !after.HasButton("action", "sign-in") {
				t.Errorf("the approval page names the person: %s", after.Describe())
			}
		})
	}
}

// An approval that was given and not yet answered is its person's alone: whoever
// enrols or signs in next in the same browser is asked.
//
// spec: CONS-17, LOGIN-18
func TestNobodyTakesAnApprovalOver(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	b := env.Browser()
	r := c.Request("openid fhirUser offline_access user/Patient.rs")
	p := b.SignIn(b.Open(r.URL()), "chen")
	approval := p.Forms[0]
	approval.Values.Set("decision", "allow")
	b.PostOnly(approval.Action, approval.Values)
	p = b.Open("/enrol?request=" + url.QueryEscape(approval.Values.Get("request")))
	who := env.File.Enrolment[0]
	p = b.Submit(p, "action", "continue", url.Values{"given": {who.Given}, "family": {who.Family}, "birth_date": {who.BirthDate}, "code": {who.Code}})
	p = b.Submit(p, "action", "continue", url.Values{"username": {"nora"}, "password": {"a quiet morning walk"}})
	if p.Left != nil || !p.HasButton("decision", "allow") || p.Status != http.StatusOK {
		t.Errorf("nora was not asked: %s", p.Describe())
	}
}
