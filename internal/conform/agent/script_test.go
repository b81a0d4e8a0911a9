package agent_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

const callback = "https://app.example.org/cb"

// site serves one page by GET, and ends at the callback with what was posted.
func site(t *testing.T, page string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost || r.URL.Query().Has("sent") {
			_ = r.ParseForm()
			http.Redirect(w, r, callback+"?"+r.Form.Encode(), http.StatusSeeOther)
			return
		}
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>A page</title>"+page)
	}))
	t.Cleanup(s.Close)
	return s
}

func visit(t *testing.T, s *httptest.Server, p agent.Person) (agent.Page, error) {
	t.Helper()
	wire, err := agent.NewWire(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wire.Close)
	return p.Authorize(t.Context(), agent.Visit{
		Browser: agent.NewBrowser(wire), Method: http.MethodGet, Endpoint: s.URL + "/authorize", Values: url.Values{}, RedirectURI: callback,
	})
}

// The script fills in what forms ask for and presses the button that allows.
func TestScript(t *testing.T) {
	script := agent.Script{
		Username: "alice", Password: "word", Patient: "p2", Fields: map[string]string{"tenant": "north"}, Press: []string{"Weiter"},
	}
	for name, c := range map[string]struct{ page, want string }{
		"login by autocomplete": {
			`<form method=post><input autocomplete=username name=u><input autocomplete=current-password type=text name=p><button name=b value=1>Anmelden</button></form>`,
			"b=1&p=word&u=alice",
		},
		"login by type": {
			`<form method=post><input type=hidden name=csrf value=x><input type=email name=u><input type=password name=p><input type=checkbox name=remember value=1><input type=submit name=go value="Log in"></form>`,
			"csrf=x&go=Log+in&p=word&u=alice",
		},
		"allow, not deny": {
			`<form method=post><button name=d value=deny>Deny</button><button name=d value=allow>Allow</button></form>`, "d=allow",
		},
		"not cancel, whatever else": {
			`<form method=post><button name=d value=c>Cancel</button><button name=d value=o>Fortfahren</button></form>`, "d=o",
		},
		"now is not no": {
			`<form method=post><button name=d value=1>Not me</button><button name=d value=2>Continue now</button></form>`, "d=2",
		},
		"the named text": {
			`<form method=post><button name=d value=1>Zurück</button><button name=d value=2>Weiter</button></form>`, "d=2",
		},
		"the form with the choice": {
			`<form method=post><input name=q><button name=a value=search>Search</button></form>
			 <form method=post><input type=radio name=patient value=p1><input type=radio name=patient value=p2><button name=a value=go>Choose</button></form>`,
			"a=go&patient=p2",
		},
		"the first of another choice": {
			`<form method=post><input type=radio name=r value=1><input type=radio name=r value=2><button>OK</button></form>`, "r=1",
		},
		"ticked boxes, selections and fields": {
			`<form method=post><input type=checkbox name=s value=1 checked><input type=checkbox name=s value=2><select name=o><option value=a><option value=b selected></select><input name=tenant><textarea name=t>x</textarea><button>OK</button></form>`,
			"o=b&s=1&t=x&tenant=north",
		},
		"a form by GET": {`<form><input type=hidden name=sent value=1><button name=d value=allow>Allow</button></form>`, "d=allow&sent=1"},
		"no button":     {`<form method=post><input type=hidden name=x value=1></form>`, "x=1"},
		"a button that does nothing": {
			`<form method=post><button formmethod=dialog>Yes</button><button type=reset>Yes</button><button name=decision value=allow>Ja</button><button name=decision value=switch>Yes</button></form>`,
			"decision=allow",
		},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := visit(t, site(t, c.page), script)
			if err != nil || page.Left == nil {
				t.Fatalf("%v %s", err, page.Describe())
			}
			if got := page.Left.Query().Encode(); got != c.want {
				t.Errorf("sent %s, want %s", got, c.want)
			}
		})
	}
}

// A person who cannot go on says so.
func TestScriptIsStuck(t *testing.T) {
	login := `<form method=post><input type=password name=p><button>Log in</button></form>`
	again := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, login) }))
	t.Cleanup(again.Close)
	for name, c := range map[string]struct {
		server *httptest.Server
		script agent.Script
		says   string
	}{
		"only a refusing button": {site(t, `<form method=post><button>Cancel</button></form>`), agent.Script{}, "no button"},
		"no password":            {site(t, login), agent.Script{Username: "alice"}, "none was given"},
		"a wrong password":       {again, agent.Script{Username: "alice", Password: "x"}, "asks for the password again"},
	} {
		if _, err := visit(t, c.server, c.script); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	page, err := visit(t, site(t, "<p>Nothing to do here"), agent.Script{})
	if err != nil || page.Left != nil || page.IsForm() || !strings.Contains(page.Describe(), "A page") {
		t.Errorf("a page without a form: %v %s", err, page.Describe())
	}
}

// A human opens the URL that is printed, and comes back on loopback.
func TestManual(t *testing.T) {
	listener := httptest.NewServer(http.NotFoundHandler())
	redirect := listener.URL + "/callback"
	listener.Close() // its port is free now
	wire, err := agent.NewWire("https://auth.example.org")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1)
	v := agent.Visit{
		Browser: agent.NewBrowser(wire), Method: http.MethodGet, Endpoint: "https://auth.example.org/authorize",
		Values: url.Values{"client_id": {"web"}}, RedirectURI: redirect, Why: "the main launch",
	}
	go func() {
		text := <-told
		if !strings.Contains(text, "https://auth.example.org/authorize?client_id=web") || !strings.Contains(text, "the main launch") {
			t.Errorf("told %q", text)
		}
		for _, path := range []string{"/favicon.ico", "/callback?code=c&state=s"} {
			resp, err := (&http.Client{}).Get(strings.TrimSuffix(redirect, "/callback") + path)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
		}
	}()
	page, err := agent.Manual{Out: teller(told)}.Authorize(t.Context(), v)
	if err != nil || page.Left.Query().Get("code") != "c" {
		t.Errorf("%v %v", err, page.Left)
	}
	v.RedirectURI = callback
	if _, err := (agent.Manual{Out: io.Discard}).Authorize(t.Context(), v); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("a redirect URI elsewhere: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v.RedirectURI = redirect
	if _, err := (agent.Manual{Out: io.Discard}).Authorize(ctx, v); err == nil {
		t.Error("nobody came and there is no error")
	}
}

type teller chan string

func (t teller) Write(b []byte) (int, error) {
	t <- string(b)
	return len(b), nil
}

// A browser stops where the app is, by any spelling, and at other origins.
func TestBrowserStops(t *testing.T) {
	for location, left := range map[string]bool{
		callback + "?code=c": true, callback + "#x": true, callback: true, "https://evil.test/": true, "javascript:alert(1)": true,
		"//evil.test/x": true, "https://[bad/": true, "/page": false, "http://{self}/page": false,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/authorize" {
				w.Header()["Location"] = []string{strings.Replace(location, "{self}", r.Host, 1)}
				w.WriteHeader(http.StatusFound)
				return
			}
			fmt.Fprint(w, "<title>Here</title>")
		}))
		page, err := visit(t, s, agent.Script{})
		if err != nil || (page.Left != nil) != left {
			t.Errorf("%s: %v %s", location, err, page.Describe())
		}
		s.Close()
	}
}
