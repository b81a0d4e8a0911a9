package door_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
)

// One line is logged for a request: the route, never the path, the query or a
// header; a panic becomes a 500 that tells nothing.
//
// spec: AUTHZ-38, CAUTH-11, HDR-09, INTRO-20
// attack: LO-01, LO-02, HT-06
func TestTheLogTellsTheRouteAndNoSecret(t *testing.T) {
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("GET /record/{id}", func(http.ResponseWriter, *http.Request) { panic("secret-of-the-inside") })
	route := ""
	h, err := door.Chain(door.Options{
		Hosts: []string{"example.org"}, Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Unclean: http.NotFoundHandler(), Observe: func(r string, _ int, _ time.Duration) { route = r },
	}, mux)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/record/maria-secret?code=query-secret", nil)
	r.Host = "example.org"
	r.Header.Set("Authorization", "Bearer header-secret")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "inside") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if route != "GET /record/{id}" {
		t.Errorf("route %q", route)
	}
	for _, secret := range []string{"maria-secret", "query-secret", "header-secret"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, &log)
		}
	}
	if !strings.Contains(log.String(), `"route":"GET /record/{id}"`) {
		t.Errorf("log: %s", &log)
	}
}
