package testenv_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

const ownApp = `"client_name":"Growth Tracker","redirect_uris":["http://127.0.0.1/cb"],"token_endpoint_auth_method":"none"`

// An app registers itself with a token, is used, looks after itself, and goes.
//
// spec: REG-02, REG-10, REG-11, REG-15, REG-16, REG-19, HDR-01, CONS-21
// attack: DC-01, DC-14, DC-17, AZ-29
func TestAnAppRegistersItself(t *testing.T) {
	env := testenv.Start(t)
	token := env.InitialAccessToken("2")
	a := env.JSON(http.MethodPost, "/register", token, `{`+ownApp+`,"client_id":"mine","software_id":"s","trusted":true}`)
	checkTokenHeaders(t, a)
	c := env.Registered(a)
	uri, own := a.String("registration_client_uri"), a.String("registration_access_token")
	if c.ID == "mine" || c.Secret != "" || a.Body["client_id_issued_at"] == nil || !strings.HasPrefix(own, "ra_") || uri != env.URL+"/register/"+c.ID ||
		a.String("client_name") != "Growth Tracker" || a.String("software_id") != "s" || a.String("application_type") != "native" || a.Body["client_secret_expires_at"] != nil {
		t.Fatalf("registered: %s", a.Raw)
	}
	b := env.Browser()
	r := c.Request("launch/patient patient/*.rs openid offline_access")
	tokens := c.Exchange(r, b.Code(c, r, "maria", ""))
	if tokens.Status != 200 || env.Get(tokens.String("access_token"), "Patient/maria").Status != 200 {
		t.Fatalf("its first use: %d %s", tokens.Status, tokens.Raw)
	}
	q := c.Request("launch/patient patient/*.rs")
	if other := c.Exchange(q, env.Browser().Code(c, q, "james", "")); other.Status != 200 || env.Get(other.String("access_token"), "Patient/james").Status != 200 {
		t.Errorf("somebody else's choice of it: %d %s", other.Status, other.Raw)
	}

	got := env.JSON(http.MethodGet, uri, own, "")
	checkTokenHeaders(t, got)
	for name, want := range a.Body {
		if diff := cmp.Diff(want, got.Body[name]); diff != "" {
			t.Errorf("read: %s differs from what was registered: %s", name, diff)
		}
	}
	changed := env.JSON(http.MethodPut, uri, own, `{"client_id":"`+c.ID+`",`+ownApp+`,"scope":"openid patient/Goal.rs","contacts":["a@example.org"]}`)
	if changed.Status != 200 || changed.String("scope") != "openid patient/Goal.rs" || changed.String("registration_access_token") != own || changed.Body["software_id"] != nil {
		t.Fatalf("changed: %d %s", changed.Status, changed.Raw)
	}
	p := b.Open(c.Request("patient/Immunization.rs").URL())
	if p.Left != nil || !strings.Contains(p.Body, "invalid_scope") || p.HasButton("decision", "allow") { // AZ-29: nobody vouches for it
		t.Errorf("what it no longer registers is still given: %s", p.Describe())
	}

	if gone := env.JSON(http.MethodDelete, uri, own, ""); gone.Status != http.StatusNoContent || gone.Raw != "" {
		t.Fatalf("removed: %d %s", gone.Status, gone.Raw)
	}
	if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("its access token lives: %d", got.Status)
	}
	if got := c.Refresh(tokens.String("refresh_token")); got.String("error") != "invalid_client" {
		t.Errorf("its refresh token: %d %s", got.Status, got.Raw)
	}
	if p := b.Open(c.Request("openid").URL()); p.Status != http.StatusBadRequest || p.Left != nil || p.Value(t, "error-id") == "" {
		t.Errorf("its requests: %s", p.Describe())
	}
	if got := env.JSON(http.MethodGet, uri, own, ""); got.Status != http.StatusUnauthorized {
		t.Errorf("its registration: %d %s", got.Status, got.Raw)
	}
	if again := env.JSON(http.MethodPost, "/register", token, `{`+ownApp+`}`); again.Status != http.StatusCreated || again.String("client_id") == c.ID {
		t.Errorf("the second use: %d %s", again.Status, again.Raw)
	}
	if third := env.JSON(http.MethodPost, "/register", token, `{`+ownApp+`}`); third.Status != http.StatusUnauthorized {
		t.Errorf("one use too many: %d %s", third.Status, third.Raw)
	}
}

// There is no client but a registered one: a URL is no client id, and nothing is
// fetched from it.
//
// spec: REG-01
// attack: DC-20
func TestAnAppIsRegisteredBeforeUse(t *testing.T) {
	env := testenv.Start(t)
	fetched := make(chan string, 10)
	own := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { fetched <- r.URL.Path }))
	defer own.Close()
	c := *env.Client("sandbox-browser")
	for _, id := range []string{"nobody", own.URL + "/client.json", "", "sandbox-browser ", "SANDBOX-BROWSER"} {
		c.ID = id
		if p := env.Browser().Open(c.Request(readAll).URL()); p.Status != http.StatusBadRequest || p.Left != nil || p.Value(t, "error-id") == "" {
			t.Errorf("%q: %s", id, p.Describe())
		}
		if got := c.Post("/token", url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {c.RedirectURI}}); got.String("error") != "invalid_client" {
			t.Errorf("%q at the token endpoint: %s", id, got.Raw)
		}
	}
	if len(fetched) > 0 {
		t.Errorf("fetched %s", <-fetched)
	}
}

// Nobody registers or reads a registration without the token for exactly that, and
// all refusals are alike.
//
// spec: REG-11, REG-15
// attack: DC-01, DC-15
func TestRegistrationNeedsItsToken(t *testing.T) {
	env := testenv.Start(t)
	initial := env.InitialAccessToken("5")
	first := env.JSON(http.MethodPost, "/register", initial, `{`+ownApp+`}`)
	second := env.JSON(http.MethodPost, "/register", initial, `{"client_name":"B","redirect_uris":["https://b.example.org/cb"]}`)
	_, access := env.Token("sandbox-native", readAll, "maria", "")
	uri, own := first.String("registration_client_uri"), first.String("registration_access_token")
	before := env.Admin(http.MethodGet, "/clients", "").Raw
	strangers := map[string]string{
		"none": "", "made up": "it_" + strings.Repeat("a", 43), "another client's": second.String("registration_access_token"), "initial": initial,
		"an access token": access.String("access_token"), "altered": own + "a", "cut": own[:len(own)-1],
	}
	for name, token := range strangers {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			got := env.JSON(method, uri, token, `{"client_id":"`+first.String("client_id")+`",`+ownApp+`,"client_name":"mine now"}`)
			if got.Status != http.StatusUnauthorized || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer ") || strings.Contains(got.Header.Get("WWW-Authenticate"), "error=") != (token != "") {
				t.Errorf("%s by %s: %d %s %v", method, name, got.Status, got.Raw, got.Header["Www-Authenticate"])
			}
			unknown := env.JSON(method, env.URL+"/register/nobody", token, `{}`)
			if unknown.Status != got.Status || unknown.Raw != got.Raw {
				t.Errorf("%s by %s: a client that does not exist is told apart: %d %s", method, name, unknown.Status, unknown.Raw)
			}
		}
		if name == "initial" {
			continue
		}
		if got := env.JSON(http.MethodPost, "/register", token, `{`+ownApp+`}`); got.Status != http.StatusUnauthorized {
			t.Errorf("registration by %s: %d %s", name, got.Status, got.Raw)
		}
	}
	if got := env.JSON(http.MethodPost, "/register", own, `{`+ownApp+`}`); got.Status != http.StatusUnauthorized {
		t.Errorf("a registration access token registers: %d", got.Status)
	}
	if got := env.JSON(http.MethodGet, "/register/sandbox-native", "", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("an operator's client: %d", got.Status)
	}
	if got := env.Get(own, "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("a registration access token reads records: %d", got.Status)
	}
	if after := env.Admin(http.MethodGet, "/clients", "").Raw; after != before {
		t.Errorf("something was stored or changed:\n%s\n%s", before, after)
	}
	if got := env.JSON(http.MethodPost, "/register?access_token="+initial, "", `{`+ownApp+`}`); got.Status != http.StatusBadRequest {
		t.Errorf("a token in the URL: %d", got.Status)
	}
	listed := env.Admin(http.MethodGet, "/registration-tokens", "").Raw
	if strings.Contains(listed, initial) || !strings.Contains(listed, `"uses_left":3`) {
		t.Errorf("tokens: %s", listed)
	}
}

// What is refused says why in the words of the RFC, costs nothing and leaves
// nothing.
//
// spec: REG-08, REG-12, REG-13, REG-14, ERR-38, HDR-01
// attack: DC-02, DC-10, DC-12
func TestRegistrationsThatAreRefused(t *testing.T) {
	env := testenv.Start(t)
	token := env.InitialAccessToken("1")
	before := env.Admin(http.MethodGet, "/clients", "").Raw
	for _, row := range []struct {
		name, body string
		status     int
		code, word string
	}{
		{"DC-02 script", `{"redirect_uris":["https://a.example/cb","JaVaScRiPt:x"]}`, 400, "invalid_redirect_uri", "redirect_uris[1]"},
		{"DC-02 none", `{}`, 400, "invalid_redirect_uri", "redirect_uris"},
		{"DC-02 no list", `{"redirect_uris":"https://a.example/cb"}`, 400, "invalid_redirect_uri", "redirect_uris"},
		{"DC-03 logo", `{` + ownApp + `,"logo_uri":"javascript:x"}`, 400, "invalid_client_metadata", "logo_uri"},
		{"REG-13", `{` + ownApp + `,"grant_types":["implicit"]}`, 400, "invalid_client_metadata", "grant_types"},
		{"DC-10", `{` + ownApp + `,"scope":"system/*.cruds"}`, 400, "invalid_client_metadata", "scope"},
		{"DC-10 user", `{` + ownApp + `,"scope":"user/*.cruds"}`, 400, "invalid_client_metadata", "scope"},
		{"DC-12 null", `null`, 400, "invalid_client_metadata", ""},
		{"DC-12 list", `[]`, 400, "invalid_client_metadata", ""},
		{"DC-12 twice", `{` + ownApp + `,"client_name":"x"}`, 400, "invalid_client_metadata", ""},
		{"DC-12 large", `{` + ownApp + `,"x":"` + strings.Repeat("a", 140<<10) + `"}`, 413, "invalid_client_metadata", ""},
	} {
		got := env.JSON(http.MethodPost, "/register", token, row.body)
		checkTokenHeaders(t, got)
		if got.Status != row.status || got.String("error") != row.code || !strings.HasPrefix(got.String("error_description"), row.word) || strings.ContainsAny(got.String("error_description"), `"\`) {
			t.Errorf("%s: %d %s", row.name, got.Status, got.Raw)
		}
	}
	if got := send(t, env, "/register", form, "redirect_uris=https://a.example/cb", "Authorization", "Bearer "+token); got.Status != http.StatusUnsupportedMediaType {
		t.Errorf("a form: %d %s", got.Status, got.Raw)
	}
	if got := env.JSON(http.MethodGet, "/register", token, ""); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", got.Status, got.Header.Get("Allow"))
	}
	if after := env.Admin(http.MethodGet, "/clients", "").Raw; after != before {
		t.Error("a refused registration left something")
	}
	a := env.JSON(http.MethodPost, "/register", token, `{"redirect_uris":["https://a.example/cb"],"software_statement":"e30.eyJzY29wZSI6InN5c3RlbS8qLnJzIn0."}`)
	if a.Status != http.StatusCreated || strings.Contains(a.String("scope"), "system") {
		t.Errorf("REG-14: an unsigned software statement, and the use that all those tries did not cost: %d %s", a.Status, a.Raw)
	}
}

// Tries are counted by address.
//
// attack: DC-18
func TestRegistrationsAreCounted(t *testing.T) {
	env := testenv.Start(t)
	for range 60 {
		if got := env.JSON(http.MethodPost, "/register", "", `{}`); got.Status != http.StatusUnauthorized {
			t.Fatalf("%d %s", got.Status, got.Raw)
		}
	}
	got := env.JSON(http.MethodPost, "/register", "", `{}`)
	if got.Status != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" || got.Header.Get("Retry-After") == "0" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
}

// Discovery says whether apps may register themselves, in all its documents alike,
// and the path is there exactly then.
//
// spec: DISC-21, DISC-30, DISC-34
// attack: DC-01
func TestRegistrationIsASwitch(t *testing.T) {
	for dynamic, status := range map[app.DynamicRegistration]int{app.RegistrationOff: 404, app.RegistrationToken: 401, app.RegistrationOpen: 201} {
		t.Run(string(dynamic), func(t *testing.T) {
			env := testenv.StartWith(t, func(o *app.SandboxOptions) { o.Registration, o.SelfService = dynamic, app.SelfServiceOff })
			want := any(env.URL + "/register")
			if dynamic == app.RegistrationOff {
				want = nil
			}
			for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
				if _, doc := document(t, env, path); doc["registration_endpoint"] != want {
					t.Errorf("%s: %v", path, doc["registration_endpoint"])
				}
			}
			if metadata, _ := document(t, env, "/fhir/metadata"); strings.Contains(metadata.Raw, `"url":"register","valueUri":"`+env.URL+`/register"`) != (want != nil) {
				t.Error("the CapabilityStatement says otherwise")
			}
			if got := env.JSON(http.MethodPost, "/register", "", `{`+ownApp+`}`); got.Status != status {
				t.Errorf("without a token: %d %s", got.Status, got.Raw)
			}
			if got := env.JSON(http.MethodGet, "/register/x", "", ""); (got.Status == 404) != (want == nil) {
				t.Errorf("below: %d", got.Status)
			}
			if made := env.JSON(http.MethodPost, "/register", "it_x", `{`+ownApp+`}`); want != nil && made.Status != http.StatusUnauthorized {
				t.Errorf("with a bad token: %d", made.Status)
			}
		})
	}
}

// An app that is disabled is refused everywhere at once; enabled again it has to be
// approved anew.
//
// spec: REG-16, ERR-02, REVOKE-14
func TestADisabledAppIsRefusedEverywhere(t *testing.T) {
	env := testenv.Start(t)
	a := env.JSON(http.MethodPost, "/register", env.InitialAccessToken("1"), `{`+ownApp+`}`)
	c, uri, own := env.Registered(a), a.String("registration_client_uri"), a.String("registration_access_token")
	b := env.Browser()
	r := c.Request(readAll)
	tokens := c.Exchange(r, b.Code(c, r, "maria", ""))
	code := b.Code(c, r, "maria", "")
	form := b.Open(c.Request(readAll, "prompt", "consent").URL())
	if got := env.Admin(http.MethodPost, "/clients/"+c.ID+"/disable", ""); got.Status != 200 || got.Body["disabled"] != true {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	if got := env.Get(tokens.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("FHIR API: %d", got.Status)
	}
	unknown := env.Client("sandbox-native")
	unknown.ID = "nobody"
	for name, got := range map[string][2]testenv.Answer{
		"refresh": {c.Refresh(tokens.String("refresh_token")), unknown.Refresh("x")}, "code": {c.Exchange(r, code), unknown.Exchange(r, code)},
		"revocation": {c.Post("/revoke", url.Values{"token": {"x"}}), unknown.Post("/revoke", url.Values{"token": {"x"}})},
	} {
		if got[0].Status != got[1].Status || got[0].Raw != got[1].Raw || got[0].String("error") != "invalid_client" {
			t.Errorf("%s: a disabled client is told apart from an unknown one: %d %s", name, got[0].Status, got[0].Raw)
		}
	}
	if p := b.Open(c.Request(readAll).URL()); p.Status != http.StatusForbidden || p.Left != nil || p.Value(t, "error-id") == "" {
		t.Errorf("authorization: %s", p.Describe())
	}
	if p := b.Submit(form, "decision", "allow", nil); p.Left != nil || p.Status < 400 {
		t.Errorf("a request under way: %s", p.Describe())
	}
	if got := env.JSON(http.MethodGet, uri, own, ""); got.Status != http.StatusUnauthorized {
		t.Errorf("its registration: %d", got.Status)
	}
	if got := env.JSON(http.MethodPut, uri, own, `{"client_id":"`+c.ID+`",`+ownApp+`}`); got.Status != http.StatusUnauthorized {
		t.Errorf("it enables itself: %d", got.Status)
	}
	if got := env.Admin(http.MethodPost, "/clients/"+c.ID+"/enable", ""); got.Status != 200 || got.Body["disabled"] != nil {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	if got := c.Refresh(tokens.String("refresh_token")); got.String("error") != "invalid_grant" {
		t.Errorf("what ended came back: %d %s", got.Status, got.Raw)
	}
	if fresh := c.Exchange(r, b.Code(c, r, "maria", "")); fresh.Status != 200 {
		t.Errorf("enabled again: %d %s", fresh.Status, fresh.Raw)
	}
}

// Two secrets work during the overlap, one afterwards, and the old one at once no
// longer without.
//
// spec: CAUTH-10
func TestASecretHasASuccessor(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	works := func(secret string) bool {
		app := *c
		app.Secret = secret
		return app.Post("/revoke", url.Values{"token": {"x"}}).Status == http.StatusOK
	}
	rotate := func(body string) string {
		a := env.Admin(http.MethodPost, "/clients/"+c.ID+"/secret", body)
		if a.Status != 200 || a.Body["client_secret_expires_at"] == nil {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		return a.String("client_secret")
	}
	second := rotate(`{"overlap_seconds":3600,"life_seconds":7200}`)
	if !works(c.Secret) || !works(second) {
		t.Error("both work during the overlap")
	}
	third := rotate(`{"overlap_seconds":0}`)
	if works(c.Secret) || works(second) || !works(third) {
		t.Errorf("without overlap: %v %v %v", works(c.Secret), works(second), works(third))
	}
	if got := env.Admin(http.MethodPost, "/clients/sandbox-native/secret", `{}`); got.Status != 400 || !strings.Contains(got.Raw, "no secret") {
		t.Errorf("a public client: %d %s", got.Status, got.Raw)
	}
}

// What the operator vouches for and what an app says of itself look different; a
// new name needs a new look, a wider scope a new approval.
//
// spec: CONS-02, CONS-23, REG-17, REG-18
// attack: DC-08, CO-08
func TestPeopleSeeWhoRegisteredAnApp(t *testing.T) {
	env := testenv.Start(t)
	const metadata = `"client_name":"<script>alert(1)</script>","emberlatch_maker":"Sprout","redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"none"`
	a := env.JSON(http.MethodPost, "/register", env.InitialAccessToken("1"), `{`+metadata+`}`)
	c, uri, own := env.Registered(a), a.String("registration_client_uri"), a.String("registration_access_token")
	b := env.Browser()
	page := func(scope string) testenv.Page {
		p := b.Open(c.Request(scope, "prompt", "consent").URL())
		if p.HasButton("action", "sign-in") {
			p = b.SignIn(p, "maria")
		}
		if !p.HasButton("decision", "allow") {
			t.Fatalf("no approval page: %s\n%s", p.Describe(), p.Body)
		}
		return p
	}
	const stranger, checked = "It registered itself", "Checked by Valley Clinic"
	p := page("openid patient/Goal.rs")
	if !strings.Contains(p.Body, stranger) || strings.Contains(p.Body, checked) || !strings.Contains(p.Body, "app.example.org") || !strings.Contains(p.Body, "It says it is made by Sprout") {
		t.Errorf("a stranger's app:\n%s", p.Body)
	}
	if strings.Contains(p.Body, "<script>") {
		t.Error("its name is markup")
	}
	env.Admin(http.MethodPatch, "/clients/"+c.ID, `{"emberlatch_checked":true}`)
	if p := page("openid patient/Goal.rs"); !strings.Contains(p.Body, checked) || strings.Contains(p.Body, stranger) {
		t.Error("checked by the operator")
	}
	renamed := strings.Replace(metadata, "<script>alert(1)</script>", "Another App", 1)
	if got := env.JSON(http.MethodPut, uri, own, `{"client_id":"`+c.ID+`",`+renamed+`}`); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	if p := page("openid patient/Goal.rs"); strings.Contains(p.Body, checked) || !strings.Contains(p.Body, stranger) {
		t.Error("another name is still vouched for")
	}
	if p := b.Open(env.Client("sandbox-native").Request(readAll).URL()); strings.Contains(p.Body, stranger) {
		t.Error("an operator's app")
	}
}

// A remembered approval covers what was asked for then, not what an app registers
// later.
//
// spec: REG-17, CONS-14
func TestAWiderRegistrationIsAskedForAgain(t *testing.T) {
	env := testenv.Start(t)
	const metadata = `"client_name":"A","redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"none","scope":`
	a := env.JSON(http.MethodPost, "/register", env.InitialAccessToken("1"), `{`+metadata+`"launch/patient patient/Goal.rs"}`)
	c := env.Registered(a)
	b := env.Browser()
	p := b.SignIn(b.Open(c.Request("launch/patient patient/Goal.rs").URL()), "maria")
	if p = b.Submit(p, "decision", "allow", url.Values{"remember": {"yes"}}); p.Left == nil {
		t.Fatalf("not approved: %s", p.Describe())
	}
	if p := b.Open(c.Request("launch/patient patient/Goal.rs").URL()); p.Left == nil {
		t.Fatalf("asked again for the same: %s", p.Describe())
	}
	got := env.JSON(http.MethodPut, a.String("registration_client_uri"), a.String("registration_access_token"), `{"client_id":"`+c.ID+`",`+metadata+`"launch/patient patient/*.rs"}`)
	if got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	if p := b.Open(c.Request("launch/patient patient/Goal.rs patient/Condition.rs").URL()); !p.HasButton("decision", "allow") {
		t.Errorf("more was given in silence: %s", p.Describe())
	}
}

// Every endpoint that an app calls from a page answers a registered origin, a
// preflight and an error included, and nobody else; what everybody may read
// answers everybody; pages for people answer no origin.
//
// spec: CORS-01, CORS-02, CORS-03, CORS-04, CORS-05, CORS-07, CORS-08, CORS-09, CORS-10, CORS-11, CORS-12, CORS-13
func TestCrossOriginOfEveryEndpoint(t *testing.T) {
	env := testenv.Start(t)
	a := env.JSON(http.MethodPost, "/register", env.InitialAccessToken("1"), `{"redirect_uris":["https://page.example.org/cb"],"token_endpoint_auth_method":"none","application_type":"browser","emberlatch_origins":["https://cdn.example.org"]}`)
	id := env.Registered(a).ID
	launched, b := env.Client("sandbox-browser"), env.Browser()
	r := launched.Launched("launch patient/Patient.rs", "maria")
	style, ours := strings.CutPrefix(launched.Exchange(r, b.Code(launched, r, "maria", "")).String("smart_style_url"), env.URL)
	if !ours {
		t.Fatalf("style %q", style)
	}
	const nobody, apps, anybody = "nobody", "apps", "anybody"
	for path, who := range map[string]string{
		"/token": apps, "/revoke": apps, "/userinfo": apps, "/register": apps, "/register/" + id: apps, "/fhir": apps, "/fhir/Patient/maria": apps,
		"/fhir/Patient?_id=maria": apps, "/fhir/Nonsense": apps, "/fhir/metadata": anybody, "/fhir/.well-known/smart-configuration": anybody,
		"/.well-known/openid-configuration": anybody, "/.well-known/oauth-authorization-server": anybody, "/jwks.json": anybody, style: anybody,
		"/introspect": nobody, "/authorize": nobody, "/login": nobody, "/login/second": nobody, "/manage/second-step": nobody, "/manage/second-step/set-up": nobody, "/enrol": nobody, "/recover": nobody, "/choose": nobody, "/choose/encounter": nobody, "/launch": nobody, "/sandbox/launch": nobody, "/developers": nobody, "/developers/register": nobody, "/developers/app": nobody, "/approve": nobody, "/logout": nobody, "/": nobody, "/health/ready": nobody,
	} {
		for origin, registered := range map[string]bool{"https://page.example.org": true, "https://cdn.example.org": true, "https://evil.example.org": false, "https://page.example.org.evil.test": false, "null": false} {
			want := who == anybody || who == apps && registered
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
				header := []string{"Origin", origin}
				if method == http.MethodOptions {
					header = append(header, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
				}
				got := env.JSON(method, path, "", "", header...)
				allowed := got.Header.Get("Access-Control-Allow-Origin")
				if wantValue := map[bool]string{true: origin}[want]; allowed != wantValue && !(who == anybody && origin == "null" && allowed == "*") {
					t.Errorf("%s %s from %s (%d): allowed %q", method, path, origin, got.Status, allowed)
				}
				if got.Header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s %s: credentials", method, path)
				}
				if who != nobody && !slices.Contains(got.Header.Values("Vary"), "Origin") {
					t.Errorf("%s %s: Vary %v", method, path, got.Header.Values("Vary"))
				}
				if method == http.MethodOptions && want && (got.Status != http.StatusNoContent || !strings.Contains(got.Header.Get("Access-Control-Allow-Methods"), "DELETE") || !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "Authorization")) {
					t.Errorf("preflight of %s: %d %v", path, got.Status, got.Header)
				}
			}
		}
	}
	env.Admin(http.MethodPost, "/clients/"+id+"/disable", "")
	if got := env.JSON(http.MethodPost, "/token", "", "", "Origin", "https://page.example.org"); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the origin of a disabled app may call")
	}
}
