package upstream_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/upstream"
)

// send asks the gateway as an app, with a body.
func send(door http.Handler, token, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, base+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/fhir+json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	return w
}

// observation is one of a patient, with more members.
func observation(patient, more string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + patient + `"}` + more + `}`
}

// both is a ward of two.
var both = []string{
	`{"resourceType":"Patient","id":"alice","name":[{"family":"Adams"}]}`, `{"resourceType":"Patient","id":"bob","name":[{"family":"` + secret + `"}]}`,
	observation("alice", `,"id":"a1","meta":{"security":[{"system":"urn:s","code":"R"}]},"identifier":[{"system":"urn:i","value":"one"}]`),
	observation("bob", `,"id":"b1","identifier":[{"system":"urn:i","value":"bob"}]`),
	`{"resourceType":"Encounter","id":"ea","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Encounter","id":"eb","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/bob"}}`,
}

// stored is what the upstream holds.
func (h *honest) stored(t *testing.T, text string) fhir.Resource {
	t.Helper()
	ref, _ := fhir.ParseReference(text, "")
	r, err := h.store.Read(context.Background(), access.System("test", h.base), ref)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r.Resource
}

// A record is written through the gateway as in our own store: what is made is named by
// our base, what is sent names the version that was judged, labels stay, and what comes
// of it is there.
//
// spec: RS-16, RSX-22
// attack: B.62, B.63, B.65, B.69, B.72
func TestWritingThroughTheGateway(t *testing.T) {
	h := newHonest(t, of(both...))
	door := doorBefore(t, newGate(t, h.base))
	step := func(name string, got *httptest.ResponseRecorder, status int, tag string) {
		t.Helper()
		if got.Code != status || tag != "" && got.Header().Get("ETag") != tag || strings.Contains(got.Body.String(), h.URL) {
			t.Errorf("%s: %d %v %s", name, got.Code, got.Header(), got.Body)
		}
	}
	made := send(door, "writer", "POST", "/Observation", observation("alice", `,"id":"chosen","valueQuantity":{"value":5.40}`))
	step("create", made, 201, `W/"1"`)
	location := made.Header().Get("Location")
	if !strings.HasPrefix(location, base+"/Observation/") || strings.Contains(location, "chosen") || !strings.HasSuffix(location, "/_history/1") || made.Header().Get("Content-Location") != location || !strings.Contains(made.Body.String(), `"value":5.40`) {
		t.Errorf("%v %s", made.Header(), made.Body)
	}
	path := strings.TrimSuffix(strings.TrimPrefix(location, base), "/_history/1")
	with := func(more string) string {
		return observation("alice", `,"id":"`+strings.TrimPrefix(path, "/Observation/")+`"`+more)
	}
	h.asked()
	step("update", send(door, "writer", "PUT", path, with(`,"note":[{"text":"2"}]`)), 200, `W/"2"`)
	calls, _ := h.asked()
	if len(calls) != 2 || calls[1].Header.Get("If-Match") != `W/"1"` {
		t.Errorf("%d calls, If-Match %q", len(calls), calls[len(calls)-1].Header.Get("If-Match"))
	}
	step("update of an old version", send(door, "writer", "PUT", path, with(""), "If-Match", `W/"1"`), 412, "")
	step("update of this version", send(door, "writer", "PUT", path, with(`,"note":[{"text":"3"}]`), "If-Match", `W/"2"`), 200, `W/"3"`)
	step("patch", send(door, "writer", "PATCH", path, `[{"op":"replace","path":"/note/0/text","value":"4"}]`, "Content-Type", "application/json-patch+json"), 200, `W/"4"`)
	step("patch by a path", send(door, "writer", "PATCH", path, `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},
		{"name":"path","valueString":"Observation.note.where(text = '4').text"},{"name":"value","valueMarkdown":"5"}]}]}`, "Content-Type", "application/fhir+json"), 200, `W/"5"`)
	step("patch that does not apply", send(door, "writer", "PATCH", path, `[{"op":"test","path":"/note/0/text","value":"3"}]`, "Content-Type", "application/json-patch+json"), 422, "")
	step("history", get(door, "writer", path+"/_history?_count=3"), 200, "")
	step("minimal", send(door, "writer", "PUT", path, with(""), "Prefer", "return=minimal"), 200, `W/"6"`)
	step("who does not read", send(door, "creates", "POST", "/Observation", observation("alice", "")), 201, `W/"1"`)
	step("another's token", send(door, "bob", "PUT", path, with("")), 403, "")
	step("delete of an old version", send(door, "writer", "DELETE", path, "", "If-Match", `W/"4"`), 412, "")
	step("delete", send(door, "writer", "DELETE", path, ""), 204, "")
	step("what was deleted", get(door, "writer", path), 404, "")
	step("and its history", get(door, "writer", path+"/_history"), 404, "")
	step("deleting once more", send(door, "writer", "DELETE", path, ""), 404, "")
	step("update of what was deleted", send(door, "writer", "PUT", path, with("")), 404, "")
	step("labels", send(door, "writer", "PUT", "/Observation/a1", observation("alice", `,"id":"a1","note":[{"text":"x"}]`)), 200, `W/"2"`)
	if text := string(h.stored(t, "Observation/a1").JSON()); !strings.Contains(text, `"code":"R"`) || !strings.Contains(text, `"note"`) {
		t.Errorf("a label is lost: %s", text)
	}
	if got := send(door, "creates", "POST", "/Observation", observation("alice", "")); got.Body.Len() > 0 {
		t.Errorf("a writer who does not read is shown: %s", got.Body)
	}
}

// What is refused, and that nothing of it reaches the upstream as a change.
//
// attack: B.60, B.61, B.62, B.64, B.66, B.67, B.77
func TestWhatIsNotWritten(t *testing.T) {
	h := newHonest(t, of(both...))
	door := doorBefore(t, newGate(t, h.base))
	encounter := func(text string) string { return observation("alice", `,"encounter":{"reference":"`+text+`"}`) }
	for _, row := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"for another", "POST", "/Observation", observation("bob", ""), nil, 403},
		{"for another, by the address of the upstream", "POST", "/Observation", strings.Replace(observation("alice", ""), "Patient/alice", h.base+"/Patient/bob", 1), nil, 403},
		{"for a patient elsewhere", "POST", "/Observation", strings.Replace(observation("alice", ""), "Patient/alice", "https://other.example.org/fhir/Patient/alice", 1), nil, 403},
		{"of another", "PUT", "/Observation/b1", observation("alice", `,"id":"b1"`), nil, 404},
		{"of none", "PUT", "/Observation/none", observation("alice", `,"id":"none"`), nil, 404},
		{"of another, and an old version", "PUT", "/Observation/b1", observation("alice", `,"id":"b1"`), []string{"If-Match", `W/"7"`}, 404},
		{"given away", "PUT", "/Observation/a1", observation("bob", `,"id":"a1"`), nil, 403},
		{"a hidden reference", "POST", "/Observation", encounter("Encounter/eb"), nil, 422},
		{"a missing one", "POST", "/Observation", encounter("Encounter/none"), nil, 422},
		{"a hidden one by our address", "POST", "/Observation", encounter(base + "/Encounter/eb"), nil, 422},
		{"a hidden one by the address of the upstream", "POST", "/Observation", encounter(h.base + "/Encounter/eb"), nil, 422},
		{"in capitals", "POST", "/Observation", encounter(strings.Replace(h.base, "http", "HTTP", 1) + "/Encounter/eb"), nil, 400},
		{"without a scheme", "POST", "/Observation", encounter(strings.TrimPrefix(h.base, "http:") + "/Encounter/eb"), nil, 400},
		{"by criteria there", "POST", "/Observation", encounter(h.base + "/Encounter?patient=bob"), nil, 400},
		{"by a longer path", "POST", "/Observation", encounter("Encounter/x/../eb"), nil, 400},
		{"deleting another's", "DELETE", "/Observation/b1", "", nil, 404},
		{"deleting none", "DELETE", "/Observation/none", "", nil, 404},
		{"a CareTeam", "POST", "/CareTeam", `{"resourceType":"CareTeam","subject":{"reference":"Patient/alice"}}`, nil, 403},
		{"a general practitioner", "PATCH", "/Patient/alice", `[{"op":"add","path":"/generalPractitioner","value":[{"reference":"Practitioner/p"}]}]`, []string{"Content-Type", "application/json-patch+json"}, 403},
		{"another's by criteria", "DELETE", "/Observation?identifier=urn:i|bob", "", nil, 404},
		{"none by criteria", "DELETE", "/Observation?identifier=urn:i|none", "", nil, 404},
		{"criteria with a chain", "DELETE", "/Observation?subject:Patient.name=Adams", "", nil, 400},
		{"a version of another server", "PUT", "/Observation/a1", observation("alice", `,"id":"a1"`), []string{"If-Match", `W/"x9"`}, 412},
	} {
		h.asked()
		got := send(door, "writer", row.method, row.path, row.body, row.header...)
		if got.Code != row.status || !strings.Contains(got.Body.String(), "OperationOutcome") {
			t.Errorf("%s: %d %s, want %d", row.name, got.Code, got.Body, row.status)
		}
		clean(t, got, row.name, h.URL)
		calls, _ := h.asked()
		for _, r := range calls {
			if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "_search") {
				t.Errorf("%s: the upstream was sent %s %s", row.name, r.Method, r.URL)
			}
		}
	}
	for _, where := range []string{"?identifier=urn:i|bob", "?identifier=urn:i|non"} { // existence changes nothing
		if got := send(door, "writer", "POST", "/Observation", observation("alice", ""), "If-None-Exist", where[1:]); got.Code != 201 {
			t.Errorf("%s: %d %s", where, got.Code, got.Body)
		}
	}
	if got := send(door, "writer", "POST", "/Observation", observation("alice", ""), "If-None-Exist", "identifier=urn:i|one"); got.Code != 200 || got.Header().Get("Location") != base+"/Observation/a1/_history/1" {
		t.Errorf("what was there: %d %v %s", got.Code, got.Header(), got.Body)
	}
	if got := send(door, "writer", "PUT", "/Observation?identifier=urn:i|one", observation("alice", `,"identifier":[{"system":"urn:i","value":"one"}]`)); got.Code != 200 || got.Header().Get("ETag") != `W/"2"` {
		t.Errorf("by criteria: %d %v %s", got.Code, got.Header(), got.Body)
	}
	if got := h.stored(t, "Observation/b1"); got.VersionID() != "1" {
		t.Errorf("another's was changed: %s", got.JSON())
	}
}

// Between judging and writing somebody gives the record to another patient: the upstream
// sees that the version is an old one, and what is there now is judged anew.
//
// attack: B.63, GW-29
func TestARecordThatIsMovedMeanwhile(t *testing.T) {
	h := newHonest(t, of(both...))
	door := doorBefore(t, newGate(t, h.base))
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		fill(t, h.store, of(observation("alice", `,"id":"a2"`)))
		var once sync.Once
		h.before = func(r *http.Request) {
			if r.Method == method {
				once.Do(func() { fill(t, h.store, of(observation("bob", `,"id":"a2"`))) })
			}
		}
		if got := send(door, "writer", method, "/Observation/a2", observation("alice", `,"id":"a2","note":[{"text":"mine"}]`)); got.Code != 404 {
			t.Errorf("%s: %d %s", method, got.Code, got.Body)
		}
		h.before = nil
		if got := h.stored(t, "Observation/a2"); !strings.Contains(string(got.JSON()), "Patient/bob") || strings.Contains(string(got.JSON()), "mine") {
			t.Errorf("%s: %s", method, got.JSON())
		}
	}
}

// An upstream that does not compare versions is not written to, and one that does not
// create once is sent no creation with criteria: a sentence says what to do.
//
// spec: DISC-30
// attack: B.63, B.67
func TestAnUpstreamThatIsNotWrittenTo(t *testing.T) {
	for _, row := range []struct {
		name, from, to string
		status         map[string]int
		says           string
	}{
		{"no versions", `"versioning":"versioned-update"`, `"versioning":"versioned"`, map[string]int{"PUT": 501, "PATCH": 501, "DELETE": 501, "POST": 501, "once": 501}, "versioned-update"},
		{"no creation once", `"conditionalCreate":true`, `"conditionalCreate":false`, map[string]int{"once": 501}, "Search by the criteria"},
		{"no deletion", `,{"code":"delete"}`, ``, map[string]int{"DELETE": 501}, "delete interaction"},
		{"a view that no query says", "", "", map[string]int{"granular": 501}, "Search by the criteria"},
	} {
		up := stating(t, replaced(capable(), row.from, row.to), func(w http.ResponseWriter, r *http.Request) {
			t.Errorf("%s: the upstream was asked: %s %s", row.name, r.Method, r.URL)
		})
		g := newGate(t, up.URL+"/fhir")
		door := doorBefore(t, g)
		for method, status := range row.status {
			path, header, token := "/Observation/a1", []string{}, "writer"
			switch method {
			case "POST":
				path = "/Observation"
			case "PATCH":
				header = []string{"Content-Type", "application/json-patch+json"}
			case "granular":
				method, path, header, token = "POST", "/Observation", []string{"If-None-Exist", "category=x"}, "granular"
			case "once":
				method, path, header = "POST", "/Observation", []string{"If-None-Exist", "category=x"}
			}
			body := observation("alice", `,"id":"a1"`)
			if method == "PATCH" {
				body = `[{"op":"test","path":"/status","value":"final"}]`
			}
			if got := send(door, token, method, path, body, header...); got.Code != status || !strings.Contains(got.Body.String(), row.says) {
				t.Errorf("%s: %s: %d %s", row.name, method, got.Code, got.Body)
			}
		}
	}
}

func replaced(text, from, to string) string {
	if from == "" {
		return text
	}
	return strings.ReplaceAll(text, from, to)
}

// sideways is an upstream that misbehaves on changes; everything that it reads is as a
// test says.
func sideways(t *testing.T, change http.HandlerFunc, reads func(path string) string) *httptest.Server {
	t.Helper()
	return scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "evil.example")
		if r.Method != http.MethodGet {
			change(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		text := reads(strings.TrimPrefix(r.URL.Path, "/fhir"))
		if text == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, text)
	})
}

// Whatever an upstream answers to a change, nothing of others comes out, no header of
// its own, and nobody is told that a change was made which is not known to be.
//
// spec: RSP-07, ERR-46
// attack: GW-29, B.9, B.68, B.69, B.105, B.106, B.107
func TestAHostileUpstreamAnswersAChange(t *testing.T) {
	mine := observation("alice", `,"id":"a1","meta":{"versionId":"1"}`)
	next := strings.Replace(mine, `"versionId":"1"`, `"versionId":"2"`, 1)
	bobs := strings.Replace(observation("bob", `,"id":"a1","meta":{"versionId":"2"}`), `"x"`, `"`+secret+`"`, 1)
	says := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("somebody else was sent %s %s", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	endless := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		for range 1 << 12 {
			if _, err := io.WriteString(w, strings.Repeat(secret, 64)); err != nil {
				return
			}
		}
	}
	broken := func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	for _, row := range []struct {
		name   string
		change http.HandlerFunc
		read   string // afterwards
		status map[string]int
	}{
		{"what was written", says(200, next), "", map[string]int{"PUT": 200, "POST": 201, "DELETE": 204}},
		{"no body, and it is there", says(200, ""), next, map[string]int{"PUT": 200, "DELETE": 204}},
		{"204, and it is there", says(204, ""), next, map[string]int{"PUT": 200, "DELETE": 204}},
		{"no body, and a name", says(201, "", "Location", "a1"), next, map[string]int{"POST": 502}},
		{"no body, and its place", says(201, "", "Location", "Observation/a1/_history/2"), next, map[string]int{"POST": 201}},
		{"no body, and the place of another's", says(201, "", "Location", "Observation/a1"), bobs, map[string]int{"POST": 502}},
		{"no body, and a place elsewhere", says(201, "", "Location", elsewhere.URL+"/fhir/Observation/a1"), next, map[string]int{"POST": 502}},
		{"no body, and it is another's now", says(200, ""), bobs, map[string]int{"PUT": 502}},
		{"another's content", says(200, bobs), bobs, map[string]int{"PUT": 502, "POST": 502}},
		{"another's content, and ours is there", says(200, bobs), next, map[string]int{"PUT": 200}},
		{"another id", says(200, strings.Replace(next, `"a1"`, `"a7"`, 1)), "", map[string]int{"PUT": 502}},
		{"another type", says(200, `{"resourceType":"Condition","id":"a1","code":{"text":"`+secret+`"},"subject":{"reference":"Patient/alice"}}`), "", map[string]int{"PUT": 502, "POST": 502}},
		{"an outcome", says(200, alwaysSecret), next, map[string]int{"PUT": 200, "POST": 502}},
		{"names twice", says(200, strings.Replace(next, `"subject"`, `"subject":{"reference":"Patient/bob"},"subject"`, 1)), "", map[string]int{"PUT": 502}},
		{"no id", says(201, strings.Replace(next, `"id":"a1",`, "", 1)), "", map[string]int{"POST": 502}},
		{"XML", says(200, "<"+secret+"/>", "Content-Type", "application/fhir+xml"), next, map[string]int{"PUT": 200}},
		{"without end", endless, next, map[string]int{"PUT": 200, "POST": 502}},
		{"a redirect", says(307, "", "Location", elsewhere.URL+"/fhir/Observation/a1"), "", map[string]int{"PUT": 502, "POST": 502, "DELETE": 502}},
		{"accepted", says(202, secret), "", map[string]int{"PUT": 502, "POST": 502, "DELETE": 502}},
		{"broken off", broken, "", map[string]int{"PUT": 502, "POST": 502, "DELETE": 502}},
		{"a failure with names", says(500, secret), "", map[string]int{"PUT": 502, "POST": 502, "DELETE": 502}},
		{"not now", says(503, secret), "", map[string]int{"PUT": 503, "POST": 503, "DELETE": 503}},
		{"a conflict with names", says(409, secret), mine, map[string]int{"PUT": 409, "POST": 422, "DELETE": 409}},
		{"a version that is not current", says(412, secret), mine, map[string]int{"PUT": 409, "POST": 422, "DELETE": 409}},
		{"it will not take it", says(422, secret), "", map[string]int{"PUT": 422, "POST": 422, "DELETE": 422}},
		{"we may not", says(403, secret), "", map[string]int{"PUT": 502, "POST": 502, "DELETE": 502}},
		{"not there", says(404, secret), "", map[string]int{"PUT": 404, "POST": 502, "DELETE": 404}},
		{"gone", says(410, secret), "", map[string]int{"PUT": 404, "POST": 502, "DELETE": 404}},
	} {
		for method, status := range row.status {
			changed := false
			up := sideways(t, func(w http.ResponseWriter, r *http.Request) {
				if changed = true; r.Method != http.MethodPost && r.Header.Get("If-Match") != `W/"1"` {
					t.Errorf("%s: If-Match %q", row.name, r.Header.Get("If-Match"))
				}
				row.change(w, r)
			}, func(path string) string {
				switch {
				case path != "/Observation/a1":
					return ""
				case changed:
					return row.read
				}
				return mine
			})
			g := newGate(t, up.URL+"/fhir", func(c *upstream.Config) { c.MaxAnswer = 64 << 10 })
			path, body := "/Observation/a1", observation("alice", `,"id":"a1"`)
			if method == http.MethodPost {
				path = "/Observation"
			}
			got := send(doorBefore(t, g), "writer", method, path, body)
			if got.Code != status {
				t.Errorf("%s: %s: %d %s, want %d", row.name, method, got.Code, got.Body, status)
			}
			clean(t, got, row.name+" "+method, up.URL)
			if doubt := strings.Contains(got.Body.String(), "may have been made"); doubt != (status == 502 && row.name != "we may not" && !(method == "POST" && (row.name == "gone" || row.name == "not there"))) {
				t.Errorf("%s: %s: whether it was made: %s", row.name, method, got.Body)
			}
		}
	}
}

// alwaysSecret is an outcome that names others.
const alwaysSecret = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception","diagnostics":"` + secret + `"}]}`

// An upstream finds something when it should create, by criteria that were narrowed: what
// it names is shown when it is in the view, and fulfils them.
//
// attack: B.67, GW-29
func TestAHostileUpstreamFindsInPlaceOfCreating(t *testing.T) {
	found := observation("alice", `,"id":"a1","meta":{"versionId":"1"},"identifier":[{"system":"urn:i","value":"one"}]`)
	for _, row := range []struct {
		name, read, location string
		answered, status     int
	}{
		{"somebody was faster", found, "Observation/a1", 200, 200},
		{"another's", strings.Replace(found, "Patient/alice", "Patient/bob", 1), "Observation/a1", 200, 502},
		{"what does not fulfil them", strings.Replace(found, `"one"`, `"two"`, 1), "Observation/a1", 200, 502},
		{"nothing", "", "Observation/a1", 200, 502}, {"no name", found, "", 200, 502}, {"many", found, "", 412, 412},
	} {
		var sent string
		up := stating(t, strings.ReplaceAll(capable(), `{"name":"_id"}`, `{"name":"_id"},{"name":"identifier"}`), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			switch {
			case r.Method == http.MethodPost:
				sent = r.Header.Get("If-None-Exist")
				w.Header().Set("Location", row.location)
				w.WriteHeader(row.answered)
			case r.URL.Path == "/fhir/Observation":
				_, _ = io.WriteString(w, `{"resourceType":"Bundle","type":"searchset"}`)
			case row.read == "":
				w.WriteHeader(http.StatusNotFound)
			default:
				_, _ = io.WriteString(w, row.read)
			}
		})
		got := send(doorBefore(t, newGate(t, up.URL+"/fhir")), "writer", "POST", "/Observation", observation("alice", ""), "If-None-Exist", "identifier=urn:i|one")
		if got.Code != row.status || sent != "identifier=urn%3Ai%7Cone&patient=Patient%2Falice" {
			t.Errorf("%s: %d %s, sent %q", row.name, got.Code, got.Body, sent)
		}
		clean(t, got, row.name, up.URL)
	}
}

// Who deletes the target of a Provenance gives it to nobody: it was about him as well.
//
// attack: B.44
func TestADeletedTargetHides(t *testing.T) {
	provenance := `{"resourceType":"Provenance","id":"p","target":[{"reference":"Observation/a1"},{"reference":"Observation/b1"}],"recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]}`
	up := func(status int) *httptest.Server {
		return scripted(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			switch {
			case r.URL.Path == "/fhir/Provenance/p":
				_, _ = io.WriteString(w, provenance)
			case r.URL.Path == "/fhir/Observation":
				_, _ = io.WriteString(w, `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":`+observation("bob", `,"id":"b1"`)+`}]}`)
			default:
				w.WriteHeader(status)
			}
		})
	}
	for status, want := range map[int]int{http.StatusGone: 404, http.StatusNotFound: 200} {
		if got := get(doorBefore(t, newGate(t, up(status).URL+"/fhir")), "bob", "/Provenance/p"); got.Code != want {
			t.Errorf("a target that is answered with %d: %d %s", status, got.Code, got.Body)
		}
	}
}

// The CapabilityStatement of the honest upstream is one that can be written to.
//
// spec: DISC-30
func TestWhatIsOffered(t *testing.T) {
	h := newHonest(t, of(both...))
	g := newGate(t, h.base)
	o, err := g.Offers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[fhir.InteractionCode]bool{
		fhir.Read: true, fhir.VRead: true, fhir.HistoryInstance: true, fhir.Create: true, fhir.Update: true, fhir.Patch: true, fhir.Delete: true,
		fhir.SearchType: true, fhir.HistoryType: false, fhir.SearchSystem: false, fhir.Operation: false,
	} {
		if got := o.Does("Observation", code); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	if o.Does("Practitioner", fhir.Update) || !o.CreatesOnce("Observation") || o.CreatesOnce("Practitioner") || g.KnownOffers() != o {
		t.Error("a type that nobody changes is changed, or a creation is not made once")
	}
	var b struct{ Issue []struct{ Code string } }
	got := send(doorBefore(t, g), "writer", "POST", "", `{"resourceType":"Bundle","type":"transaction","entry":[]}`)
	if err := json.Unmarshal(got.Body.Bytes(), &b); err != nil || got.Code != 501 || b.Issue[0].Code != "not-supported" {
		t.Errorf("a transaction: %d %s", got.Code, got.Body)
	}
}
