package testenv_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

const password = "a quiet morning walk"

// account is the input of `emberlatch user add`.
func account(name, role, record string) string {
	return `{"username":"` + name + `","password":"` + password + `","role":"` + role + `","fhirUser":"` + record + `","represents":["Patient/leo"]}`
}

// The record of an account is one that is there, whatever its type, whether apps
// reach that type or not.
func TestAccountsNameARecordThatIsThere(t *testing.T) {
	env := testenv.Start(t)
	loaded := env.Admin(http.MethodPost, "/data?name=people.ndjson", `{"resourceType":"Person","id":"root"}
{"resourceType":"RelatedPerson","id":"aunt","patient":{"reference":"Patient/leo"}}
{"resourceType":"Practitioner","id":"dr-new"}
{"resourceType":"Patient","id":"new"}
`)
	if !strings.Contains(loaded.Raw, `"stored":4`) {
		t.Fatal(loaded.Raw)
	}
	for record, role := range map[string]string{
		"Person/root": "administrator", "RelatedPerson/aunt": "representative", "Practitioner/dr-new": "practitioner", "Patient/new": "patient",
	} {
		typ, _, _ := strings.Cut(record, "/")
		if a := env.Admin(http.MethodPost, "/users", account(typ+"-there", role, record)); a.Status != http.StatusCreated {
			t.Errorf("%s: %d %s", record, a.Status, a.Raw)
		}
		missing := typ + "/not-there"
		if a := env.Admin(http.MethodPost, "/users", account(typ+"-lost", role, missing)); a.Status != http.StatusBadRequest || !strings.Contains(a.String("error"), missing) {
			t.Errorf("%s: %d %s", missing, a.Status, a.Raw)
		}
		if a := env.Admin(http.MethodPost, "/users?record-later", account(typ+"-later", role, missing)); a.Status != http.StatusCreated {
			t.Errorf("%s, to be loaded later: %d %s", missing, a.Status, a.Raw)
		}
	}
}

// So is the record of everybody whom an account stands for.
func TestAccountsStandForPeopleWhoAreThere(t *testing.T) {
	env := testenv.Start(t)
	standing := func(name, represents string) string {
		return `{"username":"` + name + `","password":"` + password + `","role":"representative","represents":[` + represents + `]}`
	}
	for name, row := range map[string]struct {
		path, represents string
		status           int
	}{
		"there":                      {"/users", `"Patient/leo"`, http.StatusCreated},
		"not-there":                  {"/users", `"Patient/not-there"`, http.StatusBadRequest},
		"one-of-two":                 {"/users", `"Patient/leo","Patient/not-there"`, http.StatusBadRequest},
		"mistyped":                   {"/users", `"Patient/Leo"`, http.StatusBadRequest},
		"a-version":                  {"/users?record-later", `"Patient/leo/_history/1"`, http.StatusBadRequest},
		"later":                      {"/users?record-later", `"Patient/not-there"`, http.StatusCreated},
		"nothing-that-is-no-patient": {"/users?record-later", `"Person/root"`, http.StatusBadRequest},
	} {
		a := env.Admin(http.MethodPost, row.path, standing(name, row.represents))
		if a.Status != row.status || strings.Contains(row.represents, "not-there") && row.status != http.StatusCreated && !strings.Contains(a.String("error"), "represents: there is no Patient/not-there") {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
	}
}

// No app is imported under the id of a person: a token whose subject is its client is
// that of a backend service, with nobody behind it.
//
// spec: OIDC-08
func TestNoClientHasTheIDOfAPerson(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-confidential", "launch/patient patient/Patient.rs", "maria", "")
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(a.String("access_token"), ".")[1])
	var claims struct {
		Subject string `json:"sub"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Subject == "" {
		t.Fatalf("%s: %v", payload, err)
	}
	app := func(id string) string {
		return `{"client_id":"` + id + `","redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"none"}`
	}
	if got := env.Admin(http.MethodPost, "/import/clients", app("somebody-else")+app(claims.Subject)); got.Status != http.StatusConflict {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
	if got := env.Admin(http.MethodGet, "/clients/somebody-else", ""); got.Status != http.StatusNotFound {
		t.Errorf("a part was imported: %d %s", got.Status, got.Raw)
	}
	if got := env.Admin(http.MethodPost, "/import/clients", app("somebody-else")); got.Status != http.StatusOK {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
}

// pending is somebody at the approval page, and what the app needs for its code.
func pending(t *testing.T, env *testenv.Env, c *testenv.Client, username string) (testenv.Request, string, *testenv.Browser) {
	t.Helper()
	b, r := env.Browser(), c.Request(readAll)
	return r, b.Code(c, r, username, ""), b
}

// An account that is disabled is out everywhere at once: its code, its tokens of
// every kind, its session, its password; and its name is nobody else's.
//
// spec: TOK-21, RS-12, RT-27
// attack: LG-28, TK-27, RT-11
func TestADisabledAccountIsOut(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	before, code, _ := pending(t, env, c, "maria")
	tokens := c.Exchange(before, code)
	if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusOK {
		t.Fatal(got.Raw)
	}
	r, code, b := pending(t, env, c, "maria")
	if a := env.Admin(http.MethodPost, "/users/maria/disable", ""); a.Status != http.StatusOK {
		t.Fatal(a.Raw)
	}
	if a := c.Exchange(r, code); a.Status != http.StatusBadRequest || a.String("error") != "invalid_grant" {
		t.Errorf("the code: %d %s", a.Status, a.Raw)
	}
	if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("the access token at the API: %d", got.Status)
	}
	if a := c.Post("/introspect", url.Values{"token": {tokens.String("access_token")}}); a.Raw != `{"active":false}` {
		t.Errorf("introspection: %s", a.Raw)
	}
	// attack: IN-08
	req, err := http.NewRequest(http.MethodGet, env.URL+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tokens.String("access_token"))
	if a := env.Send(req); a.Status != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", a.Status)
	}
	if a := c.Refresh(tokens.String("refresh_token")); a.Status != http.StatusBadRequest || a.String("error") != "invalid_grant" {
		t.Errorf("the refresh token: %d %s", a.Status, a.Raw)
	}
	p := b.Open(c.Request(readAll).URL())
	if !p.HasButton("action", "sign-in") || p.HasButton("action", "continue") {
		t.Errorf("the session: %s", p.Describe())
	}
	if p = b.SignIn(p, "maria"); p.HasButton("decision", "allow") || !p.HasButton("action", "sign-in") {
		t.Errorf("the password: %s", p.Describe())
	}
	for _, name := range []string{"maria", "MARIA"} {
		if a := env.Admin(http.MethodPost, "/users", account(name, "representative", "")); a.Status != http.StatusConflict {
			t.Errorf("%s as the name of somebody else: %d %s", name, a.Status, a.Raw)
		}
	}
}

// A client that is disabled between code and exchange is nobody.
//
// spec: TOK-21, ERR-02, REVOKE-14
// attack: TK-27, AZ-23
func TestADisabledClientIsOut(t *testing.T) {
	env := testenv.Start(t)
	for _, id := range []string{"sandbox-confidential", "sandbox-browser"} {
		c := env.Client(id)
		first, code, _ := pending(t, env, c, "maria")
		tokens := c.Exchange(first, code)
		r, code, b := pending(t, env, c, "maria")
		open := b.Open(c.Request(readAll).URL())
		if a := env.Admin(http.MethodPost, "/clients/"+id+"/disable", ""); a.Status != http.StatusOK {
			t.Fatal(a.Raw)
		}
		want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusBadRequest}[c.Secret != ""] // ERR-27
		if a := c.Exchange(r, code); a.Status != want || a.String("error") != "invalid_client" {
			t.Errorf("%s, the code: %d %s", id, a.Status, a.Raw)
		}
		if a := c.Refresh(tokens.String("refresh_token")); a.Status != want || a.String("error") != "invalid_client" {
			t.Errorf("%s, the refresh token: %d %s", id, a.Status, a.Raw)
		}
		if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
			t.Errorf("%s, the access token: %d", id, got.Status)
		}
		if p := b.Submit(open, "decision", "allow", nil); p.Left != nil || p.Status != http.StatusBadRequest {
			t.Errorf("%s, an approval under way: %s", id, p.Describe())
		}
		if p := b.Open(c.Request(readAll).URL()); p.Left != nil || p.Status != http.StatusForbidden || p.Value(t, "error-id") == "" {
			t.Errorf("%s, a new request: %s", id, p.Describe())
		}
	}
}

// Whom a user stands for is asked again at each refresh: when the last word that a
// clinician treats a patient is gone, so is the access, for good.
//
// spec: RT-28, RT-27
// attack: RT-11
func TestARefreshAsksWhomTheUserReaches(t *testing.T) {
	env := testenv.Start(t)
	load := func(resource string) {
		t.Helper()
		if a := env.Admin(http.MethodPost, "/data?name=x.ndjson", resource); !strings.Contains(a.Raw, `"stored":1`) {
			t.Fatal(a.Raw)
		}
	}
	const patient = `{"resourceType":"Patient","id":"newcomer","name":[{"family":"Frost","given":["Ivo"]}],"birthDate":"1970-01-01"`
	load(patient + `,"generalPractitioner":[{"reference":"Practitioner/dr-chen"}]}`)
	c, a := env.Token("sandbox-native", "launch/patient patient/Patient.rs offline_access", "chen", "newcomer")
	a = c.Refresh(a.String("refresh_token"))
	if a.Status != http.StatusOK || a.String("patient") != "newcomer" {
		t.Fatalf("while the patient is in the panel: %d %s", a.Status, a.Raw)
	}
	load(patient + `}`)
	lost := c.Refresh(a.String("refresh_token"))
	if lost.Status != http.StatusBadRequest || lost.String("error") != "invalid_grant" {
		t.Errorf("afterwards: %d %s", lost.Status, lost.Raw)
	}
	load(patient + `,"generalPractitioner":[{"reference":"Practitioner/dr-chen"}]}`)
	if again := c.Refresh(a.String("refresh_token")); again.Status != http.StatusBadRequest {
		t.Errorf("the grant came back with the patient: %d %s", again.Status, again.Raw)
	}
}

// A confidential client keeps its refresh token when it was registered so, and
// else gets a new one each time.
//
// spec: RT-21
func TestRotationIsAMatterOfRegistration(t *testing.T) {
	env := testenv.Start(t)
	for keep, name := range map[bool]string{true: "kept", false: "rotated"} {
		extra := ""
		if keep {
			extra = `,"emberlatch_keep_refresh_token":true`
		}
		c := env.Register(`{"redirect_uris":["https://` + name + `.example.org/cb"],"scope":"launch/patient patient/*.rs offline_access"` + extra + `}`)
		r := c.Request("launch/patient patient/Patient.rs offline_access")
		a := c.Exchange(r, env.Browser().Code(c, r, "maria", ""))
		first := a.String("refresh_token")
		for range 3 {
			next := c.Refresh(a.String("refresh_token"))
			if next.Status != http.StatusOK {
				t.Fatalf("%s: %d %s", name, next.Status, next.Raw)
			}
			if same := next.String("refresh_token") == a.String("refresh_token"); same != keep {
				t.Errorf("%s: the refresh token is the same: %v", name, same)
			}
			a = next
		}
		if got := c.Refresh(first); (got.Status == http.StatusOK) != keep {
			t.Errorf("%s, the first one again: %d %s", name, got.Status, got.Raw)
		}
	}
}
