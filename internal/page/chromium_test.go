package page_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// installed is the path of a browser. Without one the test is skipped, and fails
// where everything has to run.
func installed(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium is installed, and CI is set: install the package chromium")
	}
	t.Skip("no Chromium is installed: install the package chromium to run the browser tests")
	return ""
}

// chromium starts a browser with an empty profile and returns its tab.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program := installed(t)
	// Not t.TempDir: processes of the browser may still write when it is removed.
	profile, err := os.MkdirTemp("", "emberlatch-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))...)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		closeTab()
		stop()
		remove(t, profile)
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	return ctx
}

// remove tries until the last process of the browser has let go.
func remove(t *testing.T, dir string) {
	var err error
	for range 100 {
		if err = os.RemoveAll(dir); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("the profile of the browser stays behind: %v", err)
}

// do runs steps in the browser's tab, within a time that ends the test and not
// the browser.
func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask returns what a step in the browser's tab finds.
func ask[T any](t *testing.T, tab context.Context, step chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, 30*time.Second)
	defer cancel()
	answer, err := chromedp.Run(ctx, step)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// muted takes the one script out of the policy, so that the page which it would leave
// can be looked at.
type muted struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (m muted) WriteHeader(status int) {
	policy, _, _ := strings.Cut(m.Header().Get("Content-Security-Policy"), "; script-src")
	m.Header().Set("Content-Security-Policy", policy)
	m.ResponseWriter.WriteHeader(status)
}

// site serves every sample under its name.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	pages := renderer(t)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", pages.Assets())
	for _, s := range samples() {
		mux.HandleFunc("GET /sample/"+s.name, func(w http.ResponseWriter, r *http.Request) {
			if err := pages.Render(muted{w}, r, s.status, s.page); err != nil {
				t.Error(err)
			}
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}
