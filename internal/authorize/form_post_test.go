package authorize_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/store"
)

// posted is the form of an answer: where it goes and what it carries.
func posted(t *testing.T, a answer) (action string, fields url.Values) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	fields = url.Values{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		at := map[string]string{}
		for _, attribute := range n.Attr {
			at[attribute.Key] = attribute.Val
		}
		switch n.Data {
		case "form":
			if action = at["action"]; at["method"] != "post" {
				t.Errorf("the form is sent by %q", at["method"])
			}
		case "input":
			if fields.Add(at["name"], at["value"]); at["type"] != "hidden" {
				t.Errorf("input %s can be seen", at["name"])
			}
		}
	}
	return action, fields
}

const keep = "https://web.example.org/cb?keep=1"

// A code goes to the redirect URI in the body of a form, with state and issuer, and
// nothing of it stands in an address.
//
// spec: AUTHZ-37
func TestACodeIsPosted(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	const state = `s"><script>alert(1)</script>&=`
	e.begin(e.values("web", "openid user/Patient.rs", "response_mode", "form_post", "state", state))
	e.approve("openid user/Patient.rs", nil)
	a := e.continues(e.handle())
	action, fields := posted(t, a)
	if a.status != http.StatusOK || a.location != nil || action != keep || len(fields) != 3 || !strings.HasPrefix(fields.Get("code"), "ac_") ||
		fields.Get("state") != state || fields.Get("iss") != issuer {
		t.Errorf("%d to %q: %v\n%s", a.status, action, fields, a.body)
	}
	policy := a.header.Get("Content-Security-Policy")
	if a.header.Get("Cache-Control") != "no-store" || !strings.Contains(policy, "form-action https:; script-src 'sha256-") {
		t.Errorf("headers %v", a.header)
	}
	if strings.Contains(a.body, "<script>alert") {
		t.Error("the state is markup")
	}
}

// Errors go the same way; to an app that nobody vouches for by a button that a person
// presses.
//
// spec: AUTHZ-37
// attack: AZ-29
func TestAnErrorIsPosted(t *testing.T) {
	for name, row := range map[string]struct {
		trusted bool
		status  int
		script  bool
	}{"vouched for": {true, http.StatusOK, true}, "not vouched for": {false, http.StatusBadRequest, false}} {
		for _, want := range []string{"invalid_scope", "login_required"} {
			e := newEnv(t)
			c := e.clients["web"]
			c.Trusted = row.trusted
			e.clients["web"] = c
			change := map[string][]string{"invalid_scope": {"scope", "nonsense/only"}, "login_required": {"prompt", "none"}}[want]
			a := e.begin(e.values("web", "openid", append([]string{"response_mode", "form_post"}, change...)...))
			action, fields := posted(t, a)
			if a.status != row.status || action != keep || fields.Get("error") != want || fields.Get("state") != "st" || fields.Get("iss") != issuer ||
				!strings.HasPrefix(fields.Get("error_uri"), issuer) || fields.Get("error_description") == "" || len(fields) != 5 {
				t.Errorf("%s %s: %d to %q: %v", name, want, a.status, action, fields)
			}
			if got := strings.Contains(a.body, "<script"); got != row.script {
				t.Errorf("%s %s: a script: %v", name, want, got)
			}
			if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action https:") || strings.Contains(policy, "script-src") != row.script {
				t.Errorf("%s %s: policy %q", name, want, policy)
			}
		}
	}
}

// Where a browser cannot post to, and modes that are not offered.
//
// spec: AUTHZ-37
func TestModesThatAreRefused(t *testing.T) {
	for name, row := range map[string]struct{ client, uri, mode, want string }{
		"fragment":             {"web", keep, "fragment", "invalid_request"},
		"a word of nobody":     {"web", keep, "form_post.jwt", "invalid_request"},
		"in other letters":     {"web", keep, "FORM_POST", "invalid_request"},
		"a private scheme":     {"native", "org.example.app:/cb", "form_post", "invalid_request"},
		"out of band":          {"desktop", store.OutOfBand, "form_post", "page"},
		"loopback is possible": {"native", "http://127.0.0.1:5000/cb", "form_post", "/login"},
		"query":                {"web", keep, "query", "/login"},
		"left empty":           {"web", keep, "", "/login"},
	} {
		e := newEnv(t)
		v := e.values(row.client, "openid", "redirect_uri", row.uri)
		v.Set("response_mode", row.mode)
		a := e.begin(v)
		if a.outcome() != row.want || strings.Contains(a.body, "<form") && row.want != "/login" {
			t.Errorf("%s: %d %s\n%s", name, a.status, a.outcome(), a.body)
		}
		if row.want == "page" && !strings.Contains(a.body, "request.response_mode") {
			t.Errorf("%s: the page does not say why: %s", name, a.body)
		}
	}
	e := newEnv(t)
	a := e.serve(e.door.ServeHTTP, httptest.NewRequest(http.MethodGet, issuer+"/authorize?"+e.values("web", "openid", "response_mode", "form_post").Encode()+"&response_mode=query", nil))
	if a.query("error") != "invalid_request" {
		t.Errorf("twice: %d %s", a.status, a.outcome())
	}
	redirected := e.begin(e.values("web", "openid", "response_mode", "form_post", "redirect_uri", "https://evil.example.org/cb"))
	if redirected.outcome() != "page" || strings.Contains(redirected.body, "<form") {
		t.Errorf("a form goes to a redirect URI that nobody has registered: %s", redirected.body)
	}
}

// A registration that changed meanwhile gets no form to where the app is no more.
//
// spec: AUTHZ-37
func TestNoFormGoesToAnAddressThatIsGone(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	e.begin(e.values("web", "openid user/Patient.rs", "response_mode", "form_post"))
	e.approve("openid user/Patient.rs", nil)
	c := e.clients["web"]
	c.RedirectURIs = []string{"https://web.example.org/new"}
	e.clients["web"] = c
	if a := e.continues(e.handle()); a.status != http.StatusBadRequest || strings.Contains(a.body, "<form") {
		t.Errorf("%d: %s", a.status, a.body)
	}
}
