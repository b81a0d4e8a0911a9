package testenv_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// onBoth runs a story on SQLite and on PostgreSQL; the patient zoe is on both.
func onBoth(t *testing.T, story func(t *testing.T, env *testenv.Env)) {
	t.Run("sqlite", func(t *testing.T) {
		env := testenv.Start(t)
		env.AddZoe()
		story(t, env)
	})
	t.Run("postgres", func(t *testing.T) { story(t, testenv.Nodes(t, 1)[0]) })
}

// longCode is a code of a laboratory; the scope of one has 163 bytes, two hundred of
// them with what goes with them 32 kB.
func longCode(i int) string { return fmt.Sprintf("%s-%03d", strings.Repeat("x", 114), i) }

func longScope(i int) string {
	return "patient/Observation.rs?code=http://lab.example.org|" + longCode(i)
}

// values loads one value of each code, and two that no scope opens: of a code that
// goes on where another ends, and of the same code in another system.
func values(t *testing.T, env *testenv.Env, codes ...int) {
	t.Helper()
	var lines []string
	add := func(id, system, code string) {
		lines = append(lines, fmt.Sprintf(`{"resourceType":"Observation","id":"%s","status":"final","subject":{"reference":"Patient/zoe"},"code":{"coding":[{"system":"%s","code":"%s"}]}}`, id, system, code))
	}
	for _, i := range codes {
		add(fmt.Sprintf("v%d", i), "http://lab.example.org", longCode(i))
	}
	add("longer", "http://lab.example.org", longCode(7)+"0")
	add("elsewhere", "http://other.example.org", longCode(7))
	a := env.Admin(http.MethodPost, "/data?name=values.ndjson", strings.Join(lines, "\n"))
	if a.Status != http.StatusOK {
		t.Fatalf("loading: %d %s", a.Status, a.Raw)
	}
}

// found are the ids that a search for all values finds.
func found(t *testing.T, env *testenv.Env, token string) []string {
	t.Helper()
	a := env.Get(token, "Observation?_count=100")
	if a.Status != http.StatusOK {
		t.Fatalf("a search: %d %s", a.Status, a.Raw)
	}
	var bundle struct {
		Entry []struct {
			Resource struct {
				ID string `json:"id"`
			} `json:"resource"`
		} `json:"entry"`
	}
	if err := json.Unmarshal([]byte(a.Raw), &bundle); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range bundle.Entry {
		ids = append(ids, e.Resource.ID)
	}
	slices.Sort(ids)
	return ids
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %d %.200q, want %d %.200q", what, len(got), got, len(want), want)
	}
}

// Two hundred granular scopes, 32 kB, travel through authorize by POST, code, refresh
// and introspection; each of them opens what it says and nothing else; a part of them
// can be asked for, and all of them again; and the access token stays small.
//
// spec: SCOPE-33, SCOPE-48, SCOPE-49, AT-09, INTRO-07, AUTHZ-57, RT-06, RT-08, RT-10
func TestTwoHundredScopes(t *testing.T) {
	onBoth(t, func(t *testing.T, env *testenv.Env) {
		values(t, env, 0, 7, 100, 199, 200)
		c := env.Register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access"}`)
		scopes := []string{"launch/patient", "openid", "offline_access"}
		for i := range 200 {
			scopes = append(scopes, longScope(i))
		}
		text := strings.Join(scopes, " ")
		if len(text) < 32<<10 {
			t.Fatalf("only %d bytes", len(text))
		}
		r := c.Request(text)
		b := env.Browser()
		p := b.Submit(b.SignIn(b.CrossSitePost("/authorize", r.Values), "zoe"), "decision", "allow", nil)
		if p.Left == nil {
			t.Fatal(p.Describe())
		}
		first := c.Exchange(r, p.Left.Query().Get("code"))
		check := func(what string, a testenv.Answer, scopes, ids []string) {
			t.Helper()
			token := a.String("access_token")
			same(t, what+": the answer", a.Scopes(), scopes)
			same(t, what+": introspection", c.Post("/introspect", url.Values{"token": {token}}).Scopes(), scopes)
			same(t, what+": a search", found(t, env, token), ids)
			if n := len(token); n == 0 || n >= 4096 {
				t.Errorf("%s: the access token has %d bytes", what, n)
			}
		}
		all := []string{"v0", "v100", "v199", "v7"}
		check("code", first, scopes, all)
		for id, status := range map[string]int{"v0": 200, "v7": 200, "v100": 200, "v199": 200, "v200": 404, "longer": 404, "elsewhere": 404} {
			if got := env.Get(first.String("access_token"), "Observation/"+id); got.Status != status {
				t.Errorf("reading %s: %d, want %d", id, got.Status, status)
			}
		}
		next := c.Refresh(first.String("refresh_token"))
		check("refresh", next, scopes, all)
		part := []string{longScope(199), longScope(7)}
		next = c.Refresh(next.String("refresh_token"), "scope", strings.Join(part, " "))
		check("narrowed", next, part, []string{"v199", "v7"})
		reading := strings.Replace(longScope(7), ".rs?", ".r?", 1)
		next = c.Refresh(next.String("refresh_token"), "scope", reading)
		same(t, "narrowed to reading", next.Scopes(), []string{reading})
		if got := env.Get(next.String("access_token"), "Observation/v7"); got.Status != http.StatusOK {
			t.Errorf("narrowed to reading, a read: %d", got.Status)
		}
		if got := env.Get(next.String("access_token"), "Observation"); got.Status != http.StatusForbidden {
			t.Errorf("narrowed to reading, a search: %d", got.Status)
		}
		for _, more := range []string{longScope(200), text + " " + longScope(200), strings.Join(scopes[:100], " ")} {
			if got := c.Refresh(next.String("refresh_token"), "scope", more); got.Status != http.StatusBadRequest || got.String("error") != "invalid_scope" {
				t.Errorf("what was not granted, or a part that does not fit: %d %.200s", got.Status, got.Raw)
			}
		}
		check("all again", c.Refresh(next.String("refresh_token"), "scope", text), scopes, all)
	})
}
