package upstream_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/upstream"
)

// kept are what an answer is compared by: status, type and content without what a server
// makes (ids, versions, times, narratives of outcomes).
func kept(t *testing.T, status int, body []byte) string {
	t.Helper()
	if len(body) == 0 || status >= 400 {
		return fmt.Sprint(status)
	}
	var content map[string]any
	if err := json.Unmarshal(body, &content); err != nil {
		t.Fatalf("%d %v: %s", status, err, body)
	}
	return fmt.Sprint(status, " ", bare(content))
}

var made = regexp.MustCompile(`(/[A-Za-z0-9.-]+)?/_history/[^/]+$|/[A-Za-z0-9.-]+$`)

// bare is content without what a server makes.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range []string{"id", "meta", "lastModified", "etag", "fullUrl", "link", "text", "timestamp", "issue", "outcome", "search"} {
			if name != "id" || v["resourceType"] != "Patient" {
				delete(v, name)
			}
		}
		for name, part := range v {
			if text, ok := part.(string); ok && (name == "location" || name == "url") {
				part = made.ReplaceAllString(text, "")
			}
			v[name] = bare(part)
		}
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
	}
	return v
}

// What an app writes through the gateway in front of HAPI FHIR is answered as our own
// store answers it, step by step.
//
// spec: RSX-02, RSX-05, RSX-23, RSX-26
// attack: B.60, B.62, B.63, B.66
func TestWritesBehindHapi(t *testing.T) {
	h := newHapi(t)
	writer := patientToken("trap-alice", "patient/*.cruds")
	through := doorFor(t, h.gate, bearers{"writer": writer})
	own := writer
	own.Base = h.base
	direct, err := fhirapi.New(fhirapi.Deps{
		Base: base, Path: "/fhir", Subjects: bearers{"writer": own}, Backend: h.store, Keeper: h.store,
		PageKey: make([]byte, 32), Capability: []byte("{}"), MaxPosition: upstream.MaxPosition, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids, versions [2]string
	for _, step := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"create", http.MethodPost, "/Observation", observation("trap-alice", ""), nil, 201},
		{"read", http.MethodGet, "/Observation/ID", "", nil, 200},
		{"update under its version", http.MethodPut, "/Observation/ID", observation("trap-alice", `,"id":"ID","note":[{"text":"two"}]`), []string{"If-Match", "VERSION"}, 200},
		{"update under the version before", http.MethodPut, "/Observation/ID", observation("trap-alice", `,"id":"ID"`), []string{"If-Match", `W/"1"`}, 412},
		{"patch", http.MethodPatch, "/Observation/ID", `[{"op":"replace","path":"/status","value":"amended"}]`, []string{"Content-Type", "application/json-patch+json"}, 200},
		{"patch by a path", http.MethodPatch, "/Observation/ID", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},` +
			`{"name":"path","valueString":"Observation.note.where(text = 'two').text"},{"name":"value","valueMarkdown":"three"}]}]}`, []string{"Content-Type", "application/fhir+json"}, 200},
		{"vread", http.MethodGet, "/Observation/ID/_history/1", "", nil, 200},
		{"history", http.MethodGet, "/Observation/ID/_history", "", nil, 200},
		{"for another", http.MethodPost, "/Observation", observation("trap-bob", ""), nil, 403},
		{"to another", http.MethodPut, "/Observation/ID", observation("trap-bob", `,"id":"ID"`), nil, 403},
		{"once", http.MethodPost, "/Observation", observation("trap-alice", `,"identifier":[{"system":"urn:once","value":"1"}]`), []string{"If-None-Exist", "identifier=urn:once|1"}, 201},
		{"once again", http.MethodPost, "/Observation", observation("trap-alice", `,"identifier":[{"system":"urn:once","value":"1"}]`), []string{"If-None-Exist", "identifier=urn:once|1"}, 200},
		{"batch", http.MethodPost, "/", `{"resourceType":"Bundle","type":"batch","entry":[{"resource":` + observation("trap-alice", "") + `,"request":{"method":"POST","url":"Observation"}},` +
			`{"request":{"method":"GET","url":"Patient/trap-alice"}},{"request":{"method":"GET","url":"Patient/trap-bob"}}]}`, nil, 200},
		{"everything", http.MethodGet, "/Patient/trap-bob/$everything", "", nil, 404},
		{"delete", http.MethodDelete, "/Observation/ID", "", nil, 204},
		{"after that", http.MethodDelete, "/Observation/none-such", "", nil, 404},
	} {
		var answers [2]string
		for i, door := range []http.Handler{through, direct} {
			fill := strings.NewReplacer("ID", ids[i], "VERSION", versions[i]).Replace
			header := append([]string{"Prefer", "return=representation"}, step.header...)
			for n := range header {
				header[n] = fill(header[n])
			}
			w := send(door, "writer", step.method, fill(step.path), fill(step.body), header...)
			if step.name == "create" {
				r, err := fhir.ParseResource(w.Body.Bytes())
				if err != nil {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
				ids[i] = r.ID()
			}
			if tag := w.Header().Get("ETag"); tag != "" {
				versions[i] = tag
			}
			answers[i] = strings.ReplaceAll(kept(t, w.Code, w.Body.Bytes()), ids[i], "ID")
			if w.Code != step.status {
				t.Errorf("%s (%d): %d, want %d: %.600s", step.name, i, w.Code, step.status, w.Body)
			}
		}
		if diff := cmp.Diff(answers[1], answers[0]); diff != "" {
			t.Errorf("%s: -our store +gateway\n%s", step.name, diff)
		}
	}
}
