package testenv

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
)

// Inside is a server without a network: its handlers are called as they are, and
// whoever built them decides what else runs.
func Inside(t testing.TB, cfg app.Config, public, admin http.Handler) *Env {
	t.Helper()
	return &Env{
		t: t, URL: cfg.PublicURL, FHIR: cfg.FHIRBase(), DataDir: cfg.DataDir,
		client: plainClient(called{public}), transport: called{public}, admin: called{admin},
	}
}

// called sends a request to a handler.
type called struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (c called) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RemoteAddr, in.RequestURI, in.Host = "127.0.0.1:50000", r.URL.RequestURI(), r.URL.Host
	in.URL.Scheme, in.URL.Host = "", "" // as a server reads it (RFC 9112 §3.2.1)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, in)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}
