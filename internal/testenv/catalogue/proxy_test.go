package catalogue_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir/search"
)

// attack: B.100 to B.116
func TestHTTPAndProxy(t *testing.T) { run(t, proxying) }

// mine and bobs are resources that a scripted upstream gives.
var (
	mine = thing("Observation", "a1", coded+subject("alice"))
	bobs = hidden("Observation", "b1", coded+subject("bob"))
)

func searchset(entries ...string) string {
	return `{"resourceType":"Bundle","type":"searchset","total":4711,"entry":[` + strings.Join(entries, ",") + `]}`
}

func gives(resource string) string { return `{"resource":` + resource + `}` }

// atGateway is a row of what only a gateway meets.
func atGateway(f func(t *testing.T)) func(*testing.T, *side) {
	return func(t *testing.T, s *side) {
		if s.gateway() {
			f(t)
		}
	}
}

// upstreamSays has the upstream answer everything with a status, headers and a text.
func upstreamSays(t *testing.T, status int, text string, header ...string) *side {
	return scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", fhirJSON)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}

var proxying = []row{
	{number: "100", more: func(t *testing.T, s *side) {
		for _, path := range []string{"/Observation/%2e%2e/Patient/bob", "/../Patient/bob", "/Patient//alice", "/./Patient/alice", "/Patient/alice;x", `/Patient\alice`, "/Patient%2falice", "/Patient/alice%00",
			"/Patient/alice%3fx", "/Patient/alice/", "/patient/alice", "/Patient/%c0%ae", "/Patient/.", "/Patient/..", "/Patient/" + strings.Repeat("a", 65), "/Observation/alice-lab/Observation/x"} {
			got := s.raw("alice", http.MethodGet, path)
			s.keeps(t, path, "alice", got)
			if got.status != 404 {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
			if s.gateway() && len(s.asked()) > 0 {
				t.Errorf("%s reached the upstream", path)
			}
		}
	}},
	{number: "101", apart: true, asks: []ask{
		{as: "writer", path: "/Observation/alice-lab", header: []string{"X-HTTP-Method-Override", "DELETE"}, status: 200}, {as: "writer", path: "/Observation/alice-lab?_method=DELETE", status: 400},
	}, more: func(t *testing.T, s *side) {
		unharmed("Observation/alice-lab")(t, s)
		for _, r := range s.asked() {
			if r.Header.Get("X-Http-Method-Override") != "" || r.Method != http.MethodGet && r.Method != http.MethodPost {
				t.Errorf("the upstream was asked by %s %v", r.Method, r.Header)
			}
		}
	}},
	{number: "102", more: func(t *testing.T, s *side) {
		s.asked()
		got := s.send("alice", "GET", "/Observation/alice-lab", "", "X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example", "Connection", "Authorization", "Cookie", "a=b", "Referer", "https://evil.example")
		if got.status != 200 || strings.Contains(got.body, "evil.example") {
			t.Errorf("%d %s", got.status, got.body)
		}
		for _, r := range s.asked() {
			for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Connection", "Cookie", "Referer"} {
				if r.Header.Get(name) != "" {
					t.Errorf("the upstream was sent %s", name)
				}
			}
			if r.Header.Get("Authorization") != "Bearer "+ours {
				t.Errorf("the upstream was sent %q", r.Header.Get("Authorization"))
			}
		}
	}},
	{number: "103", more: func(t *testing.T, s *side) {
		allowed := map[string]bool{"Cache-Control": true, "Content-Length": true, "Content-Type": true, "Etag": true, "Last-Modified": true, "Vary": true, "X-Content-Type-Options": true}
		for _, path := range []string{"/Observation/alice-lab", "/Observation", "/Observation/none"} {
			for name := range s.send("alice", "GET", path, "").header {
				if !allowed[name] {
					t.Errorf("%s has the header %s", path, name)
				}
			}
		}
	}},
	{number: "104", more: atGateway(func(t *testing.T) {
		var up *side
		up = scripted(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", fhirJSON)
			_, _ = io.WriteString(w, searchset(gives(thing("Observation", "a1", coded+ref("subject", up.url+"/Patient/alice")+`,"note":[{"text":"see https://up.example/fhir/x"}]`)), gives(hidden("Observation", "b1", coded+ref("subject", up.url+"x/Patient/alice")))))
		})
		got := up.send("alice", "GET", "/Observation", "")
		up.keeps(t, "a base in references", "alice", got)
		if diff := cmp.Diff([]string{"Observation/a1"}, got.bundle(t).ids()); diff != "" || !strings.Contains(got.body, base+"/Patient/alice") || !strings.Contains(got.body, "see https://up.example/fhir/x") {
			t.Errorf("%s %s", diff, got.body)
		}
	})},
	{number: "105", more: atGateway(func(t *testing.T) {
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
		defer elsewhere.Close()
		for _, path := range []string{"/Observation", "/Observation/a1"} {
			up := upstreamSays(t, 302, "", "Location", elsewhere.URL+"/fhir/Observation/a1")
			if got := up.send("alice", "GET", path, ""); got.status != 502 {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
	})},
	{number: "106", more: atGateway(func(t *testing.T) {
		for _, status := range []int{400, 404, 409, 412, 422, 500} {
			up := upstreamSays(t, status, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"conflict","diagnostics":"`+secret+`: referenced by Observation/9; SELECT x"}]}`)
			for _, path := range []string{"/Observation", "/Observation/a1"} {
				got := up.send("alice", "GET", path, "")
				up.keeps(t, fmt.Sprint(path, status), "alice", got)
				if strings.Contains(got.body, "Observation/9") || strings.Contains(got.body, "SELECT") {
					t.Errorf("%s: %s", path, got.body)
				}
			}
		}
	})},
	{number: "107", asks: []ask{{path: "/Observation/bob-lab", status: 404, like: "/Observation/none"}}, more: atGateway(func(t *testing.T) {
		var answers []answer
		for _, status := range []int{404, 410} {
			answers = append(answers, upstreamSays(t, status, `{"resourceType":"OperationOutcome"}`).send("alice", "GET", "/Observation/a1", ""))
		}
		answers = append(answers, upstreamSays(t, 200, bobs).send("alice", "GET", "/Observation/b1", ""))
		for _, a := range answers {
			if diff := cmp.Diff(answers[0], a, cmp.AllowUnexported(answer{})); diff != "" || a.status != 404 {
				t.Errorf("%d: %s", a.status, diff)
			}
		}
	})},
	{number: "108", more: func(t *testing.T, s *side) {
		for _, path := range []string{"/Observation/alice-lab", "/Observation", "/Observation/none", "/Group/group"} {
			got := s.send("alice", "GET", path, "", "Origin", "https://evil.example")
			if got.header.Get("Cache-Control") != "no-store" || !strings.Contains(got.header.Get("Vary"), "Authorization") || got.header.Get("Set-Cookie") != "" || got.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: %v", path, got.header)
			}
		}
	}},
	{number: "109", asks: []ask{{path: "/Observation?access_token=alice", status: 400}}, more: func(t *testing.T, s *side) {
		r := httptest.NewRequest(http.MethodGet, base+"/Observation", nil)
		r.Header["Authorization"] = []string{"Bearer alice", "Bearer bob"}
		if got := s.serve(r); got.status != 400 && got.status != 401 {
			t.Errorf("two tokens: %d", got.status)
		}
		if got := s.serve(httptest.NewRequest(http.MethodGet, base+"/Observation?access_token=alice", nil)); got.status != 401 && got.status != 400 {
			t.Errorf("a token in the query: %d", got.status)
		}
	}},
	{number: "110", asks: missingClaims()},
	{number: "111", asks: malformed()},
	{number: "112", more: func(t *testing.T, s *side) {
		// Whom a user reaches is asked with each request: here the same token, before and after.
		known := bearers(base)
		now := known["doctor"]
		door := s.again(t, tokens{"doctor": now})
		if got := door.send("doctor", "GET", "/Observation/bob-lab", ""); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		next := strings.TrimPrefix(door.send("doctor", "GET", "/Patient?_count=1", "").bundle(t).link("next"), base)
		now.Reach = search.NewIDSet("alice")
		door.known["doctor"] = now
		if got := door.send("doctor", "GET", "/Observation/bob-lab", ""); got.status != 404 {
			t.Errorf("after the relation ended: %d", got.status)
		}
		if got := door.send("doctor", "GET", next, ""); strings.Contains(got.body, secret) {
			t.Errorf("its next page: %d %s", got.status, got.body)
		}
	}},
	{number: "113", asks: []ask{{path: "/Observation", header: []string{"Prefer", "respond-async"}, status: 200, found: observations}}, more: func(t *testing.T, s *side) {
		for _, r := range s.asked() {
			if strings.Contains(r.Header.Get("Prefer"), "async") {
				t.Error("the upstream was asked to answer later")
			}
		}
		if s.gateway() {
			if got := upstreamSays(t, 202, "", "Content-Location", "https://evil.example/job").send("alice", "GET", "/Observation", ""); got.status != 502 {
				t.Errorf("202: %d", got.status)
			}
		}
	}},
	{number: "114", more: atGateway(func(t *testing.T) {
		for _, kind := range []string{"text/html", "application/fhir+xml", "application/octet-stream", ""} {
			if got := upstreamSays(t, 200, searchset(gives(mine)), "Content-Type", kind).send("alice", "GET", "/Observation", ""); got.status != 502 {
				t.Errorf("%q: %d %s", kind, got.status, got.body)
			}
		}
		hostile(t, strings.Replace(searchset(gives(mine)), `"a1"`, "\"a\xff\"", 1), 502)
		hostile(t, `{"resourceType":"Bundle","entry":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+"}", 502)
		var bomb bytes.Buffer
		zip := gzip.NewWriter(&bomb)
		_, _ = zip.Write(bytes.Repeat([]byte(" "), 64<<20))
		_ = zip.Close()
		if got := upstreamSays(t, 200, bomb.String(), "Content-Encoding", "gzip").send("alice", "GET", "/Observation", ""); got.status != 502 {
			t.Errorf("a bomb: %d", got.status)
		}
	})},
	{number: "115", more: atGateway(func(t *testing.T) {
		got := hostile(t, searchset(gives(mine), `{"fullUrl":"x"}`, gives(`{"resourceType":"`+secret+`","id":"x"}`), gives(`{"resourceType":"Observation"`+coded+subject("alice")+`}`), gives(bobs), gives(`{"resourceType":"Group","id":"g"}`), gives(mine)), 200)
		if b := got.bundle(t); len(b.Entry) != 1 || b.Total != nil && *b.Total != 1 {
			t.Errorf("%s", got.body)
		}
	})},
	{number: "116", more: atGateway(func(t *testing.T) {
		whole := searchset(gives(mine), gives(bobs), gives(mine))
		for cut := 1; cut < len(whole); cut += 29 {
			up := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", fhirJSON)
				w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
				_, _ = io.WriteString(w, whole[:cut])
			})
			got := up.send("alice", "GET", "/Observation", "")
			up.keeps(t, "a stream that ends", "alice", got)
			if got.status != 502 {
				t.Fatalf("cut at %d: %d %s", cut, got.status, got.body)
			}
		}
	})},
}

// raw sends a path as it is written.
func (s *side) raw(token, method, path string) answer {
	r := httptest.NewRequest(method, base+"/x", nil)
	r.URL.Path, r.URL.RawPath = unescaped("/fhir"+path), "/fhir"+path
	r.Header.Set("Authorization", "Bearer "+token)
	return s.serve(r)
}

// unescaped is a path as net/http reads it.
func unescaped(path string) string {
	text, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return text
}

// missingClaims are tokens that lack what their scopes are about.
func missingClaims() []ask {
	var list []ask
	for _, as := range []string{"no-patient", "no-user"} {
		for _, path := range []string{"/Observation/alice-lab", "/Observation/bob-lab", "/Observation/none", "/Observation", "/Observation?patient=bob", "/Patient", "/Patient/alice/Observation"} {
			list = append(list, ask{as: as, path: path, status: 403, silent: true})
		}
	}
	return append(list, ask{as: "no-records", path: "/Observation", status: 403, silent: true}, ask{as: "no-records", path: "/Observation/bob-lab", status: 403},
		ask{as: "service-of-alice", path: "/Observation", status: 200, found: observations}, ask{as: "service-of-alice", path: "/Observation/bob-lab", status: 404, like: "/Observation/none"})
}

// malformed are scopes that are not understood whole.
func malformed() []ask {
	var list []ask
	for n := range 8 {
		for _, path := range []string{"/Observation/alice-lab", "/Observation", "/Patient/alice"} {
			list = append(list, ask{as: fmt.Sprint("malformed-", n), path: path, status: 403, silent: true})
		}
	}
	return list
}

// changingSide is a side whose tokens change.
type changingSide struct {
	*side
	known tokens
}

// again is another door before the same records.
func (s *side) again(t *testing.T, known tokens) changingSide {
	t.Helper()
	one := &side{name: s.name, store: s.store, url: s.url}
	if s.gateway() {
		one.door = newDoor(t, base, known, newGate(t, s.url), nil)
	} else {
		one.door = newDoor(t, base, known, s.store, s.store)
	}
	return changingSide{one, known}
}
