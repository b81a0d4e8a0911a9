package upstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/upstream"
)

// secret stands in everything that Alice's token does not reach.
const secret = "SECRET-OF-BOB"

// alices are in the view of Alice's token, bobs are not.
var (
	alices = []string{
		`{"resourceType":"Patient","id":"alice","name":[{"family":"Adams"}]}`,
		`{"resourceType":"Observation","id":"a1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/alice"},"performer":[{"reference":"Practitioner/p1"}]}`,
		`{"resourceType":"Observation","id":"a2","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/alice"}}`,
	}
	bobs = []string{
		`{"resourceType":"Patient","id":"bob","name":[{"family":"` + secret + `"}],"link":[{"other":{"reference":"Patient/alice"},"type":"seealso"}]}`,
		`{"resourceType":"Observation","id":"b1","status":"final","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/bob"},"performer":[{"reference":"Patient/alice"}]}`,
		`{"resourceType":"Observation","id":"a1","status":"final","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/bob"}}`,
		`{"resourceType":"Observation","id":"b2","status":"final","code":{"text":"` + secret + `"},"subject":{"reference":"https://other.example.org/fhir/Patient/alice"}}`,
		`{"resourceType":"Observation","id":"b3","status":"final","code":{"text":"` + secret + `"},"Subject":{"reference":"Patient/alice"}}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/alice"}}`,
		`{"resourceType":"observation","id":"b4","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/alice"}}`,
		`{"resourceType":"Observation","id":"../b5","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/alice"}}`,
		`{"resourceType":"Observation","id":"b6","code":{"text":"` + secret + `"},"contained":[{"resourceType":"Patient","id":"alice"}],"subject":{"reference":"#alice"}}`,
		`{"resourceType":"Condition","id":"b7","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/bob"}}`,
		`{"resourceType":"Group","id":"b8","name":"` + secret + `","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/alice"}}]}`,
		`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception","diagnostics":"` + secret + `"}]}`,
		`{"resourceType":"Bundle","id":"b9","type":"collection","entry":[{"resource":{"resourceType":"Basic","code":{"text":"` + secret + `"}}}]}`,
		`{"resourceType":"Parameters","parameter":[{"name":"` + secret + `"}]}`,
		`"` + secret + `"`, `["` + secret + `"]`, `null`, `7`,
	}
	// unreadable are no JSON that two readers read alike.
	unreadable = []string{
		`{"resourceType":"Observation","id":"b1","subject":{"reference":"Patient/alice"},"subject":{"reference":"Patient/bob"},"note":"` + secret + `"}`,
		`{"resourceType":"Observation","id":"b1","subject":{"reference":"Patient/alice"},"note":"` + secret + "\xff" + `"}`,
		`{"resourceType":"Observation","id":"b1","note":"` + secret + `"`,
		strings.Repeat(`{"a":`, 200) + `"` + secret + `"` + strings.Repeat(`}`, 200),
	}
)

// capable is the CapabilityStatement of every test upstream.
func capable(types ...string) string {
	if len(types) == 0 {
		types = []string{"Patient", "Observation", "Condition", "DiagnosticReport", "Provenance", "Practitioner", "Group", "CareTeam", "PractitionerRole"}
	}
	var list []string
	for _, t := range types {
		list = append(list, `{"type":"`+t+`","versioning":"versioned-update","conditionalCreate":true,"interaction":[{"code":"read"},{"code":"vread"},{"code":"search-type"},{"code":"history-instance"},{"code":"create"},{"code":"update"},{"code":"delete"}],"searchParam":[{"name":"_id"},{"name":"patient"},{"name":"subject"},{"name":"category"},{"name":"performer"},{"name":"target"},{"name":"name"},{"name":"date"},{"name":"result"},{"name":"general-practitioner"}]}`)
	}
	return `{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"mode":"server","resource":[` + strings.Join(list, ",") + `]}]}`
}

// scripted is an upstream that answers everything but /metadata as a test says.
func scripted(t testing.TB, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	return stating(t, capable(), answer)
}

// stating is scripted with a CapabilityStatement.
func stating(t testing.TB, statement string, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fhir/metadata" {
			w.Header().Set("Content-Type", "application/fhir+json")
			_, _ = io.WriteString(w, statement)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// bearers says what each token of an app stands for.
type bearers map[string]access.Facts

func (m bearers) Subject(_ http.Header, r *http.Request) (access.Subject, error) {
	f, ok := m[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !ok {
		return access.Subject{}, &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Description: "Not good"}
	}
	return access.NewSubject(f), nil
}

func (bearers) Challenges(r *http.Request, e *oauth.Error) []string {
	return everything{}.Challenges(r, e)
}

// doorBefore is the whole gateway: the FHIR door over an upstream.
func doorBefore(t testing.TB, g *gate) http.Handler {
	t.Helper()
	return doorFor(t, g, bearers{"alice": patientToken("alice"), "writer": patientToken("alice", "patient/*.cruds"), "creates": patientToken("alice", "patient/*.c"), "granular": patientToken("alice", "patient/Observation.cruds?category=x", "patient/Observation.crs?status=final"), "bob": patientToken("bob"), "trap-alice": patientToken("trap-alice"), "both": userToken("alice", "bob")})
}

// doorFor is that for some tokens.
func doorFor(t testing.TB, g *gate, who bearers) http.Handler {
	t.Helper()
	d, err := fhirapi.New(fhirapi.Deps{
		Base: base, Path: "/fhir", Subjects: who, Backend: g, Keeper: g,
		Offers:  func(ctx context.Context) (fhirapi.Offers, error) { return g.Offers(ctx) },
		PageKey: make([]byte, 32), Capability: []byte("{}"), MaxPosition: upstream.MaxPosition, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// get asks the gateway as an app.
func get(door http.Handler, token, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, base+path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	return w
}

// asks are what Alice's app sends in the hostile tests.
var asks = []string{
	"/Observation/a1", "/Observation/b1", "/Patient/alice", "/Patient/bob", "/Observation/a1/_history/1", "/Observation/a1/_history", "/Observation/b1/_history?_count=1", "/Condition/b7",
	"/Observation", "/Observation?_count=1", "/Observation?_total=accurate&_count=1", "/Observation?_summary=count", "/Observation?_count=0", "/Patient", "/Patient?name=a",
	"/Observation?_include=Observation:performer&_include=Observation:subject", "/Patient?_revinclude=Observation:performer&_revinclude=Observation:subject",
	"/Observation?_revinclude=Provenance:target", "/Observation?patient=bob", "/Patient/bob/Observation", "/Provenance?target=Observation/b1", "/Observation?_elements=id",
}

// clean fails when an answer holds what Alice may not see, or the upstream's name.
func clean(t testing.TB, w *httptest.ResponseRecorder, path string, up string) {
	t.Helper()
	all := w.Body.String()
	for name, values := range w.Result().Header {
		all += "\n" + name + ": " + strings.Join(values, ",")
	}
	for _, hidden := range []string{secret, strings.TrimPrefix(up, "http://"), ours, "Set-Cookie", "evil.example"} {
		if strings.Contains(all, hidden) {
			t.Errorf("%s: the answer holds %q: %d %s", path, hidden, w.Code, all)
		}
	}
	var b struct {
		Total *int
		Entry []struct{ Resource struct{ ID string } }
	}
	if w.Code == http.StatusOK && json.Unmarshal(w.Body.Bytes(), &b) != nil {
		t.Errorf("%s: no JSON: %s", path, w.Body)
	}
	if b.Total != nil && *b.Total > len(alices) {
		t.Errorf("%s: a total of %d", path, *b.Total)
	}
}

// Whatever an upstream answers, nothing outside of the view comes out (C.5 7): it
// ignores parameters, adds, doubles, renames and repeats entries, counts all patients,
// and says anything in the rest of the Bundle.
//
// spec: RSP-07, RSG-11, RS-20, RSG-15
// attack: GW-29, B.34, B.54, B.113, B.115, B.116
func TestAHostileUpstreamGetsNothingPast(t *testing.T) {
	var body func(r *http.Request) (string, string)
	status, location := http.StatusOK, "https://evil.example/"
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		kind, text := body(r)
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Set-Cookie", "evil.example")
		w.Header().Set("ETag", secret)
		w.Header().Set("Location", location)
		if r.Method != http.MethodGet {
			w.WriteHeader(status)
		}
		_, _ = io.WriteString(w, text)
	})
	g := newGate(t, up.URL+"/fhir")
	door := doorBefore(t, g)
	rapid.Check(t, func(rt *rapid.T) {
		pool := slices.Concat(alices, bobs)
		if rapid.IntRange(0, 5).Draw(rt, "unreadable") == 0 {
			pool = append(pool, unreadable...)
		}
		pick := rapid.SampledFrom(pool)
		body = func(*http.Request) (string, string) {
			kind := rapid.SampledFrom([]string{"application/fhir+json", "application/json", "application/fhir+json; charset=utf-8", "text/html", "application/fhir+xml"}).Draw(rt, "type")
			switch rapid.IntRange(0, 4).Draw(rt, "form") {
			case 0:
				return kind, pick.Draw(rt, "resource")
			case 1:
				return "application/fhir+json", pick.Draw(rt, "resource")
			}
			return "application/fhir+json", hostileBundle(rt, pick, up.URL)
		}
		path := rapid.SampledFrom(asks).Draw(rt, "ask")
		clean(t, get(door, "alice", path), path, up.URL)
		if rapid.IntRange(0, 2).Draw(rt, "also writes") > 0 {
			return
		}
		status = rapid.SampledFrom([]int{200, 200, 201, 202, 204, 307, 404, 409, 410, 412, 422, 500}).Draw(rt, "status")
		location = rapid.SampledFrom([]string{"", "https://evil.example/", "Observation/a1/_history/2", "Observation/b1", up.URL + "/fhir/Observation/b1/_history/1"}).Draw(rt, "location")
		method := rapid.SampledFrom([]string{"PUT", "POST", "DELETE", "PATCH"}).Draw(rt, "method")
		path = rapid.SampledFrom([]string{"/Observation/a1", "/Observation/b1", "/Observation?_id=a1", "/Observation", "/Condition/b7"}).Draw(rt, "path")
		content := rapid.SampledFrom([]string{observation("alice", `,"id":"a1"`), observation("alice", `,"id":"b1"`), observation("bob", `,"id":"a1"`), `[{"op":"test","path":"/status","value":"final"}]`}).Draw(rt, "content")
		header := []string{"X-Any", "x"}
		if method == "PATCH" {
			header = []string{"Content-Type", "application/json-patch+json"}
		}
		if rapid.Bool().Draw(rt, "once") {
			header = append(header, "If-None-Exist", "_id=a1")
		}
		clean(t, send(door, "writer", method, path, content, header...), method+" "+path, up.URL)
	})
}

// What does not leave is counted by why, and the operator is told.
//
// attack: GW-29, B.34, B.115
func TestAlarms(t *testing.T) {
	g := newGate(t, pages(t, []string{alices[1], alices[1], bobs[1], bobs[5], bobs[9], bobs[15]}))
	page, err := find(t, g, patientToken("alice"), "Observation", "")
	if err != nil || len(page.Matches) != 1 || page.HasTotal && page.Total != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	for why, want := range map[string]int{"hidden": 1, "doubled": 1, "malformed": 3} {
		if got := g.seen.droppedAs(why); got != want {
			t.Errorf("%s: %d, want %d", why, got, want)
		}
	}
	if text := g.log.String(); strings.Count(text, "was dropped") != 5 || strings.Contains(text, secret) {
		t.Error(text)
	}
}

func hostileBundle(rt *rapid.T, pick *rapid.Generator[string], up string) string {
	var entries []string
	for range rapid.IntRange(0, 6).Draw(rt, "entries") {
		mode := rapid.SampledFrom([]string{"match", "include", "outcome", secret}).Draw(rt, "mode")
		entries = append(entries, rapid.SampledFrom([]string{
			`{"fullUrl":"` + up + `/` + secret + `","resource":%s,"search":{"mode":"` + mode + `","score":0.7}}`,
			`{"search":{"mode":"` + mode + `"},"resource":%s,"request":{"method":"GET","url":"` + secret + `"}}`,
			`{"resource":%s,"request":{"method":"DELETE","url":"` + secret + `"},"response":{"status":"` + secret + `","etag":"W/\"2\"","location":"` + up + `"}}`,
			`{"resource" : ` + "\n" + ` %s}`,
		}).Draw(rt, "entry"))
		entries[len(entries)-1] = fmt.Sprintf(entries[len(entries)-1], pick.Draw(rt, "resource"))
	}
	next := rapid.SampledFrom([]string{"", up + "/fhir/Observation?page=2", up + "/fhir?page=2", "https://evil.example/fhir/Observation?page=2", up + "/fhirx?page=2", up + "/fhir/../admin", "//evil.example/", "?page=2", up + "/fhir"}).Draw(rt, "next")
	total := rapid.SampledFrom([]string{"", `"total":4711,`, `"total":-1,`, `"total":"` + secret + `",`}).Draw(rt, "total")
	kind := rapid.SampledFrom([]string{"searchset", "searchset", "history"}).Draw(rt, "kind")
	return `{"resourceType":"Bundle","id":"` + secret + `","type":"` + kind + `",` + total + `"link":[{"relation":"next","url":"` + next + `"},{"relation":"self","url":"` + up + `"}],"entry":[` +
		strings.Join(entries, ",") + `],"issues":{"resourceType":"OperationOutcome","id":"` + secret + `"}}`
}

// No link, redirect or attachment of the upstream leads anywhere else, and redirects
// are not followed on its own host either.
//
// spec: RS-21
// attack: B.16, B.49, B.105
func TestTheGatewayGoesNowhereElse(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("somebody else was asked for %s", r.URL)
	}))
	defer elsewhere.Close()
	moved := ""
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case moved != "" && r.URL.Path != "/fhir/Observation/moved":
			http.Redirect(w, r, moved, http.StatusFound)
		default:
			w.Header().Set("Content-Type", "application/fhir+json")
			_, _ = fmt.Fprintf(w, `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"%s/fhir/Observation?page=2"}],"entry":[{"resource":%s}]}`, elsewhere.URL, alices[1])
		}
	})
	door := doorBefore(t, newGate(t, up.URL+"/fhir"))
	if got := get(door, "alice", "/Observation?_count=1"); got.Code != http.StatusBadGateway {
		t.Errorf("a next link to another host: %d %s", got.Code, got.Body)
	}
	for _, moved = range []string{elsewhere.URL + "/fhir/Observation/a1", up.URL + "/fhir/Observation/moved"} {
		for _, path := range []string{"/Observation/a1", "/Observation"} {
			if got := get(door, "alice", path); got.Code != http.StatusBadGateway {
				t.Errorf("%s redirected to %s: %d %s", path, moved, got.Code, got.Body)
			}
		}
	}
}

// What the upstream says about an error stays in the log; hidden and missing are the
// same answer, and failures are transient ones (ERR-46, rows 106 and 107).
//
// spec: ERR-46, ERR-48
// attack: B.106, B.107
func TestErrorsOfTheUpstreamAreOurOwn(t *testing.T) {
	status := 0
	up := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		w.Header().Set("X-Request-Url", "http://evil.example")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, bobs[11])
	})
	g := newGate(t, up.URL+"/fhir")
	door := doorBefore(t, g)
	for _, c := range []struct{ upstream, read, search int }{
		{404, 404, 502}, {410, 404, 502}, {400, 400, 400}, {422, 400, 400}, {401, 502, 502}, {403, 502, 502}, {409, 502, 502}, {412, 502, 502},
		{429, 503, 503}, {500, 502, 502}, {501, 502, 502}, {202, 502, 502}, {206, 502, 502}, {304, 502, 502},
	} {
		status = c.upstream
		for path, want := range map[string]int{"/Observation/a1": c.read, "/Observation": c.search} {
			got := get(door, "alice", path)
			if got.Code != want || !strings.Contains(got.Body.String(), "OperationOutcome") {
				t.Errorf("%s when the upstream says %d: %d %s, want %d", path, status, got.Code, got.Body, want)
			}
			clean(t, got, path, up.URL)
		}
	}
	if !strings.Contains(g.log.String(), secret) {
		t.Error("the log does not hold what the upstream said")
	}
}
