package fhirapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Reasons are told where the door is made so, and nowhere else.
func TestReasonsAreNotTold(t *testing.T) {
	s := newSite(t, failing{err: fhirstore.ErrNotFound}, tokens{"maria": patient("maria", "patient/Patient.rs")})
	for _, path := range []string{"/fhir/Patient/maria", "/fhir/Observation", "/fhir/Group/1"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer maria")
		w := httptest.NewRecorder()
		s.door.ServeHTTP(w, r)
		if got := w.Header().Get("Emberlatch-Reason"); got != "" || w.Code == http.StatusUnauthorized {
			t.Errorf("%s: %d, reason %q", path, w.Code, got)
		}
	}
}
