package catalogue_test

import (
	"net/http"
	"strings"
	"testing"
)

// attack: B.1 to B.19, B.19a
func TestReadingOneResource(t *testing.T) { run(t, readingOne) }

var readingOne = []row{
	{number: "1", asks: []ask{
		{path: "/Observation/bob-lab", status: 404, like: "/Observation/none"}, {path: "/Patient/bob", status: 404, like: "/Patient/none"},
		{path: "/Observation/alice-lab", status: 200}, {as: "bob", path: "/Observation/bob-lab", status: 200},
	}},
	{number: "2", asks: []ask{
		{as: "reports", path: "/Observation/alice-lab", status: 403, silent: true}, {as: "reports", path: "/Observation/none", status: 403, silent: true},
		{as: "reports", path: "/Observation/bob-lab", status: 403, like: "/Observation/none"}, {as: "reports", path: "/Observation", status: 403, silent: true},
	}},
	{number: "3", asks: []ask{
		{as: "lab", path: "/Observation/alice-vital", status: 404, like: "/Observation/none"}, {as: "lab", path: "/Observation/alice-other-system", status: 404, like: "/Observation/none"},
		{as: "lab", path: "/Observation/alice-no-category", status: 404, like: "/Observation/none"}, {as: "lab", path: "/Observation/alice-lab", status: 200},
		{as: "any-lab", path: "/Observation/alice-other-system", status: 200}, {as: "any-lab", path: "/Observation/alice-vital", status: 404},
	}},
	{number: "4", asks: []ask{
		{path: "/Observation/moved/_history/1", status: 404, like: "/Observation/none/_history/1"}, {path: "/Observation/moved/_history/2", status: 200},
		{as: "bob", path: "/Observation/moved/_history/1", status: 404}, {path: "/Observation/bob-lab/_history/1", status: 404, like: "/Observation/none/_history/1"},
	}},
	{number: "5", asks: []ask{
		{path: "/Observation/moved/_history", status: 200, found: []string{"Observation/moved"}, holds: []string{"W/\\\"2\\\""}},
		{path: "/Observation/bob-lab/_history", status: 404, like: "/Observation/none/_history"},
	}, more: func(t *testing.T, s *side) {
		if b := s.send("alice", http.MethodGet, "/Observation/moved/_history", "").bundle(t); len(b.Entry) != 1 {
			t.Errorf("%d versions are shown", len(b.Entry))
		}
	}},
	{number: "6", asks: []ask{
		{path: "/_history?_count=200", status: 200, gateway: 403}, {path: "/Observation/_history?_count=200", status: 200, gateway: 403},
		{as: "reads", path: "/Observation/_history", status: 403},
	}},
	{number: "7", asks: []ask{
		{method: http.MethodHead, path: "/Observation/bob-lab", status: 404, like: "/Observation/none"}, {method: http.MethodHead, path: "/Observation/alice-lab", status: 200},
	}},
	{number: "8", asks: []ask{
		{path: "/Observation/bob-lab", header: []string{"If-None-Match", "*"}, status: 404, like: "/Observation/none"},
		{path: "/Observation/bob-lab", header: []string{"If-None-Match", `W/"1"`}, status: 404, like: "/Observation/none"},
		{path: "/Observation/bob-lab", header: []string{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, status: 404, like: "/Observation/none"},
		{path: "/Observation/alice-lab", header: []string{"If-None-Match", `W/"1"`}, status: 304},
	}, more: func(t *testing.T, s *side) {
		s.asked()
		s.send("alice", http.MethodGet, "/Observation/alice-lab", "", "If-None-Match", `W/"1"`, "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")
		for _, r := range s.asked() {
			if r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since") != "" {
				t.Error("the upstream was asked under a condition")
			}
		}
	}},
	{number: "9", more: func(t *testing.T, s *side) {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			got := s.send("alice", method, "/Observation/bob-lab", "")
			for _, name := range []string{"ETag", "Last-Modified", "Location", "Content-Location"} {
				if got.header.Get(name) != "" {
					t.Errorf("%s tells %s", method, name)
				}
			}
		}
	}},
	{number: "10", asks: []ask{
		{path: "/Observation/alice-lab", header: []string{"Range", "bytes=0-1"}, status: 200, holds: []string{`"alice-lab"`}},
		{path: "/Observation/alice-lab", header: []string{"Connection", "Upgrade", "Upgrade", "websocket", "TE", "trailers", "Expect", "100-continue"}, status: 200, holds: []string{`"alice-lab"`}},
	}, more: func(t *testing.T, s *side) {
		for _, r := range s.asked() {
			for _, name := range []string{"Range", "Upgrade", "Te", "Expect", "Trailer"} {
				if r.Header.Get(name) != "" {
					t.Errorf("the upstream was sent %s: %s", name, r.Header.Get(name))
				}
			}
		}
	}},
	{number: "11", asks: []ask{
		{path: "/Observation?_elements=id", status: 200, found: observations}, {path: "/Observation?_summary=true", status: 200, found: observations},
		{path: "/Observation/bob-lab?_elements=id", status: 404}, {as: "lab", path: "/Observation/alice-vital?_elements=id", status: 404},
	}, more: func(t *testing.T, s *side) {
		s.asked()
		s.send("alice", http.MethodGet, "/Observation?_elements=id&_summary=false", "")
		for _, r := range s.asked() {
			if strings.Contains(r.URL.RawQuery, "_elements") {
				t.Errorf("the upstream was asked for parts: %s", r.URL.RawQuery)
			}
		}
	}},
	{number: "12", asks: []ask{
		{path: "/Observation?_summary=count", status: 200, holds: []string{`"total":7`}}, {path: "/Observation?_count=0", status: 200, found: none},
		{path: "/Observation?performer=Patient/alice&_summary=count", status: 200, holds: []string{`"total":0`}},
		{as: "lab", path: "/Observation?_summary=count", status: 200, holds: []string{`"total":4`}},
	}},
	{number: "13", asks: []ask{
		{path: "/Observation/alice-lab?_format=xml", status: 406}, {path: "/Observation/alice-lab", header: []string{"Accept", "application/fhir+xml"}, status: 406},
		{path: "/Observation/alice-lab?_format=json", status: 200}, {path: "/Observation/bob-lab?_format=ttl", status: 406, like: "/Observation/none?_format=ttl"},
	}},
	{number: "14", asks: []ask{
		{path: "/Binary/bob-binary", status: 404, like: "/Binary/none"}, {path: "/Binary/bob-attached", status: 404, like: "/Binary/none"}, {path: "/Binary/orphan", status: 404, like: "/Binary/none"},
		{path: "/Binary/conflict", status: 404, like: "/Binary/none"}, {path: "/Binary/alice-binary", status: 200}, {path: "/Binary/alice-attached", status: 200, gateway: 404},
	}},
	{number: "15", more: func(t *testing.T, s *side) {
		got := s.send("alice", http.MethodGet, "/DocumentReference/alice-document", "").body
		if !strings.Contains(got, `Binary/alice-attached"`) {
			t.Errorf("the attachment has another address: have the row judge where it leads: %s", got)
		}
		s.check(t, ask{as: "bob", path: "/Binary/alice-attached", status: 404, like: "/Binary/none"})
	}},
	{number: "16", asks: []ask{{path: "/DocumentReference/elsewhere", status: 200, holds: []string{`"http://internal.example.invalid/latest"`}}}, more: func(t *testing.T, s *side) {
		s.asked()
		s.send("alice", http.MethodGet, "/DocumentReference/elsewhere", "")
		if calls := s.asked(); len(calls) > 2 {
			t.Errorf("%d calls for one document", len(calls))
		}
	}},
	{number: "17", more: func(t *testing.T, s *side) {
		got := s.send("alice", http.MethodGet, "/Binary/alice-binary", "", "Accept", "text/html,*/*")
		if got.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.header.Get("Content-Type"), fhirJSON) {
			t.Errorf("a stored document is a page: %d %v %s", got.status, got.header, got.body)
		}
	}},
	{number: "18", asks: []ask{{path: "/Observation/contained-patient", status: 404, like: "/Observation/none"}, {path: "/Observation?_id=contained-patient", status: 200, found: none}}},
	{number: "19", asks: []ask{
		{path: "/DiagnosticReport/report", status: 200, holds: []string{`"Observation/bob-lab"`}}, {path: "/Observation/bob-lab", status: 404, like: "/Observation/none"},
	}},
	{number: "19a", asks: []ask{
		{path: "/Observation/absolute-foreign", status: 404, like: "/Observation/none"}, {path: "/Observation/identifier-only", status: 404, like: "/Observation/none"},
		{path: "/Observation/display-only", status: 404, like: "/Observation/none"}, {path: "/Observation/prefix-id", status: 404, like: "/Observation/none"},
		{path: "/Observation/of-group", status: 404, like: "/Observation/none"}, {path: "/Observation/alice-versioned", status: 200},
	}},
}
