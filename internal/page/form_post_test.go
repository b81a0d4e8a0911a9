package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/emberlatch/emberlatch/internal/page"
)

// The policy names the hash of the one script, and the scheme of the redirect URI, whatever
// that URI is made of (HDR-05).
//
// spec: AUTHZ-37, HDR-04
func TestWhereAnAnswerIsPosted(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example.org/cb":               "https:",
		"https://app.example.org/cb?x=1&y=a;b,c":   "https:",
		"https://app.example.org:8443/a/b~%20c":    "https:",
		"https://app.example.org":                  "https:",
		"http://127.0.0.1:49152/cb":                "http: https:",
		"http://[::1]:49152/cb":                    "http: https:",
		"https://app.example.org/a;script-src *":   "https:",
		"https://app.example.org/a,default-src/*":  "https:",
		"https://app.example.org/'unsafe-inline'":  "https:",
		"https://app.example.org *;script-src *:/": "'none'",
		"org.example.app:/cb":                      "'none'",
		"javascript:alert(1)":                      "'none'",
		"urn:ietf:wg:oauth:2.0:oob":                "'none'",
		"https:opaque":                             "'none'",
		"":                                         "'none'",
	} {
		p := page.FormPost{Post: page.Post{URL: uri, Host: "app.example.org", Fields: []page.PostField{{Name: "code", Value: "c"}}}}
		w, doc := render(t, sample{"form-post", 200, p}, "en")
		sum := sha256.Sum256([]byte(elements(doc, "script")[0].FirstChild.Data))
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasSuffix(policy, "; form-action "+want+"; script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("%q: %s", uri, policy)
		}
		forms := elements(doc, "form")
		if (len(forms) == 1) != (want != "'none'") {
			t.Fatalf("%q: %d forms", uri, len(forms))
		}
		for _, form := range forms {
			if action, err := url.PathUnescape(attr(form, "action")); err != nil || strings.ReplaceAll(uri, "%20", " ") != action {
				t.Errorf("%q: the form goes to %q", uri, action)
			}
		}
	}
}

// appBehind answers forms at /cb with another page of its own, and tells what came.
func appBehind(t *testing.T) (*httptest.Server, chan url.Values) {
	t.Helper()
	came := make(chan url.Values, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cb", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.URL.Query().Get("keep") != "1" {
			t.Error("the query of the redirect URI is lost")
		}
		came <- r.PostForm
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /home", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>home of the app</title>"))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s, came
}

// The answer reaches the app in a browser: by itself with a script, by the button
// without one, to the letter; and an error by its button.
//
// spec: AUTHZ-37
func TestAnAnswerIsPosted(t *testing.T) {
	app, came := appBehind(t)
	const state = `a&b="<script>alert(1)</script>' %3Cé 日本`
	post := page.Post{URL: app.URL + "/cb?keep=1", Host: "app.example.org", Fields: []page.PostField{{Name: "code", Value: "ac_1"}, {Name: "state", Value: state}}}
	for name, row := range map[string]struct {
		page   page.Page
		script bool
	}{
		"by itself":     {page.FormPost{Shell: page.Shell{AppName: "GrowthTracker"}, Post: post}, true},
		"by the button": {page.FormPost{Shell: page.Shell{AppName: "GrowthTracker"}, Post: post}, false},
		"an error":      {page.Error{Shell: page.Shell{AppName: "GrowthTracker"}, Title: "declined", Leave: page.Leave{Post: post}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			tab, pages := chromium(t), renderer(t)
			ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := pages.Render(w, r, http.StatusOK, row.page); err != nil {
					t.Error(err)
				}
			}))
			defer ours.Close()
			if !row.script {
				do(t, tab, withoutScript)
			}
			if name == "by itself" { // no step of the test waits for a page that goes on by itself
				do(t, tab, chromedp.Evaluate[chromedp.Void](`setTimeout(() => { location.href = "`+ours.URL+`" }, 0); undefined`))
			} else {
				do(t, tab, chromedp.Navigate(ours.URL), chromedp.Click(chromedp.CSS("form button")))
			}
			if got := titleOf(t, tab, "home of the app"); got != "home of the app" {
				t.Fatalf("the browser stays at %q", got)
			}
			if got := <-came; len(came) != 0 || len(got) != 2 || got.Get("code") != "ac_1" || got.Get("state") != state {
				t.Errorf("came %v, and %d more", got, len(came))
			}
		})
	}
}
