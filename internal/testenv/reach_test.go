package testenv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// join adds a person with an account.
func join(t *testing.T, env *testenv.Env, role, name, record string) {
	t.Helper()
	made := env.Admin(http.MethodPost, "/users", `{"username":"`+name+`","password":"`+password+`","role":"`+role+`","fhirUser":"`+record+`"}`)
	if made.Status != http.StatusCreated {
		t.Fatalf("%s: %d %s", name, made.Status, made.Raw)
	}
	env.Know(name, password)
}

// loads stores records as an operator does.
func loads(t *testing.T, env *testenv.Env, resources ...string) {
	t.Helper()
	if a := env.Admin(http.MethodPost, "/data?name=x.ndjson", strings.Join(resources, "\n")); a.Status != http.StatusOK || strings.Contains(a.Raw, `"failures":[{`) {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
}

const (
	roleCode = `http://terminology.hl7.org/CodeSystem/v3-RoleCode`
	aunt     = `{"resourceType":"RelatedPerson","id":"aunt","active":true,"patient":{"reference":"Patient/leo"},"name":[{"family":"Keller","given":["Rita"]}],"relationship":[{"coding":[{"system":"` + roleCode + `","code":"GUARD"}]}]`
)

// A guardian by a RelatedPerson: the picker has exactly whom it names, the ID token says who
// they are themselves, and when it is over the token that they have reads nothing more.
//
// spec: LOGIN-20, LOGIN-21, RSP-21
// attack: RT-11
func TestARelatedPersonStandsForAPatient(t *testing.T) {
	guardians := func(o *app.SandboxOptions) {
		o.Reach = app.ReachConfig{Majority: 18, Standing: []string{roleCode + "|GUARD"}}
	}
	for name, row := range map[string]struct {
		change  func(*app.SandboxOptions)
		related string
		reaches bool
	}{
		"a guardian":                 {guardians, aunt + "}", true},
		"a relationship not on list": {guardians, strings.Replace(aunt, "GUARD", "AUNT", 1) + "}", false},
		"not active":                 {guardians, strings.Replace(aunt, `"active":true`, `"active":false`, 1) + "}", false},
		"the time is over":           {guardians, aunt + `,"period":{"end":"2020"}}`, false},
		"no list":                    {func(*app.SandboxOptions) {}, aunt + "}", false},
	} {
		t.Run(name, func(t *testing.T) {
			env := testenv.StartWith(t, row.change)
			loads(t, env, row.related)
			join(t, env, "representative", "rita", "RelatedPerson/aunt")
			c := env.Client("sandbox-confidential")
			c.RedirectURI = "https://companion.example.org/callback"
			r := c.Request(readAll)
			if !row.reaches {
				p := env.Browser()
				if left := p.SignIn(p.Open(r.URL()), "rita"); left.Left == nil || left.Left.Query().Get("error") != "access_denied" {
					t.Errorf("who reaches nobody: %s", left.Describe())
				}
				return
			}
			a := c.Exchange(r, env.Browser().Code(c, r, "rita", "leo"))
			if who := decode(t, strings.Split(a.String("id_token"), ".")[1]); a.String("patient") != "leo" || who["fhirUser"] != env.FHIR+"/RelatedPerson/aunt" {
				t.Errorf("%s, and the ID token %v", a.Raw, who)
			}
			for path, want := range map[string]int{"Patient/leo": http.StatusOK, "Patient/anna": http.StatusNotFound, "Patient/maria": http.StatusNotFound} {
				if got := env.Get(a.String("access_token"), path); got.Status != want {
					t.Errorf("%s: %d, want %d", path, got.Status, want)
				}
			}
			loads(t, env, aunt+`,"period":{"end":"2020"}}`)
			eventually(t, "it is over", func() bool { return env.Get(a.String("access_token"), "Patient/leo").Status == http.StatusNotFound })
			if a := c.Refresh(a.String("refresh_token")); a.Status != http.StatusBadRequest {
				t.Errorf("the refresh afterwards: %d", a.Status)
			}
		})
	}
}

// Who has a role that the operator named reaches everybody, by user/ scopes; the trail says
// why; and when the role is over, nobody.
//
// spec: RSP-18
func TestARoleReachesEverybody(t *testing.T) {
	const role = `{"resourceType":"PractitionerRole","id":"chief","active":true,"practitioner":{"reference":"Practitioner/dr-chief"},"code":[{"coding":[{"system":"urn:roles","code":"emergency"}]}]`
	for name, named := range map[string]bool{"named": true, "not named": false} {
		t.Run(name, func(t *testing.T) {
			env := testenv.StartWith(t, func(o *app.SandboxOptions) {
				if o.Reach = (app.ReachConfig{Majority: 18}); named {
					o.Reach.Roles = []string{"urn:roles|emergency"}
				}
			})
			loads(t, env, `{"resourceType":"Practitioner","id":"dr-chief","name":[{"family":"Chief"}]}`, role+"}")
			join(t, env, "practitioner", "chief", "Practitioner/dr-chief")
			c := env.Client("sandbox-confidential")
			c.RedirectURI = "https://companion.example.org/callback"
			r := c.Request("openid fhirUser user/Patient.rs user/Observation.rs")
			token := c.Exchange(r, env.Browser().Code(c, r, "chief", "")).String("access_token")
			all := env.Get(token, "Patient?_summary=count")
			if want := map[bool]string{true: `"total":8`, false: `"total":0`}[named]; !strings.Contains(all.Raw, want) {
				t.Errorf("all patients: %s", all.Raw)
			}
			status := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[named]
			if got := env.Get(token, "Patient/maria"); got.Status != status {
				t.Errorf("maria: %d", got.Status)
			}
			if got := env.Get(token, "Condition?patient=maria"); got.Status == http.StatusOK {
				t.Errorf("without a scope: %d %s", got.Status, got.Raw)
			}
			loads(t, env, role+`,"period":{"end":"2020"}}`)
			eventually(t, "the role is over", func() bool { return env.Get(token, "Patient/maria").Status == http.StatusNotFound })
		})
	}
}
