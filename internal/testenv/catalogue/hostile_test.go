package catalogue_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// scripted is a gateway before an upstream that answers all but /metadata as told.
func scripted(t testing.TB, answer http.HandlerFunc) *side {
	t.Helper()
	s := &side{name: "gateway"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fhir/metadata" {
			w.Header().Set("Content-Type", fhirJSON)
			_, _ = w.Write([]byte(`{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"mode":"server","resource":[` + stated("Patient") + "," + stated("Observation") + `]}]}`))
			return
		}
		s.mu.Lock()
		s.calls = append(s.calls, r)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/fhir"
	s.door = newDoor(t, base, bearers(base), newGate(t, s.url), nil)
	return s
}

// hostile has an upstream answer one text to a search, and looks at what leaves.
func hostile(t *testing.T, body string, status int) answer {
	t.Helper()
	s := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", fhirJSON)
		_, _ = w.Write([]byte(body))
	})
	got := s.send("alice", "GET", "/Observation", "")
	s.keeps(t, body[:min(80, len(body))], "alice", got)
	if got.status != status {
		t.Errorf("%s: %d %s, want %d", strings.ToValidUTF8(body[:min(200, len(body))], "?"), got.status, got.body, status)
	}
	return got
}
