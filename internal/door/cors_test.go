package door_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/door"
)

const registered = "https://app.example.org"

func onlyRegistered(origin string) bool { return origin == registered }

// cors asks an endpoint that answers with a status.
func cors(allowed door.Origins, method, origin string, status int, change func(http.Header)) (*httptest.ResponseRecorder, bool) {
	reached := false
	h := door.CORS(allowed, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached = true
		door.JSON(w, status, nil)
	}))
	r := httptest.NewRequest(method, "/token", nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if change != nil {
		change(r.Header)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w, reached
}

// Who may read an answer: everybody what is public, pages of registered apps the
// rest, on errors too; credentials never.
//
// spec: CORS-01, CORS-02, CORS-03, CORS-04, CORS-06, CORS-07, CORS-09, CORS-10
// attack: LP-26, LP-27
func TestWhoMayRead(t *testing.T) {
	rows := []struct {
		name    string
		allowed door.Origins
		origin  string
		want    string
	}{
		{"CORS-01 anybody", door.AnyOrigin, "https://anybody.test", "https://anybody.test"},
		{"CORS-01 a file or a sandboxed frame", door.AnyOrigin, "null", "*"},
		{"CORS-03 registered", onlyRegistered, registered, registered},
		{"CORS-03 another", onlyRegistered, "https://evil.test", ""},
		{"CORS-03 one that begins like it", onlyRegistered, registered + ".evil.test", ""},
		{"CORS-03 one that ends like it", onlyRegistered, "https://evil-app.example.org", ""},
		{"CORS-03 another scheme", onlyRegistered, "http://app.example.org", ""},
		{"CORS-03 another case", onlyRegistered, "https://APP.example.org", ""},
		{"CORS-03 no name", onlyRegistered, "null", ""},
		{"no browser", onlyRegistered, "", ""},
		{"no browser, public", door.AnyOrigin, "", ""},
	}
	for _, row := range rows {
		for _, status := range []int{200, 400, 401, 403, 404, 429, 500} {
			w, reached := cors(row.allowed, http.MethodGet, row.origin, status, nil)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != row.want {
				t.Errorf("%s, %d: allowed %q, want %q", row.name, status, got, row.want)
			}
			if w.Code != status || !reached {
				t.Errorf("%s: status %d, want %d: it is the browser that keeps an answer from a page", row.name, w.Code, status)
			}
			if w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: credentials are allowed", row.name)
			}
			if !slices.Contains(w.Header().Values("Vary"), "Origin") {
				t.Errorf("%s: Vary is %q", row.name, w.Header().Values("Vary"))
			}
			checkExposed(t, row.name, w.Header().Get("Access-Control-Expose-Headers"), row.want != "")
		}
	}
}

func checkExposed(t *testing.T, name, exposed string, want bool) {
	t.Helper()
	for _, header := range []string{"WWW-Authenticate", "Location", "Content-Location", "ETag", "Last-Modified", "Retry-After", "X-Request-Id", "DPoP-Nonce"} {
		if got := slices.Contains(strings.Split(exposed, ", "), header); got != want {
			t.Errorf("%s: %s is exposed: %t", name, header, got)
		}
	}
}

// A preflight is answered without a token and never reaches the door (Fetch
// standard, §4.8).
//
// spec: CORS-05, CORS-09, CORS-10
func TestPreflight(t *testing.T) {
	ask := func(h http.Header) {
		h.Set("Access-Control-Request-Method", http.MethodPost)
		h.Set("Access-Control-Request-Headers", "authorization,content-type")
	}
	w, reached := cors(onlyRegistered, http.MethodOptions, registered, 500, ask)
	if w.Code != http.StatusNoContent || reached || w.Body.Len() != 0 {
		t.Errorf("status %d, reached %t", w.Code, reached)
	}
	allowed := strings.Split(w.Header().Get("Access-Control-Allow-Headers"), ", ")
	for _, want := range []string{"Authorization", "Content-Type", "Accept", "Prefer", "If-Match", "If-None-Exist", "X-Request-Id", "DPoP"} {
		if !slices.Contains(allowed, want) {
			t.Errorf("%s is not allowed: %q", want, allowed)
		}
	}
	if methods := w.Header().Get("Access-Control-Allow-Methods"); !strings.Contains(methods, "GET") || !strings.Contains(methods, "POST") {
		t.Errorf("methods %q", methods)
	}
	if w.Header().Get("Access-Control-Allow-Credentials") != "" || w.Header().Get("Access-Control-Max-Age") == "" {
		t.Errorf("headers %v", w.Header())
	}
	for name, change := range map[string]func(http.Header){"another origin": ask, "no preflight": func(h http.Header) { h.Set("Origin", registered) }} {
		w, reached := cors(onlyRegistered, http.MethodOptions, "https://evil.test", 500, change)
		if w.Code != http.StatusNoContent || reached || w.Header().Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("%s: status %d, reached %t, headers %v", name, w.Code, reached, w.Header())
		}
	}
}
