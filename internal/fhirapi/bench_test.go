package fhirapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// benchmark answers one request again and again.
func benchmark(b *testing.B, path string) {
	b.Helper()
	var all []string
	for i := range 60 {
		all = append(all, observation(fmt.Sprintf("a-%02d", i), "alice", categories+"|laboratory"))
	}
	s := newSite(b, openStore(b, of(all...)), tokens{"alice": patient("alice", "patient/*.rs")})
	r := httptest.NewRequest(http.MethodGet, base+path, nil)
	r.Header.Set("Authorization", "Bearer alice")
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		if s.door.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// One read: the decision, the store, the second look, the answer.
func BenchmarkRead(b *testing.B) { benchmark(b, "/Observation/a-07") }

// A page of 50 with its link.
func BenchmarkSearchPage(b *testing.B) { benchmark(b, "/Observation?_count=50") }

// A search that finds nobody.
func BenchmarkMissing(b *testing.B) { benchmark(b, "/Observation?_id=none") }
