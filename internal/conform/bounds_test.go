package conform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform"
	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// hostile serves a SMART configuration whose endpoints the test chooses.
func hostile(t *testing.T, endpoints func(self string) map[string]any, rest http.HandlerFunc) *httptest.Server {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/smart-configuration") {
			w.Header().Set("Content-Type", "application/json")
			doc := endpoints(s.URL)
			doc["capabilities"] = []string{"launch-standalone", "client-public", "client-confidential-symmetric", "sso-openid-connect"}
			_ = json.NewEncoder(w).Encode(doc)
			return
		}
		rest(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func victim(s *httptest.Server) probe.Target {
	return probe.Target{
		Base: s.URL, Person: agent.Script{Username: "alice", Password: "secret of alice"},
		Confidential: &probe.Client{ID: "web", Secret: "secret of web", Method: probe.AuthBasic, RedirectURIs: []string{"https://app.example.org/cb"}},
		Public:       &probe.Client{ID: "pub", Method: probe.AuthNone, RedirectURIs: []string{"https://app.example.org/cb"}},
	}
}

// Whatever a server names, nothing is sent to another origin than its own.
func TestNothingIsSentElsewhere(t *testing.T) {
	var calls atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer other.Close()
	t.Run("endpoints elsewhere", func(t *testing.T) {
		s := hostile(t, func(self string) map[string]any {
			return map[string]any{
				"issuer": other.URL, "authorization_endpoint": other.URL + "/a", "token_endpoint": other.URL + "/t", "jwks_uri": other.URL + "/k",
				"introspection_endpoint": other.URL + "/i", "revocation_endpoint": other.URL + "/r", "userinfo_endpoint": other.URL + "/u",
			}
		}, http.NotFound)
		report := check(t, victim(s), everySuite...)
		for _, r := range report.Results {
			if r.ID == "AUTHZ-01" && (r.Outcome != "skip" || !strings.Contains(r.Seen, "origin")) {
				t.Error(r.Line())
			}
		}
	})
	t.Run("redirects and forms elsewhere", func(t *testing.T) {
		s := hostile(t, func(self string) map[string]any {
			return map[string]any{"issuer": self, "authorization_endpoint": self + "/a", "token_endpoint": self + "/t"}
		}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("redirect_uri") != "" && r.URL.Query().Get("prompt") == "" {
				_, _ = io.WriteString(w, `<form method="post" action="`+other.URL+`"><input type="password" name="p"><button>Log in</button></form>`)
				return
			}
			http.Redirect(w, r, other.URL+"/elsewhere", http.StatusTemporaryRedirect)
		})
		check(t, victim(s), everySuite...)
	})
	if calls.Load() != 0 {
		t.Errorf("%d requests went to another origin", calls.Load())
	}
}

// An operator may name further origins.
func TestAnotherOriginCanBeAllowed(t *testing.T) {
	s := broken(t, "")
	front := hostile(t, func(string) map[string]any { return map[string]any{"token_endpoint": s.URL + "/token"} }, http.NotFound)
	one := victim(front)
	one.Origins = []string{s.URL}
	report, err := conform.Run(t.Context(), conform.Options{Suites: []string{"bcp"}, Only: []string{"ERR-26"}, Target: one})
	if err != nil || report.Counts.Failed+report.Counts.Passed != 1 {
		t.Errorf("%v %+v", err, report.Results)
	}
}

// A server that sends without end, or not at all, does not hold a run up.
func TestARunIsBounded(t *testing.T) {
	self := func(self string) map[string]any {
		return map[string]any{"authorization_endpoint": self + "/a", "token_endpoint": self + "/t"}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			junk := bytes.Repeat([]byte("x"), 1<<20)
			for range 64 {
				if _, err := w.Write(junk); err != nil {
					return
				}
			}
		},
		"not at all": func(_ http.ResponseWriter, r *http.Request) { wait(r.Context()) },
		"in circles": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"?again", http.StatusFound)
		},
		"cut off early": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			s := hostile(t, self, answer)
			started := time.Now()
			report, err := conform.Run(t.Context(), conform.Options{
				Suites: []string{"smart"}, Only: []string{"AUTHZ-01", "RT-26", "DISC-28"}, Target: victim(s), Timeout: 500 * time.Millisecond,
			})
			if err != nil || report.Counts.Passed != 0 || len(report.Results) != 3 {
				t.Errorf("%v %+v", err, report.Results)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// wait is longer than a check may take, and ends, so that the server can be closed.
func wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(3 * time.Second):
	}
}

// A server that does not answer is not judged at all.
func TestWithoutAServerThereIsNoReport(t *testing.T) {
	for name, base := range map[string]string{"nobody": "http://127.0.0.1:1/fhir", "no URL": "fhir.example.org", "other scheme": "ftp://127.0.0.1/"} {
		if _, err := conform.Run(t.Context(), conform.Options{Suites: everySuite, Target: probe.Target{Base: base}}); err == nil {
			t.Errorf("%s: a report", name)
		}
	}
}

// What the server gave out, and what the operator gave in, is not in the report.
func TestNoSecretIsInTheReport(t *testing.T) {
	for _, defect := range []string{"", "token-type-mac", "odd-characters", "replay", "expires-text", "iat-missing", "html-errors", "token-in-url", "patient-reference"} {
		s := broken(t, defect)
		one := target(s)
		one.Confidential.Method = probe.AuthPost
		report := check(t, one, everySuite...)
		var text bytes.Buffer
		if err := report.WriteJSON(&text); err != nil {
			t.Fatal(err)
		}
		text.WriteString(report.Summary())
		secrets := s.Secrets()
		if len(secrets) < 20 {
			t.Fatalf("%s: only %d secrets", defect, len(secrets))
		}
		for _, secret := range secrets {
			if strings.Contains(text.String(), secret) {
				t.Errorf("%s: the report has %q", defect, secret)
			}
		}
	}
}

// What a server says cannot move the cursor of a terminal.
func TestWhatAServerSaysIsPlain(t *testing.T) {
	s := hostile(t, func(self string) map[string]any {
		return map[string]any{"token_endpoint": self + "/t", "issuer": "x\x1b[2J\u202e\r\n", "capabilities": "x"}
	}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, `{"error":"a\u001b[31mb\u0007","error_description":"`+strings.Repeat(`\u009b long `, 200)+`"}`)
	})
	report := check(t, victim(s), everySuite...)
	for _, r := range report.Results {
		if strings.ContainsAny(r.Seen, "\x1b\x07\r\n\u009b\u202e") || len(r.Seen) > 800 {
			t.Errorf("%q", r.Line())
		}
	}
}
