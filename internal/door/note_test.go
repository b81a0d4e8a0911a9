package door_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// wrapped is a writer of some middleware between the chain and a door.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// An error is told with a link to what the catalogue says of it, by its name or, when
// it has none, by its code; the line of the request names it, at the level of
// production. Paths that do not exist fill no log.
//
// spec: ERR-38
func TestAnErrorIsExplainedAndFoundAgain(t *testing.T) {
	const issuer = "https://example.org"
	named := oauth.New(oauth.InvalidScope, "no").Slugged(oauth.SlugScopeMissing)
	mux := http.NewServeMux()
	mux.HandleFunc("/named", func(w http.ResponseWriter, _ *http.Request) { door.WriteOAuthError(w, named) })
	mux.HandleFunc("/wrapped", func(w http.ResponseWriter, _ *http.Request) { door.WriteOAuthError(wrapped{w}, named) })
	mux.HandleFunc("/code", func(w http.ResponseWriter, _ *http.Request) {
		door.WriteOAuthError(w, oauth.New(oauth.InvalidGrant, "no"))
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		door.Note(w, "", oauth.SlugRequestExpired)
		w.WriteHeader(http.StatusBadRequest)
	})
	mux.HandleFunc("/none", func(w http.ResponseWriter, _ *http.Request) {
		door.Note(w, "", oauth.SlugPathUnknown)
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("x") })
	mux.HandleFunc("/fine", func(w http.ResponseWriter, _ *http.Request) { door.JSON(w, http.StatusOK, 1) })
	for _, row := range []struct{ name, path, host, uri, log string }{
		{"by its name", "/named", "example.org", issuer + "/errors#scope.missing", `"error":"invalid_scope","slug":"scope.missing"`},
		{"through a writer", "/wrapped", "example.org", issuer + "/errors#scope.missing", `"error":"invalid_scope","slug":"scope.missing"`},
		{"by its code", "/code", "example.org", issuer + "/errors#invalid_grant", `"error":"invalid_grant","slug":""`},
		{"on a page", "/page", "example.org", "", `"error":"","slug":"request.expired"`},
		{"no such path", "/none", "example.org", "", ""},
		{"a panic", "/panic", "example.org", issuer + "/errors#server.failure", `"error":"server_error","slug":"server.failure"`},
		{"another host", "/fine", "evil.test", issuer + "/errors#invalid_request", `"error":"invalid_request","slug":""`},
		{"no error", "/fine", "example.org", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log bytes.Buffer
			h, err := door.Chain(door.Options{
				Hosts: []string{"example.org"}, Issuer: issuer, Log: slog.New(slog.NewJSONHandler(&log, nil)), Unclean: http.NotFoundHandler(),
			}, mux)
			if err != nil {
				t.Fatal(err)
			}
			q, w := httptest.NewRequest(http.MethodGet, row.path, nil), httptest.NewRecorder()
			q.Host = row.host
			h.ServeHTTP(w, q)
			if has := strings.Contains(w.Body.String(), `"error_uri":"`+row.uri+`"`); has != (row.uri != "") || row.uri == "" && strings.Contains(w.Body.String(), "error_uri") {
				t.Errorf("answer %s, want error_uri %q", w.Body, row.uri)
			}
			line := `"id":"` + w.Header().Get("X-Request-Id") + `"`
			if row.log == "" && log.Len() > 0 || row.log != "" && (!strings.Contains(log.String(), row.log) || !strings.Contains(log.String(), line)) {
				t.Errorf("log %q, want %s", log.String(), row.log)
			}
		})
	}
}
