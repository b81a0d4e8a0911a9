package fhirapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever is asked about a hidden resource, the answer is the one for a
// resource that was never there, to the byte and to the header.
//
// spec: RSP-05, RSX-21, ERR-45
// attack: B.1, B.3, B.4, B.7, B.8, B.9, B.10, B.107, GW-02, GW-31
func TestHiddenIsMissing(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs"), "lab": patient("alice", laboratory)})
	for _, row := range []struct {
		name, token, method, hidden, missing string
		header                               []string
	}{
		{"B.1 read", "alice", "GET", "/Observation/b-lab", "/Observation/none", nil},
		{"B.1 read of the patient", "alice", "GET", "/Patient/bob", "/Patient/none", nil},
		{"B.3 read under a granular scope", "lab", "GET", "/Observation/a-vital", "/Observation/none", nil},
		{"B.4 vread of an older version of another", "alice", "GET", "/Observation/moved/_history/1", "/Observation/none/_history/1", nil},
		{"B.4 vread of an own version, now of another", "alice", "GET", "/Observation/hidden-now/_history/1", "/Observation/none/_history/1", nil},
		{"B.4 vread of an older version out of the scope", "lab", "GET", "/Observation/recoded/_history/1", "/Observation/none/_history/1", nil},
		{"B.4 vread of a version that is not a number", "alice", "GET", "/Observation/b-lab/_history/x", "/Observation/a-lab/_history/x", nil},
		{"B.7 HEAD", "alice", "HEAD", "/Observation/b-lab", "/Observation/none", nil},
		{"B.8 If-None-Match any", "alice", "GET", "/Observation/b-lab", "/Observation/none", []string{"If-None-Match", "*"}},
		{"B.8 If-None-Match its tag", "alice", "GET", "/Observation/b-lab", "/Observation/none", []string{"If-None-Match", `W/"1"`}},
		{"B.8 If-Modified-Since", "alice", "GET", "/Observation/b-lab", "/Observation/none", []string{"If-Modified-Since", "Wed, 25 Nov 2099 12:00:00 GMT"}},
		{"B.10 Range", "alice", "GET", "/Observation/b-lab", "/Observation/none", []string{"Range", "bytes=0-1"}},
		{"B.11 _elements", "alice", "GET", "/Observation/b-lab?_elements=id", "/Observation/none?_elements=id", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			hidden := s.send(t, row.token, row.method, row.hidden, "", row.header...)
			missing := s.send(t, row.token, row.method, row.missing, "", row.header...)
			if hidden.status != http.StatusNotFound {
				t.Errorf("status %d", hidden.status)
			}
			if d := cmp.Diff(missing, hidden, cmp.AllowUnexported(answer{})); d != "" {
				t.Errorf("hidden differs from missing:\n%s", d)
			}
		})
	}
}

// Reads that are let through, with what goes along.
//
// spec: RSG-04, RSG-05, RSG-06, RSG-08, RSG-10, RSG-13, RSP-10, RS-15
// attack: B.3, B.4, B.8, B.10, B.11, B.108
func TestReads(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{
		"alice": patient("alice", "patient/*.rs"), "lab": patient("alice", laboratory),
		"loose": patient("alice", "patient/Observation.rs?category=laboratory"),
		"both":  patient("alice", laboratory, "patient/Observation.rs"),
	})
	for _, row := range []struct {
		name, token, path string
		status            int
		header            []string
	}{
		{"RSG-05 own, in the scope", "lab", "/Observation/a-lab", 200, nil},
		{"RSG-06 any of its categories", "lab", "/Observation/a-two", 200, nil},
		{"RSG-08 the code of another system", "lab", "/Observation/a-other-system", 404, nil},
		{"B.3 no category", "lab", "/Observation/a-none", 404, nil},
		{"B.3 a scope without a system matches any", "loose", "/Observation/a-other-system", 200, nil},
		{"RSG-04 another category", "loose", "/Observation/a-vital", 404, nil},
		{"RSG-13 a whole scope beside a granular one", "both", "/Observation/a-vital", 200, nil},
		{"B.4 the version that is hers", "alice", "/Observation/moved/_history/2", 200, nil},
		{"RSG-10 the version in the scope", "lab", "/Observation/recoded/_history/2", 200, nil},
		{"RSP-10 a shared type", "alice", "/Practitioner/p1", 200, nil},
		{"B.8 unchanged", "alice", "/Observation/a-lab", 304, []string{"If-None-Match", `"0", W/"1"`}},
		{"B.8 changed", "alice", "/Observation/a-lab", 200, []string{"If-None-Match", `W/"9"`}},
		{"B.8 not modified since", "alice", "/Observation/a-lab", 304, []string{"If-Modified-Since", "Wed, 25 Nov 2099 12:00:00 GMT"}},
		{"B.8 the tag goes before the date", "alice", "/Observation/a-lab", 200, []string{"If-None-Match", `W/"9"`, "If-Modified-Since", "Wed, 25 Nov 2099 12:00:00 GMT"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.get(t, row.token, row.path, row.header...)
			if got.status != row.status {
				t.Fatalf("%d %s, want %d", got.status, got.body, row.status)
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Vary") != "Authorization" {
				t.Errorf("a shared cache may keep this: %v", got.header)
			}
			if got.status == 304 && got.body != "" {
				t.Errorf("304 with a body: %s", got.body)
			}
		})
	}
	t.Run("B.10 Range is not followed", func(t *testing.T) {
		whole, ranged := s.get(t, "alice", "/Observation/a-lab"), s.get(t, "alice", "/Observation/a-lab", "Range", "bytes=0-1")
		if d := cmp.Diff(whole, ranged, cmp.AllowUnexported(answer{})); d != "" {
			t.Error(d)
		}
	})
	t.Run("RS-17 HEAD tells what GET tells", func(t *testing.T) {
		get, head := s.get(t, "alice", "/Observation/a-lab"), s.send(t, "alice", "HEAD", "/Observation/a-lab", "")
		if get.status != head.status || get.header.Get("ETag") != head.header.Get("ETag") {
			t.Errorf("GET %d %v, HEAD %d %v", get.status, get.header, head.status, head.header)
		}
	})
}
