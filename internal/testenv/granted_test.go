package testenv_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/testenv"
	"github.com/emberlatch/emberlatch/smart"
)

// What is granted is what works: no writes of what no app writes, no type that
// nobody reaches, and nothing of it is put before the person.
//
// spec: SCOPE-16, SCOPE-43
func TestWhatIsGrantedWorks(t *testing.T) {
	env := testenv.Start(t)
	for asked, want := range map[string]string{
		"launch/patient patient/*.cruds":                                "launch/patient patient/*.cruds",
		"launch/patient patient/*.* openid":                             "launch/patient patient/*.* openid",
		"launch/patient patient/Observation.cruds patient/Patient.cud":  "launch/patient patient/Observation.cruds patient/Patient.u",
		"launch/patient patient/Condition.read patient/Condition.write": "launch/patient patient/Condition.read patient/Condition.write",
		"launch/patient patient/CareTeam.cruds patient/Practitioner.*":  "launch/patient patient/CareTeam.rs patient/Practitioner.read",
	} {
		c := env.Client("sandbox-browser")
		b := env.Browser()
		r := c.Request(asked)
		p := b.SignIn(b.Open(r.URL()), "maria")
		for _, offered := range p.Inputs("scope") {
			scope, err := smart.ParseScope(offered)
			for _, letter := range []byte(scope.Permissions()) {
				if err == nil && !access.Possible(scope.Level(), scope.Type(), letter) {
					t.Errorf("%s: the page offers %s", asked, offered)
				}
			}
		}
		p = b.Submit(p, "decision", "allow", nil)
		a := c.Exchange(r, p.Left.Query().Get("code"))
		if a.String("scope") != want {
			t.Errorf("%s: granted %q, want %q", asked, a.String("scope"), want)
		}
		if got := env.Get(a.String("access_token"), "Observation?_count=1"); strings.Contains(want, "Observation") && got.Status != http.StatusOK {
			t.Errorf("%s: what was granted does not work: %d", asked, got.Status)
		}
		problem := env.JSON("POST", env.FHIR+"/Condition", a.String("access_token"), `{"resourceType":"Condition","subject":{"reference":"Patient/maria"}}`)
		if writes := strings.Contains(want, "Condition.write") || strings.Contains(want, "patient/*"); (problem.Status == http.StatusCreated) != writes {
			t.Errorf("%s: writing: %d %s", asked, problem.Status, problem.Raw)
		}
	}
	p := env.Browser().Open(env.Client("sandbox-browser").Request("patient/CareTeam.cud user/AuditEvent.rs").URL())
	if p.Left == nil || p.Left.Query().Get("error") != "invalid_scope" {
		t.Errorf("only what is not offered: %s", p.Describe())
	}
}

// Names without what they need, and names in a spelling that is not offered, grant
// nothing; the rest is granted.
//
// spec: SCOPE-40, SCOPE-47
func TestNamesThatGrantNothing(t *testing.T) {
	env := testenv.Start(t)
	for asked, want := range map[string]string{
		"launch/patient fhirUser profile patient/Patient.rs":                                              "launch/patient patient/Patient.rs",
		"launch/patient patient/Patient.rs http://smarthealthit.org/fhir/scopes/patient/Observation.read": "launch/patient patient/Patient.rs",
		"launch/patient patient/Patient.rs http://openid.net/openid":                                      "launch/patient patient/Patient.rs",
	} {
		_, a := env.Token("sandbox-native", asked, "maria", "")
		if a.String("scope") != want || a.Body["id_token"] != nil {
			t.Errorf("%s: granted %q, want %q, ID token %v", asked, a.String("scope"), want, a.Body["id_token"])
		}
	}
	p := env.Browser().Open(env.Client("sandbox-native").Request("fhirUser").URL())
	if p.Left == nil || p.Left.Query().Get("error") != "invalid_scope" {
		t.Errorf("fhirUser alone: %s", p.Describe())
	}
}

// The context of a launch stands in the answer when it was asked for, as a bare id,
// and there again after a refresh; nothing else of it does.
//
// spec: TOK-16, RT-12, CTX-14, CTX-15
func TestTheAnswerTellsTheContext(t *testing.T) {
	env := testenv.Start(t)
	for _, row := range []struct {
		name, scope, username, patient, want string
	}{
		{"asked for", "launch/patient patient/Patient.rs offline_access", "maria", "", "maria"},
		{"by a patient scope alone", "patient/Patient.rs offline_access", "maria", "", "maria"},
		{"chosen by a clinician", "launch/patient patient/Patient.rs offline_access", "chen", "maria", "maria"},
		{"not asked for", "openid user/Patient.rs offline_access", "chen", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, a := env.Token("sandbox-native", row.scope, row.username, row.patient)
			for name, answer := range map[string]testenv.Answer{"exchange": a, "refresh": c.Refresh(a.String("refresh_token"))} {
				var members []string
				for member := range answer.Body {
					if !slices.Contains([]string{"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}, member) {
						members = append(members, member)
					}
				}
				var want []string
				if row.want != "" {
					want = []string{"patient"}
				}
				if answer.String("patient") != row.want || !slices.Equal(members, want) {
					t.Errorf("%s: members %v, patient %q", name, members, answer.String("patient"))
				}
			}
		})
	}
}

// A public client gets a refresh token for lasting access and for nothing else, on
// the first answer and on every later one.
//
// spec: TOK-14
// attack: TK-33
func TestRefreshTokensAreAskedFor(t *testing.T) {
	env := testenv.Start(t)
	for _, row := range []struct {
		name, scope string
		ticked      []string // nil: as the page has it
		want        bool
	}{
		{"not asked for", "launch/patient openid patient/Patient.rs", nil, false},
		{"offline", "launch/patient openid patient/Patient.rs offline_access", nil, true},
		{"online", "launch/patient openid patient/Patient.rs online_access", nil, true},
		{"offline, not ticked", "launch/patient openid patient/Patient.rs offline_access", []string{"patient/Patient.rs"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := env.Client("sandbox-browser")
			b := env.Browser()
			r := c.Request(row.scope)
			p := b.SignIn(b.Open(r.URL()), "maria")
			var changes url.Values
			if row.ticked != nil {
				changes = url.Values{"scope": row.ticked}
			}
			p = b.Submit(p, "decision", "allow", changes)
			a := c.Exchange(r, p.Left.Query().Get("code"))
			if got := a.String("refresh_token") != ""; got != row.want || a.Status != http.StatusOK {
				t.Fatalf("refresh token: %v, %s", got, a.Raw)
			}
			if row.want {
				if next := c.Refresh(a.String("refresh_token"), "scope", "openid"); next.Status != http.StatusOK || next.String("refresh_token") == "" {
					t.Errorf("a narrowed refresh: %d %s", next.Status, next.Raw)
				}
			}
		})
	}
}

// scope in a code exchange changes nothing.
//
// spec: TOK-04
// attack: TK-23
func TestScopeOfAnExchangeIsIgnored(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	r := c.Request(onePatient)
	code := env.Browser().Code(c, r, "maria", "")
	a := c.Post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}, "code_verifier": {r.Verifier},
		"scope": {"user/*.cruds patient/*.rs"},
	})
	if a.Status != http.StatusOK || a.String("scope") != onePatient {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
	if got := env.Get(a.String("access_token"), "Observation"); got.Status != http.StatusForbidden {
		t.Errorf("what was not approved is read: %d", got.Status)
	}
}

// Whoever has a record connects whatever app is registered: no list of people has
// to be kept for that.
//
// spec: CONS-21
func TestEverybodyMayConnectAnyApp(t *testing.T) {
	env := testenv.Start(t)
	c := env.Register(`{"client_name":"An app of anybody","redirect_uris":["https://anybody.example.org/cb"],"token_endpoint_auth_method":"none","scope":"launch/patient patient/*.rs"}`)
	patients := 0
	for _, person := range env.File.People {
		if person.Role != "patient" && person.Role != "representative" {
			continue
		}
		patients++
		r := c.Request("launch/patient patient/Patient.rs")
		code := env.Browser().Code(c, r, person.Username, person.Patients[0])
		if a := c.Exchange(r, code); a.Status != http.StatusOK || a.String("patient") != person.Patients[0] {
			t.Errorf("%s: %d %s", person.Username, a.Status, a.Raw)
		}
	}
	if patients < 3 {
		t.Errorf("%d people: the test proves little", patients)
	}
}
