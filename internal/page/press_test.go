package page_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/emberlatch/emberlatch/internal/page"
)

// withoutScript switches JavaScript off in the tab.
var withoutScript = chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
})

// The approval, pressed in a browser without JavaScript, goes through our redirect
// to the app, and from there to where the app sends it, on another origin.
//
// spec: HDR-04, HDR-05
func TestApprovalReachesTheApp(t *testing.T) {
	tab := chromium(t)
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>home of the app</title>"))
	}))
	defer home.Close()
	app := httptest.NewServer(http.RedirectHandler(home.URL, http.StatusFound))
	defer app.Close()
	for _, decision := range []string{"allow", "deny"} {
		typed := make(chan string, 1)
		ours := flowTo(t, app.URL, typed)
		do(t, tab, withoutScript, chromedp.Navigate(ours.URL+"/approve"), chromedp.Click(chromedp.CSS(`button[value="`+decision+`"]`)))
		if got := titleOf(t, tab, "home of the app"); got != "home of the app" {
			t.Errorf("%s: the browser stays at %q", decision, got)
		}
		if body := <-typed; !strings.Contains(body, "decision="+decision+"&") || !strings.Contains(body, "scope=patient%2FPatient.rs") {
			t.Errorf("%s: sent %q", decision, body)
		}
	}
}

// titleOf waits a while for a title and returns the last one. A tab that is on its way to
// another page has none.
func titleOf(t *testing.T, tab context.Context, want string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, 30*time.Second)
	defer cancel()
	title := ""
	for range 50 {
		found, err := chromedp.Run(ctx, chromedp.Title())
		switch {
		case err == nil && found == want:
			return found
		case err == nil:
			title = found
		case ctx.Err() != nil || !strings.Contains(err.Error(), "navigated or closed"):
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return title
}

// flowTo shows the approval for an app and redirects what is posted to it.
func flowTo(t *testing.T, app string, typed chan<- string) *httptest.Server {
	t.Helper()
	pages := renderer(t)
	p, ok := sampleOf(t, "approve").page.(page.Approve)
	if !ok {
		t.Fatal("the sample is no approval")
	}
	p.FormTargets = []string{page.FormTarget(app + "/cb")}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", pages.Assets())
	mux.HandleFunc("GET /approve", func(w http.ResponseWriter, r *http.Request) {
		if err := pages.Render(w, r, http.StatusOK, p); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("POST /approve", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		typed <- r.PostForm.Encode()
		page.Headers(w.Header(), nil)
		http.Redirect(w, r, app+"/cb", http.StatusSeeOther)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// The Enter key in a checkbox or radio button neither shares nor switches the
// person: it does nothing.
//
// spec: CONS-17
func TestEnterDecidesNothing(t *testing.T) {
	tab := chromium(t)
	var posted atomic.Int32
	pages, approve := renderer(t), sampleOf(t, "approve")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posted.Add(1)
		}
		if err := pages.Render(w, r, http.StatusOK, approve.page); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	for _, id := range []string{"scope-1", "duration-day", "remember"} {
		do(t, tab, chromedp.Navigate(server.URL), chromedp.Focus(chromedp.ID(id)), chromedp.KeyEvent("\r"), chromedp.Sleep(300*time.Millisecond))
		if focus := ask(t, tab, chromedp.Evaluate[string](`document.activeElement.id`)); focus != id {
			t.Errorf("the focus went from %s to %q", id, focus)
		}
	}
	if n := posted.Load(); n != 0 {
		t.Errorf("%d forms were sent", n)
	}
}

// A mistake takes the focus, and its link leads to the input.
//
// spec: LOGIN-25
func TestMistakesTakeTheFocus(t *testing.T) {
	tab, server := chromium(t), site(t)
	for name, field := range map[string]string{"sign-in-failed": "username", "identify-mistakes": "given", "choose-person-missed": "patient-0", "choose-encounter-missed": "encounter-0", "approve-nothing": "scope-1", "change-password-refused": "current"} {
		do(t, tab, chromedp.Navigate(server.URL+"/sample/"+name))
		focusOn(t, tab, name, "mistake")
		do(t, tab, chromedp.Click(chromedp.CSS("#mistake a")))
		focusOn(t, tab, name, field)
	}
}

// focusOn waits a while for the focus: browsers set it when they paint.
func focusOn(t *testing.T, tab context.Context, name, id string) {
	t.Helper()
	focus := ""
	for range 50 {
		if focus = ask(t, tab, chromedp.Evaluate[string](`document.activeElement.id`)); focus == id {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s: the focus is on %q, want %q", name, focus, id)
}
