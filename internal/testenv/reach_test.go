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

// where is where the records are: a sandbox that holds them, or one before another server.
// It starts one, and says how an operator loads what is there.
type where func(t *testing.T, change func(*app.SandboxOptions)) (*testenv.Env, func(resources ...string))

func wherever(t *testing.T, each func(t *testing.T, start where)) {
	t.Run("own store", func(t *testing.T) {
		each(t, func(t *testing.T, change func(*app.SandboxOptions)) (*testenv.Env, func(...string)) {
			env := testenv.StartWith(t, change)
			return env, func(resources ...string) { loads(t, env, resources...) }
		})
	})
	t.Run("gateway", func(t *testing.T) {
		each(t, func(t *testing.T, change func(*app.SandboxOptions)) (*testenv.Env, func(...string)) {
			up := newFHIRServer(t)
			env := testenv.StartWith(t, func(o *app.SandboxOptions) { before(up, "")(o); change(o) })
			return env, func(resources ...string) { up.load(t, resources...) }
		})
	})
}

// active reports what the introspection endpoint says of a token.
func active(t *testing.T, env *testenv.Env, records *testenv.Client, token string) bool {
	t.Helper()
	a := asked(t, env, records, "application/json", token)
	if a.Status != http.StatusOK {
		t.Errorf("asking about a token: %d %s", a.Status, a.Raw)
	}
	return strings.Contains(a.Raw, `"active":true`)
}

const (
	roleCode = `http://terminology.hl7.org/CodeSystem/v3-RoleCode`
	aunt     = `{"resourceType":"RelatedPerson","id":"aunt","active":true,"patient":{"reference":"Patient/leo"},"name":[{"family":"Keller","given":["Rita"]}],"relationship":[{"coding":[{"system":"` + roleCode + `","code":"GUARD"}]}]`
)

// A guardian by a RelatedPerson: the picker has exactly whom it names, the ID token says who
// they are themselves, and when it is over the token that they have reads nothing more, is
// not active to a server that asks, and gets no other.
//
// spec: LOGIN-20, LOGIN-21, RSP-21
// attack: RT-11
func TestARelatedPersonStandsForAPatient(t *testing.T) {
	wherever(t, aRelatedPersonStandsForAPatient)
}

func aRelatedPersonStandsForAPatient(t *testing.T, start where) {
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
			env, load := start(t, row.change)
			load(row.related)
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
			records := resourceServer(env, "")
			if !active(t, env, records, a.String("access_token")) {
				t.Error("while it lasts the token is not active")
			}
			load(aunt + `,"period":{"end":"2020"}}`)
			eventually(t, "it is over", func() bool { return env.Get(a.String("access_token"), "Patient/leo").Status == http.StatusNotFound })
			if active(t, env, records, a.String("access_token")) {
				t.Error("it is over, and the token is active")
			}
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
	wherever(t, aRoleReachesEverybody)
}

func aRoleReachesEverybody(t *testing.T, start where) {
	const role = `{"resourceType":"PractitionerRole","id":"chief","active":true,"practitioner":{"reference":"Practitioner/dr-chief"},"code":[{"coding":[{"system":"urn:roles","code":"emergency"}]}]`
	for name, named := range map[string]bool{"named": true, "not named": false} {
		t.Run(name, func(t *testing.T) {
			env, load := start(t, func(o *app.SandboxOptions) {
				if o.Reach = (app.ReachConfig{Majority: 18}); named {
					o.Reach.Roles = []string{"urn:roles|emergency"}
				}
			})
			load(`{"resourceType":"Practitioner","id":"dr-chief","name":[{"family":"Chief"}]}`, role+"}")
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
			load(role + `,"period":{"end":"2020"}}`)
			eventually(t, "the role is over", func() bool { return env.Get(token, "Patient/maria").Status == http.StatusNotFound })
		})
	}
}
