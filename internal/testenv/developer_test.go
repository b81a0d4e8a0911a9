package testenv_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

func reviewed(o *app.SandboxOptions) { o.SelfService = app.SelfServiceReviewed }

// textOf is what a person reads in the first element of a page with an attribute.
func textOf(t *testing.T, p testenv.Page, name, class string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != name || class != "" && !slices.Contains(n.Attr, html.Attribute{Key: "class", Val: class}) {
			continue
		}
		var b strings.Builder
		for c := range n.Descendants() {
			if c.Type == html.TextNode {
				b.WriteString(c.Data)
			}
		}
		return strings.Join(strings.Fields(b.String()), " ")
	}
	t.Fatalf("no <%s class=%q> on %s", name, class, p.Describe())
	return ""
}

// A developer whom nobody knows registers an app, sees what people will read, and it
// works; each knows of the other what the page says.
//
// spec: REG-05, REG-18, DOC-06, CONS-02, CONS-23, HDR-02
func TestADeveloperRegistersAnApp(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	home := b.Open("/developers")
	for _, want := range []string{`href="/developers/register"`, `href="/developers/app"`, env.FHIR, "Terms and fees", "at once"} {
		if home.Status != http.StatusOK || !strings.Contains(home.Body, want) {
			t.Errorf("%s does not say %q", home.Describe(), want)
		}
	}
	if start := b.Open("/"); !strings.Contains(start.Body, `href="/developers"`) {
		t.Error("the start page does not lead to it")
	}
	own := b.OwnApp(testenv.AppForm())
	registered := env.JSON(http.MethodGet, own.URI, own.Token, "")
	if registered.Status != http.StatusOK || registered.String("scope") != "patient/Patient.rs patient/Goal.rs launch/patient openid offline_access" ||
		registered.String("client_name") != "Growth Tracker" || own.Secret != "" || !strings.HasPrefix(own.Token, "ra_") {
		t.Errorf("registered: %d %s", registered.Status, registered.Raw)
	}
	own.Scope = registered.String("scope")
	preview := textOf(t, b.State(own.ID, own.Token), "fieldset", "card preview")
	person := env.Browser()
	p := person.SignIn(person.Open(own.Request(own.Scope).URL()), "james")
	approval := textOf(t, p, "main", "")
	approval = strings.Replace(approval, "Not you? Switch ", "", 1)
	name := env.File.People[slices.IndexFunc(env.File.People, func(p testenv.Person) bool {
		return p.Username == "james"
	})].Display
	if got := strings.ReplaceAll(approval, name, "Alex Example"); got != preview || !strings.Contains(preview, "It registered itself, not checked") {
		t.Errorf("\npreview  %s\napproval %s", preview, got)
	}
	r := own.Request("launch/patient patient/Patient.rs")
	if tokens := own.Exchange(r, env.Browser().Code(own.Client, r, "maria", "")); tokens.Status != http.StatusOK || env.Get(tokens.String("access_token"), "Patient/maria").Status != http.StatusOK {
		t.Errorf("its first use: %d %s", tokens.Status, tokens.Raw)
	}
	web := b.OwnApp(testenv.AppForm("application_type", "web", "token_endpoint_auth_method", "client_secret_basic", "redirect_uris", "https://app.example.org/cb"))
	if got := web.Post("/revoke", url.Values{"token": {"x"}}); len(web.Secret) != 43 || got.Status != http.StatusOK {
		t.Errorf("an app with a secret: %q, %d %s", web.Secret, got.Status, got.Raw)
	}
	spanish := b.Submit(b.State(own.ID, own.Token), "action", "show", nil) // the one button is that of the other language
	if !strings.Contains(spanish.Body, `lang="es"`) || !strings.Contains(spanish.Body, "Se registró por sí misma, sin revisar") || strings.Contains(spanish.URL.String(), own.Token) {
		t.Errorf("%s", spanish.Describe())
	}
	for _, page := range []testenv.Page{home, b.Open("/developers/register"), spanish} {
		if page.Header.Get("Cache-Control") != "no-store" || page.Header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action 'self'") {
			t.Errorf("%s: %v", page.Describe(), page.Header)
		}
	}
}

// A public key proves an app as well, inline or at a URL; one rule judges both.
//
// spec: REG-02, REG-09
// attack: DC-04
func TestADeveloperRegistersKeys(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	key := env.Client("sandbox-asymmetric").Key.Public()
	set, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		t.Fatal(err)
	}
	form := testenv.AppForm("application_type", "web", "token_endpoint_auth_method", "private_key_jwt", "redirect_uris", "https://app.example.org/cb", "jwks", string(set))
	own := b.OwnApp(form)
	own.Key = env.Client("sandbox-asymmetric").Key
	if got := own.Post("/revoke", url.Values{"token": {"x"}}); got.Status != http.StatusOK {
		t.Errorf("by its key: %d %s", got.Status, got.Raw)
	}
	form.Del("jwks")
	form.Set("jwks_uri", "https://app.example.org/jwks.json")
	if got := b.OwnApp(form); env.JSON(http.MethodGet, got.URI, got.Token, "").String("jwks_uri") != form.Get("jwks_uri") {
		t.Error("the address of the keys is not registered")
	}
	for _, address := range []string{"http://app.example.org/jwks.json", "https://10.0.0.1/jwks.json", "https://metadata.google.internal/", "file:///etc/passwd"} {
		form.Set("jwks_uri", address)
		if p := b.FillIn(form); p.Status != http.StatusBadRequest || p.Value(t, "jwks_uri-problem") == "" {
			t.Errorf("%s: %s", address, p.Describe())
		}
	}
}

// What is missing or wrong stands beside its input, what was typed stays, and nothing
// is stored: one rule for the form and for RFC 7591.
//
// spec: REG-03, REG-08, REG-09
// attack: DC-02, DC-03, DC-08, DC-10, DC-14, LB-13
func TestFormsThatDevelopersMend(t *testing.T) {
	env := testenv.Start(t)
	before := env.Admin(http.MethodGet, "/clients", "").Raw
	b := env.Browser()
	const web = "application_type|web|redirect_uris|https://a.example.org/cb|"
	for _, row := range []struct{ name, change, field string }{
		{"no kind", "application_type|", "application_type-native"}, {"another kind", "application_type|ehr", "application_type-native"},
		{"no name", "client_name|", "client_name"}, {"no maker", "emberlatch_maker|", "emberlatch_maker"}, {"no contact", "contacts|", "contacts"},
		{"no address to write to", "contacts|somebody", "contacts"}, {"no redirect", "redirect_uris|", "redirect_uris"}, {"no scope", "scope|", "scope"},
		{"no proof", "token_endpoint_auth_method|", "token_endpoint_auth_method-none"},
		{"REG-03 a secret on devices", "token_endpoint_auth_method|client_secret_basic", "token_endpoint_auth_method-none"},
		{"REG-03 a key on devices", "token_endpoint_auth_method|private_key_jwt|jwks_uri|https://a.example.org/k", "token_endpoint_auth_method-none"},
		{"DC-02 http", "redirect_uris|http://app.example.org/cb", "redirect_uris"}, {"DC-02 script", "redirect_uris|JaVaScRiPt:x", "redirect_uris"},
		{"DC-02 the second", "redirect_uris|https://a.example.org/cb\ndata:x", "redirect_uris"}, {"DC-02 wildcard", "redirect_uris|https://*.example.org/cb", "redirect_uris"},
		{"LB-13", web + "token_endpoint_auth_method|client_secret_basic|redirect_uris|ftp://a.example.org", "redirect_uris"},
		{"DC-03 website", "client_uri|javascript:x", "client_uri"}, {"DC-03 policy", "policy_uri|http://a.example.org", "policy_uri"},
		{"DC-03 launch", "initiate_login_uri|file:///x", "initiate_login_uri"}, {"DC-08 the clinic", "client_name|Valley Clinic Portal", "client_name"},
		{"DC-08 homoglyph", "client_name|V\u0430lley Health", "client_name"}, {"DC-08 made by the clinic", "emberlatch_maker|valley-clinic", "emberlatch_maker"},
		{"DC-10 only what is not offered", "scope|system/*.rs|user/*.rs|admin", "scope"},
		{"keys that are none", web + "token_endpoint_auth_method|private_key_jwt|jwks|hello", "jwks"},
		{"no keys", web + "token_endpoint_auth_method|private_key_jwt", "jwks_uri"}, {"keys without use", "jwks_uri|https://a.example.org/k", "jwks_uri"},
	} {
		b = env.Browser()
		form := testenv.AppForm()
		for words := strings.Split(row.change, "|"); len(words) > 1; words = words[2:] {
			if form[words[0]] = nil; words[0] == "scope" && len(words) > 2 {
				form["scope"] = words[1:]
				break
			}
			if words[1] != "" {
				form.Set(words[0], words[1])
			}
		}
		p := b.FillIn(form)
		if p.Status != http.StatusBadRequest || !strings.Contains(p.Body, `<a href="#`+row.field+`">`) {
			t.Errorf("%s: %s\n%s", row.name, p.Describe(), p.Value(t, "mistake"))
		}
		if name := form.Get("client_name"); p.Value(t, "client_name") != name {
			t.Errorf("%s: the name that was typed is gone: %q", row.name, p.Value(t, "client_name"))
		}
	}
	if after := env.Admin(http.MethodGet, "/clients", "").Raw; after != before {
		t.Error("a refused form left something")
	}
	// What is not offered counts for nothing beside what is; so do switches of the operator.
	form := testenv.AppForm("client_id", "mine", "emberlatch_checked", "true", "emberlatch_trusted", "true", "emberlatch_may_introspect", "true", "disabled", "false")
	form["scope"] = append(form["scope"], "user/*.rs", "system/*.cruds", "patient/Goal.cruds", "admin")
	own := env.Browser().OwnApp(form)
	got := env.JSON(http.MethodGet, own.URI, own.Token, "")
	if own.ID == "mine" || got.String("scope") != "patient/Patient.rs patient/Goal.rs launch/patient openid offline_access" || strings.Contains(got.Raw, "emberlatch_checked") || strings.Contains(got.Raw, "trusted") || strings.Contains(got.Raw, "introspect") {
		t.Errorf("more than was offered: %s", got.Raw)
	}
	if wider := env.JSON(http.MethodPut, own.URI, own.Token, `{"client_id":"`+own.ID+`",`+ownApp+`,"scope":"user/*.rs"}`); wider.Status != http.StatusBadRequest {
		t.Errorf("more by an update: %d %s", wider.Status, wider.Raw)
	}
}

// A form registers one app, in the browser and on the site where it was shown.
//
// spec: LOGIN-16
// attack: DC-18
func TestOneFormOneApp(t *testing.T) {
	env := testenv.Start(t)
	count := func() int {
		return strings.Count(env.Admin(http.MethodGet, "/clients", "").Raw, `"client_id"`)
	}
	b, before := env.Browser(), count()
	shown := b.Open("/developers/register")
	form := testenv.AppForm("ticket", shown.Inputs("ticket")[0])
	if p := b.Forged("/developers/register", form); p.Status != http.StatusForbidden || p.Value(t, "error-id") == "" {
		t.Errorf("from another site: %s", p.Describe())
	}
	if p := b.Forged("/developers/app", url.Values{"client_id": {"x"}}); p.Status != http.StatusForbidden {
		t.Errorf("the state from another site: %s", p.Describe())
	}
	for name, p := range map[string]testenv.Page{
		"without a ticket": b.Post("/developers/register", testenv.AppForm()), "a made-up ticket": b.Post("/developers/register", testenv.AppForm("ticket", "a.b.c")),
		"another browser's": env.Browser().Post("/developers/register", form), "of another page": b.Post("/developers/register", testenv.AppForm("ticket", b.Open("/developers/app").Inputs("ticket")[0])),
	} {
		if p.Status != http.StatusBadRequest || p.Value(t, "client-id") != "" || p.Value(t, "client_name") != "Growth Tracker" {
			t.Errorf("%s: %s", name, p.Describe())
		}
	}
	if p := b.Submit(b.Open("/developers/app"), "action", "show", url.Values{"ticket": {form.Get("ticket")}, "client_id": {"x"}}); p.Status != http.StatusForbidden {
		t.Errorf("the state by a ticket of another page: %s", p.Describe())
	}
	if n := count(); n != before {
		t.Errorf("%d apps came of it", n-before)
	}
	if p := b.Post("/developers/register", form); p.Status != http.StatusOK || p.Value(t, "client-id") == "" {
		t.Fatalf("as it was shown: %s", p.Describe())
	}
	again := b.Post("/developers/register", form)
	if again.Status != http.StatusBadRequest || again.Value(t, "client-id") != "" || count() != before+1 {
		t.Errorf("pressed twice: %s, %d apps", again.Describe(), count()-before)
	}
	if p := b.Submit(again, "action", "register", testenv.AppForm()); p.Status != http.StatusOK {
		t.Errorf("looked through and sent again: %s", p.Describe())
	}
	if p := b.Post("/developers/register", testenv.AppForm("client_name", strings.Repeat("a", 140<<10))); p.Status != http.StatusForbidden {
		t.Errorf("a large form: %s", p.Describe())
	}
}

// One network registers so many apps a day, and tries so often; both are counted for
// the whole server, and the page says how long to wait.
//
// attack: DC-18
func TestDevelopersHaveABudget(t *testing.T) {
	env := testenv.Start(t)
	for i := range 10 {
		env.Browser().OwnApp(testenv.AppForm("client_name", fmt.Sprintf("App number %d", i)))
	}
	p := env.Browser().FillIn(testenv.AppForm())
	if p.Status != http.StatusTooManyRequests || p.Value(t, "client-id") != "" || !strings.Contains(p.Body, "too many tries") || p.Value(t, "client_name") != "Growth Tracker" {
		t.Errorf("an eleventh app: %s", p.Describe())
	}
	for range 49 {
		env.JSON(http.MethodPost, "/register", "", `{}`)
	}
	if p := env.Browser().State("x", "ra_x"); p.Status != http.StatusTooManyRequests {
		t.Errorf("the state, after sixty tries of any kind: %s", p.Describe())
	}
	if got := env.JSON(http.MethodPost, "/register", "", `{}`); got.Status != http.StatusTooManyRequests {
		t.Errorf("the registration endpoint: %d", got.Status)
	}
}

// The pages are there when they are switched on; so is the place where such an app
// looks after itself, and neither says that everybody may use RFC 7591.
//
// attack: DC-01
func TestSelfServiceIsASwitch(t *testing.T) {
	off := testenv.StartWith(t, func(o *app.SandboxOptions) { o.SelfService = app.SelfServiceOff })
	for _, path := range []string{"/developers", "/developers/register", "/developers/app"} {
		if p := off.Browser().Open(path); p.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.Status)
		}
	}
	if start := off.Browser().Open("/"); strings.Contains(start.Body, "/developers") {
		t.Error("the start page leads nowhere")
	}
	on := testenv.StartWith(t, func(o *app.SandboxOptions) { o.Registration = app.RegistrationOff })
	own := on.Browser().OwnApp(testenv.AppForm())
	if got := on.JSON(http.MethodGet, own.URI, own.Token, ""); got.Status != http.StatusOK {
		t.Errorf("its registration: %d %s", got.Status, got.Raw)
	}
	if got := on.JSON(http.MethodPost, "/register", "", `{`+ownApp+`}`); got.Status != http.StatusNotFound {
		t.Errorf("RFC 7591: %d", got.Status)
	}
	if _, doc := document(t, on, "/fhir/.well-known/smart-configuration"); doc["registration_endpoint"] != nil {
		t.Error("discovery says that apps register themselves")
	}
}

// Only who has the token sees the state; all failures look alike, and the token is in
// no address.
//
// spec: REG-15
func TestWhoSeesTheStateOfAnApp(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	mine, other := b.OwnApp(testenv.AppForm()), b.OwnApp(testenv.AppForm("client_name", "Another"))
	if p := b.State(mine.ID, mine.Token); p.Status != http.StatusOK || !strings.Contains(p.Body, "Growth Tracker") || p.Value(t, "state") != "Let in" || strings.Contains(p.URL.String(), "ra_") {
		t.Errorf("its own: %s", p.Describe())
	}
	for name, who := range map[string][2]string{
		"another app's": {mine.ID, other.Token}, "unknown": {"nobody", mine.Token}, "an operator's app": {"sandbox-native", ""}, "none": {mine.ID, ""},
		"made up": {mine.ID, "ra_" + strings.Repeat("a", 43)}, "nobody": {"", ""}, "cut": {mine.ID, mine.Token[:len(mine.Token)-1]},
	} {
		p := env.Browser().State(who[0], who[1])
		if p.Status != http.StatusBadRequest || strings.Contains(p.Body, "Growth Tracker") || !strings.Contains(p.Body, "There is no app of that client id and token") {
			t.Errorf("%s: %s", name, p.Describe())
		}
	}
	if gone := env.JSON(http.MethodDelete, mine.URI, mine.Token, ""); gone.Status != http.StatusNoContent {
		t.Fatal(gone.Raw)
	}
	if p := b.State(mine.ID, mine.Token); p.Status != http.StatusBadRequest || strings.Contains(p.Body, "Growth Tracker") {
		t.Errorf("removed: %s", p.Describe())
	}
}
