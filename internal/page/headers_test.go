package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/page"
)

// No page is kept, framed, sniffed or told about; nothing on it runs or comes from
// elsewhere.
//
// spec: HDR-02, HDR-03, HDR-04, HDR-06, HDR-10, LOGIN-17, AUTHZ-50, CORS-11
// attack: LG-32, HT-21
func TestHeadersOfEveryPage(t *testing.T) {
	want := map[string]string{
		"Cache-Control": "no-store", "Pragma": "no-cache", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
		"Access-Control-Allow-Origin": "",
	}
	for _, s := range samples() {
		w, _ := render(t, s, "en")
		for key, value := range want {
			if got := w.Header().Get(key); got != value {
				t.Errorf("%s: %s is %q, want %q", s.name, key, got, value)
			}
		}
		policy := w.Header().Get("Content-Security-Policy")
		action := "form-action 'self'"
		if strings.HasSuffix(s.name, "-post") {
			action = "form-action https:"
		}
		for _, directive := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", action} {
			if !strings.Contains(policy, directive) {
				t.Errorf("%s: the policy lacks %q: %s", s.name, directive, policy)
			}
		}
		if strings.Contains(policy, "script-src") != (s.name == "form-post") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy lets something run: %s", s.name, policy)
		}
	}
}

// What a form may lead to is named by its scheme, and nothing of a redirect URI
// can add to the policy.
//
// spec: HDR-04, HDR-05
func TestFormTargets(t *testing.T) {
	rows := []struct{ name, redirectURI, want string }{
		{"web", "https://app.example.org/cb?x=1", "form-action 'self' https:"},
		{"loopback", "http://127.0.0.1:49152/cb", "form-action 'self' http: https:"},
		{"loopback IPv6", "http://[::1]:49152/cb", "form-action 'self' http: https:"},
		{"private scheme", "com.example.app:/cb", "form-action 'self' com.example.app:"},
		{"out of band", "urn:ietf:wg:oauth:2.0:oob", "form-action 'self'"},
		{"script", "javascript:alert(1)", "form-action 'self'"},
		{"data", "data:text/html,x", "form-action 'self'"},
		{"a directive in the path", "https://app.example.org/; script-src *", "form-action 'self' https:"},
		{"a directive in the scheme", "x; script-src *:/cb", "form-action 'self'"},
		{"nothing", "", "form-action 'self'"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			h := http.Header{}
			page.Headers(h, []string{page.FormTarget(r.redirectURI)})
			policy := h.Get("Content-Security-Policy")
			if got := policy[strings.Index(policy, "form-action"):]; got != r.want {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
	h := http.Header{}
	page.Headers(h, []string{"x; script-src *", "'unsafe-inline'"})
	if policy := h.Get("Content-Security-Policy"); strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe") {
		t.Errorf("a target added to the policy: %s", policy)
	}
}

// The style sheet is the one file that is kept, under a name of its content.
func TestAssets(t *testing.T) {
	_, doc := render(t, sampleOf(t, "signed-out"), "en")
	name := strings.TrimPrefix(attr(find(doc, "link", "rel", "stylesheet"), "href"), "/assets/")
	for file, want := range map[string]int{name: 200, "style.css": 404, "style-000000000000.css": 404, "../render.go": 404} {
		req := httptest.NewRequest(http.MethodGet, "/assets/x", nil)
		req.SetPathValue("file", file)
		w := httptest.NewRecorder()
		renderer(t).Assets().ServeHTTP(w, req)
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", file, w.Code, want)
		}
		if want == 200 && (w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable")) {
			t.Errorf("headers of the style sheet: %v", w.Header())
		}
	}
}
