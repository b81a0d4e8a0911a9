package fhirapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A path that is not written as FHIR writes it does not exist; nothing is
// cleaned and nothing redirected.
//
// spec: RS-19, RS-21, RSP-15
// attack: B.100, GW-23
func TestPaths(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.cruds")})
	for _, path := range []string{
		"/Observation/../Patient/alice", "/./Patient/alice", "//Patient/alice", "/Patient//alice", "/Patient/alice/", "/Patient/alice//",
		"/%2e%2e/Patient/alice", "/Patient/%2e%2e", "/Patient/..", "/Patient/.", "/Patient%2Falice", "/Patient/alice%2f", "/Patient/alice%00",
		"/Patient/alice%3fx", "/Patient/alice;x", "/Patient;x/alice", "/Patient/alice%5C", "/patient/alice", "/PATIENT/alice", "/Patient/%c0%ae",
		"/Patient/al%69ce%20", "/Patient/alice%23x", "/Patient/alice/_history/", "/Patient/alice/_History/1",
		"/Patient/" + strings.Repeat("a", 65), "/Patient/a_b", "/Patient/%C3%A9", "/Patients/alice", "/Patient/alice/Nothing", "/x",
		"/Patient/alice/Observation/a-lab", "/_search", "/Patient/alice/_search",
	} {
		got := s.get(t, "alice", path)
		if got.status != http.StatusNotFound && got.status != http.StatusBadRequest && got.status != http.StatusMethodNotAllowed {
			t.Errorf("B.100 %s: %d %s", path, got.status, got.body)
		}
		if strings.Contains(got.body, "Adams") || got.header.Get("Location") != "" {
			t.Errorf("B.100 %s: %s %v", path, got.body, got.header)
		}
	}
}

// What every answer carries, and what none does.
//
// spec: HDR-07
// attack: B.94, B.103, B.108
func TestAnswerHeaders(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	for _, path := range []string{"/Patient/alice", "/Patient/bob", "/Observation", "/Observation?_page=x", "/Coverage/x", "/x"} {
		for _, token := range []string{"alice", "", "who"} {
			got := s.get(t, token, path)
			for name, want := range map[string]string{"Cache-Control": "no-store", "Vary": "Authorization", "X-Content-Type-Options": "nosniff",
				"Content-Type": "application/fhir+json; charset=utf-8", "Set-Cookie": "", "Server": "", "Link": "", "Location": "", "Content-Location": ""} {
				if v := got.header.Get(name); v != want {
					t.Errorf("%s as %q: %s is %q", path, token, name, v)
				}
			}
		}
	}
}

// The statement has a tag, so that clients may keep it.
//
// spec: DISC-28, DISC-30, RS-23
// attack: B.94
func TestCapabilityTag(t *testing.T) {
	s := newSite(t, openStore(t, of()), tokens{})
	first := s.get(t, "", "/metadata")
	tag := first.header.Get("ETag")
	if first.status != 200 || tag == "" || !strings.Contains(first.body, `"url":"`+base+`"`) {
		t.Fatalf("%d %v", first.status, first.header)
	}
	if got := s.get(t, "", "/metadata", "If-None-Match", tag); got.status != 304 || got.body != "" {
		t.Errorf("unchanged: %d %.80s", got.status, got.body)
	}
	if got := s.get(t, "", "/metadata", "If-None-Match", `"x"`); got.status != 200 {
		t.Errorf("changed: %d", got.status)
	}
	if got := s.get(t, "who", "/metadata"); got.status != 200 {
		t.Errorf("an unknown token: %d", got.status)
	}
	if got := s.send(t, "", http.MethodPost, "/metadata", ""); got.status != 401 {
		t.Errorf("POST: %d", got.status)
	}
	for _, uri := range []string{"https://ehr.example.org/authorize", "https://ehr.example.org/token"} {
		if !strings.Contains(first.body, `"valueUri":"`+uri+`"`) {
			t.Errorf("no %s", uri)
		}
	}
	for _, absent := range []string{`"url":"introspect"`, `"url":"revoke"`, `"code":"search-system"`, `"code":"operation"`} {
		if strings.Contains(first.body, absent) {
			t.Errorf("%s is listed and not offered", absent)
		}
	}
}

// serveRaw sends what may not be a request that a client could make.
func serveRaw(s *site, method, path, query string, header http.Header, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, base, strings.NewReader(body))
	r.Method, r.Header = method, header
	decoded, err := url.PathUnescape(path)
	if err != nil {
		decoded = path
	}
	r.URL = &url.URL{Path: decoded, RawPath: path, RawQuery: query}
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	return w
}

// checkRaw holds for every request there is: a known status, JSON, and nothing
// of Bob.
func checkRaw(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= 500 && w.Code != http.StatusNotImplemented {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, secret := range []string{"Brown", "b-lab", "hidden-now"} {
		if w.Code == 200 && strings.Contains(w.Body.String(), `"id":"`+secret) || strings.Contains(w.Body.String(), `"family":"`+secret) {
			t.Errorf("%s in %s", secret, w.Body)
		}
	}
}

// attack: B.100
func FuzzPath(f *testing.F) {
	s := newSite(f, openStore(f, ward()), tokens{"alice": patient("alice", "patient/*.cruds")})
	for _, seed := range []string{"/fhir/Patient/alice", "/fhir/Patient/bob", "/fhir/Observation/moved/_history/1", "/fhir/Patient/bob/Observation", "/fhir/../x", "/fhir/%2e%2e/", "/fhir", "", "/fhirx", "/fhir/$x", "/fhir/metadata"} {
		f.Add("GET", seed)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		checkRaw(t, serveRaw(s, method, path, "", http.Header{"Authorization": {"Bearer alice"}}, ""))
	})
}

// attack: B.28, B.51
func FuzzParameters(f *testing.F) {
	s := newSite(f, openStore(f, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	for _, seed := range []string{"patient=bob", "subject:Patient=Patient/bob", "_include=Observation:subject", "_revinclude=Provenance:target", "code:not=x", "date=gt2020", "_sort=-date,_id", "_elements=subject", "_summary=true", "_page=x", "a%3B", "%zz", "_count=0"} {
		f.Add(seed, "")
		f.Add("", seed)
	}
	f.Fuzz(func(t *testing.T, query, form string) {
		h := http.Header{"Authorization": {"Bearer alice"}, "Content-Type": {"application/x-www-form-urlencoded"}}
		checkRaw(t, serveRaw(s, http.MethodPost, "/fhir/Observation/_search", query, h, form))
	})
}

// attack: B.50
func FuzzPageLink(f *testing.F) {
	s := newSite(f, openStore(f, ward()), tokens{"alice": patient("alice", "patient/*.rs"), "bob": patient("bob", "patient/*.rs")})
	w := serveRaw(s, http.MethodGet, "/fhir/Observation", "_count=2", http.Header{"Authorization": {"Bearer alice"}}, "")
	_, rest, _ := strings.Cut(w.Body.String(), "_page=")
	sealed, _, _ := strings.Cut(rest, `"`)
	f.Add(sealed)
	f.Add("")
	f.Add(strings.Repeat("A", 40))
	f.Fuzz(func(t *testing.T, page string) {
		w := serveRaw(s, http.MethodGet, "/fhir/Observation", url.Values{"_page": {page}}.Encode(), http.Header{"Authorization": {"Bearer bob"}}, "")
		if w.Code == 200 {
			t.Errorf("%q opened for another grant: %s", page, w.Body)
		}
	})
}

// attack: B.109
func FuzzBearer(f *testing.F) {
	s := newSite(f, openStore(f, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	for _, seed := range []string{"Bearer alice", "bearer alice", "Bearer  alice", "Basic x", "", "Bearer", "Bearer alice\n", "Bearer a,b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		w := serveRaw(s, http.MethodGet, "/fhir/Patient/alice", "", http.Header{"Authorization": {header}}, "")
		if ok := len(header) == len("Bearer alice") && strings.EqualFold(header[:7], "Bearer ") && header[7:] == "alice"; ok != (w.Code == 200) {
			t.Errorf("%q: %d", header, w.Code)
		}
		if w.Code != 200 && w.Code != 401 {
			t.Errorf("%q: %d", header, w.Code)
		}
	})
}
