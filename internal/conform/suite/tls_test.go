package suite

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// TLS-01 against servers that speak old and new versions, and against none.
func TestOldTLS(t *testing.T) {
	for name, c := range map[string]struct {
		config *tls.Config
		want   Outcome
	}{
		"1.2 and newer": {&tls.Config{MinVersion: tls.VersionTLS12}, Pass},
		"old ones too":  {&tls.Config{MinVersion: tls.VersionTLS10}, Fail}, //nolint:gosec // the server that must be found out
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.TLS = c.config
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			if v := runTLS(t, s.URL); v.Outcome() != c.want {
				t.Errorf("%s: %s", v.Outcome(), v.Seen())
			}
		})
	}
	if v := runTLS(t, "http://127.0.0.1:1"); v.Outcome() != Absent {
		t.Errorf("http: %s", v.Outcome())
	}
	if v := runTLS(t, "http://fhir.example.org"); v.Outcome() != Fail {
		t.Errorf("http elsewhere: %s", v.Outcome())
	}
	if v := runTLS(t, "https://127.0.0.1:1"); v.Outcome() != Skip {
		t.Errorf("nobody listens: %s", v.Outcome())
	}
}

func runTLS(t *testing.T, base string) Verdict {
	t.Helper()
	p, err := probe.New(probe.Target{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return oldTLS(t.Context(), p)
}
