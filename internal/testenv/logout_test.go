package testenv_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

const (
	afterLogout    = "https://companion.example.org/bye?x=1"
	logoutMetadata = `{"client_name":"Companion","redirect_uris":["https://companion.example.org/cb"],"scope":"launch/patient patient/*.rs openid fhirUser offline_access online_access",
"post_logout_redirect_uris":["` + afterLogout + `"]}`
)

// An app signs a person out: the browser session and what lives by it end, by GET
// and by the form of another site; what works without the person goes on.
//
// spec: LOGOUT-01, LOGOUT-04, LOGOUT-06, LOGOUT-07, LOGOUT-08, DISC-35
func TestAnAppSignsThePersonOut(t *testing.T) {
	env := testenv.Start(t)
	c := env.Register(logoutMetadata)
	_, provider := document(t, env, "/.well-known/openid-configuration")
	endpoint, _ := provider["end_session_endpoint"].(string)
	path := strings.TrimPrefix(endpoint, env.URL)
	for name, send := range map[string]func(b *testenv.Browser, v url.Values) testenv.Page{
		"GET":  func(b *testenv.Browser, v url.Values) testenv.Page { return b.Open(path + "?" + v.Encode()) },
		"POST": func(b *testenv.Browser, v url.Values) testenv.Page { return b.CrossSitePost(path, v) },
	} {
		t.Run(name, func(t *testing.T) {
			b := env.Browser()
			online, offline := c.Request("launch/patient patient/*.rs openid online_access"), c.Request(readAll)
			on := c.Exchange(online, b.Code(c, online, "maria", ""))
			off := c.Exchange(offline, b.Code(c, offline, "maria", ""))
			p := send(b, url.Values{"id_token_hint": {off.String("id_token")}, "post_logout_redirect_uri": {afterLogout}, "state": {"s+1 &"}})
			if p.Left == nil || p.Left.String() != afterLogout+"&state=s%2B1+%26" {
				t.Fatalf("%s\n%s", p.Describe(), p.Body)
			}
			if got := env.Get(on.String("access_token"), "Patient/maria"); got.Status != http.StatusUnauthorized {
				t.Errorf("the online access token: %d", got.Status)
			}
			if got := c.Refresh(on.String("refresh_token")); got.Status != http.StatusBadRequest {
				t.Errorf("online: %d %s", got.Status, got.Raw)
			}
			if got := c.Refresh(off.String("refresh_token")); got.Status != http.StatusOK {
				t.Errorf("offline: %d %s", got.Status, got.Raw)
			}
			if p := b.Open(c.Request("openid").URL()); !p.HasButton("action", "sign-in") {
				t.Errorf("still signed in: %s", p.Describe())
			}
		})
	}
}

// Without a hint of the person at the browser they are asked, on a page that works
// without a script, in their language.
//
// spec: LOGOUT-02, LOGOUT-03, LOGOUT-05, LOGOUT-08, LOGOUT-09
func TestThePersonIsAskedBeforeLogout(t *testing.T) {
	env := testenv.Start(t)
	c := env.Register(logoutMetadata)
	other := env.Client("sandbox-confidential")
	hints := map[string]string{}
	for _, who := range []string{"maria", "james"} {
		r := c.Request("openid")
		hints[who] = c.Exchange(r, env.Browser().Code(c, r, who, "")).String("id_token")
	}
	b := env.Browser()
	b.Code(c, c.Request("openid"), "maria", "")
	forged := hints["maria"][:len(hints["maria"])-4] + "AAAA"
	for name, hint := range map[string]string{"none": "", "of another person": hints["james"], "forged": forged} {
		v := url.Values{"client_id": {c.ID}, "post_logout_redirect_uri": {afterLogout}, "ui_locales": {"es"}}
		if hint != "" {
			v.Set("id_token_hint", hint)
		}
		p := b.Open("/logout?" + v.Encode())
		if !p.HasButton("action", "sign-out") || !strings.Contains(p.Body, `lang="es"`) || !strings.Contains(p.Body, "Maria Lopez") || p.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %s", name, p.Describe())
			continue
		}
		if p := b.Submit(p, "action", "stay", nil); p.Left != nil || p.Status != http.StatusOK {
			t.Errorf("%s, stay: %s", name, p.Describe())
		}
	}
	if p := b.Open("/logout?" + url.Values{"id_token_hint": {hints["maria"]}, "client_id": {other.ID}}.Encode()); p.Status != http.StatusBadRequest || p.Value(t, "error-id") == "" {
		t.Errorf("the client of another hint: %s", p.Describe())
	}
	p := b.Open("/logout?" + url.Values{"client_id": {c.ID}, "post_logout_redirect_uri": {afterLogout}, "state": {"s"}}.Encode())
	p = b.Submit(p, "action", "sign-out", nil)
	if p.Left == nil || p.Left.String() != afterLogout+"&state=s" {
		t.Errorf("sign out: %s", p.Describe())
	}
	if p := b.Open(c.Request("openid").URL()); !p.HasButton("action", "sign-in") {
		t.Errorf("still signed in: %s", p.Describe())
	}
}

// Return targets that browsers and programs read in different ways. Whatever they
// are sent as, the browser stays on a known route of ours.
//
// attack: LP-02, LP-03, LP-05, LP-06, LP-08, LP-09, LP-11, LP-12, LP-14, LP-15, LP-17, LP-18, LP-20, LP-21, LP-23, LP-24, LP-26, LP-27
func TestReturnTargets(t *testing.T) {
	env := testenv.Start(t)
	c := env.Register(logoutMetadata)
	r := c.Request("openid")
	hint := c.Exchange(r, env.Browser().Code(c, r, "maria", "")).String("id_token")
	host := strings.TrimPrefix(env.URL, "http://")
	for row, target := range map[string]string{
		"LP-02": "///evil.test", "LP-03": "////evil.test", "LP-05": `\\evil.test`, "LP-06": "/\t/evil.test", "LP-08": "/\r/evil.test",
		"LP-09": "https:evil.test", "LP-11": "http:evil.test", "LP-12": "/.//evil.test", "LP-14": "/..//evil.test", "LP-15": "/authorize/..//evil.test",
		"LP-17": "/%09/evil.test", "LP-18": "/%2f/evil.test", "LP-20": "\x01//evil.test", "LP-21": "javascript:alert(1)",
		"LP-23": "/authorize?next=//evil.test", "LP-24": "/@evil.test", "LP-26": "http://" + host + ".evil.test/", "LP-27": "http://" + host + "@evil.test/",
	} {
		t.Run(row, func(t *testing.T) {
			b := env.Browser()
			b.Code(c, c.Request("openid"), "maria", "")
			// After logout.
			for _, v := range []url.Values{
				{"post_logout_redirect_uri": {target}, "id_token_hint": {hint}}, {"post_logout_redirect_uri": {target}, "client_id": {c.ID}},
				{"post_logout_redirect_uri": {target}}, {"next": {target}, "return_to": {target}, "redirect_uri": {target}, "lang": {"es"}},
			} {
				stays(t, env, b.Open("/logout?"+v.Encode()))
				stays(t, env, b.Post("/logout", v))
			}
			// At login: in the request, beside it, and in the form.
			extra := url.Values{"next": {target}, "return_to": {target}, "ui_locales": {target}, "login_hint": {target}}
			b = env.Browser()
			p := b.Open(c.Request("openid", "prompt", "login").URL() + "&" + strings.TrimPrefix(extra.Encode(), "&"))
			stays(t, env, p)
			if strings.ContainsFunc(target, func(r rune) bool { return r < ' ' }) { // refused before anything is shown
				if p.Status != http.StatusBadRequest {
					t.Errorf("control characters: %s", p.Describe())
				}
				return
			}
			extra.Set("request", p.URL.Query().Get("request"))
			extra.Set("lang", "es")
			p = b.Open("/login?" + extra.Encode())
			stays(t, env, p)
			p = b.Submit(p, "action", "sign-in", url.Values{
				"username": {"maria"}, "password": {passwordOf(env, "maria")}, "next": {target}, "return_to": {target},
			})
			stays(t, env, p)
			if !p.HasButton("decision", "allow") {
				t.Errorf("after login: %s", p.Describe())
			}
		})
	}
}

func passwordOf(env *testenv.Env, username string) string {
	for _, person := range env.File.People {
		if person.Username == username {
			return person.Password
		}
	}
	return ""
}

// stays: the browser was not sent elsewhere, and no link or form of the page leads
// elsewhere or holds the target as a place to go.
func stays(t *testing.T, env *testenv.Env, p testenv.Page) {
	t.Helper()
	if p.Left != nil || p.Header.Get("Location") != "" {
		t.Errorf("sent to %v", p.Left)
	}
	doc, err := html.Parse(strings.NewReader(p.Body))
	must(t, err)
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if a.Key != "href" && a.Key != "action" && a.Key != "formaction" && a.Key != "src" {
				continue
			}
			if strings.HasPrefix(a.Val, "#") {
				continue
			}
			u, err := url.Parse(a.Val)
			if err != nil || u.IsAbs() || u.Host != "" || strings.Contains(u.Path, "evil") || !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
				t.Errorf("%s of %s leads to %q", a.Key, p.URL, a.Val)
			}
		}
	}
}
