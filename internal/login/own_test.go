package login_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// own looks at sign-in for a page of the person's own.
func (e *env) own() *httptest.ResponseRecorder {
	return e.serve(e.door.Show, httptest.NewRequest(http.MethodGet, "/login?request=own", nil))
}

// send posts a form as a page of ours would, changed as a test wants.
func (e *env) send(form url.Values, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.org/login", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	change(r)
	return e.serve(e.door.Post, r)
}

func ownForm(t *testing.T, shown *httptest.ResponseRecorder) url.Values {
	t.Helper()
	found := ticketInput.FindStringSubmatch(shown.Body.String())
	if found == nil {
		t.Fatalf("the page: %d %s", shown.Code, shown.Body)
	}
	return url.Values{"request": {"own"}, "ticket": {found[1]}, "action": {"sign-in"}, "username": {"maria"}, "password": {"right"}}
}

// Without an app sign-in leads to the person's own page; a sign-in that is older than
// the page allows has to be repeated, and one that is not costs nothing.
//
// spec: LOGIN-01, LOGIN-14, REVOKE-09
func TestSigningInForOnesOwnPage(t *testing.T) {
	e := newEnv(t)
	shown := e.own()
	if strings.Contains(shown.Body.String(), "/enrol") || strings.Contains(shown.Body.String(), `value="cancel"`) {
		t.Error("the page offers what only an app's request has")
	}
	w := e.send(ownForm(t, shown), func(*http.Request) {})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/own?x=1" || e.request.UserID != "" {
		t.Fatalf("%d to %q; the request of the app is %q's", w.Code, w.Header().Get("Location"), e.request.UserID)
	}
	if len(e.events) != 1 || e.events[0].Kind != "login" || e.events[0].ClientID != "" {
		t.Errorf("events %+v", e.events)
	}
	if again := e.own(); again.Code != http.StatusSeeOther || again.Header().Get("Location") != "/own?x=1" {
		t.Errorf("signed in a moment ago: %d", again.Code)
	}
	e.clock = e.clock.Add(5*time.Minute + time.Second)
	again := e.own()
	if again.Code != http.StatusOK || !strings.Contains(again.Body.String(), "please sign in again") {
		t.Errorf("signed in six minutes ago: %d", again.Code)
	}
	before := e.sessions
	if w := e.send(ownForm(t, again), func(*http.Request) {}); w.Code != http.StatusSeeOther || len(before) != 1 {
		t.Errorf("again: %d, %d sessions", w.Code, len(before))
	}
}

// Tries here are the tries of the account.
//
// spec: LOGIN-10, LOGIN-11
// attack: LG-03
func TestOwnSignInCountsAlike(t *testing.T) {
	e := newEnv(t)
	wrong := ownForm(t, e.own())
	wrong.Set("password", "wrong")
	last := 0
	for range 5 {
		e.send(wrong, func(*http.Request) {})
		last = e.signIn(t, "b", "maria", "wrong").Code
	}
	if last != http.StatusTooManyRequests || len(e.verified) > 8 {
		t.Errorf("%d passwords were compared, then %d", len(e.verified), last)
	}
}

// A form that was not shown here signs nobody in, and what it says of a place to go to
// is not followed.
//
// attack: LG-34, LP-02, LP-11, LP-21, LP-23, LP-26
func TestForgedOwnSignIn(t *testing.T) {
	for name, forge := range map[string]struct {
		form    func(url.Values)
		request func(*http.Request)
	}{
		"no ticket":      {form: func(f url.Values) { f.Del("ticket") }},
		"another ticket": {form: func(f url.Values) { f.Set("ticket", strings.Repeat("A", 43)) }},
		"another place":  {form: func(f url.Values) { f.Set("request", "rq") }},
		"no place":       {form: func(f url.Values) { f.Set("request", "//evil.test") }},
		"cross-site":     {request: func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }},
		"same-site":      {request: func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }},
		"origin null": {request: func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "null")
		}},
		"another browser": {request: func(r *http.Request) { r.Header.Set("Cookie", "__Host-emberlatch_browser=br_"+strings.Repeat("A", 43)) }},
		"no cookies":      {request: func(r *http.Request) { r.Header.Del("Cookie") }},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			form := ownForm(t, e.own())
			if forge.form != nil {
				forge.form(form)
			}
			if name == "another browser" || name == "no cookies" {
				clear(e.cookies)
			}
			w := e.send(form, func(r *http.Request) {
				if forge.request != nil {
					forge.request(r)
				}
			})
			if w.Code < 400 || w.Header().Get("Location") != "" || len(e.sessions) != 0 || len(e.verified) != 0 {
				t.Errorf("%d to %q, %d sessions, %d comparisons", w.Code, w.Header().Get("Location"), len(e.sessions), len(e.verified))
			}
		})
	}
	for _, target := range []string{"//evil.test", "///evil.test", `\\evil.test`, "http:evil.test", "javascript:alert(1)", "/authorize?next=//evil.test", "https://as.example.evil.test/"} {
		e := newEnv(t)
		w := e.serve(e.door.Show, httptest.NewRequest(http.MethodGet, "/login?request="+url.QueryEscape(target)+"&next="+url.QueryEscape(target), nil))
		if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d to %q", target, w.Code, w.Header().Get("Location"))
		}
		form := ownForm(t, e.own())
		form.Set("next", target)
		form.Set("return_to", target)
		if w := e.send(form, func(*http.Request) {}); w.Header().Get("Location") != "/own?x=1" {
			t.Errorf("%s: signed in and went to %q", target, w.Header().Get("Location"))
		}
	}
}
