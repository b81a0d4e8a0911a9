package upstream_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// versions are the entries of a history: "2", or "-3" of a deletion.
func versions(t *testing.T, w *httptest.ResponseRecorder) (list []string, next string) {
	t.Helper()
	var b struct {
		Type  string
		Link  []struct{ Relation, URL string }
		Entry []struct {
			Resource *struct{ Meta struct{ VersionID string } }
			Request  struct{ Method, URL string }
			Response struct{ Status, ETag, LastModified string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil || w.Code != 200 || b.Type != "history" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, e := range b.Entry {
		name := strings.Trim(e.Response.ETag, `W/"`)
		switch {
		case e.Resource == nil && e.Request.Method == http.MethodDelete:
			name = "-" + name
		case e.Resource == nil || e.Resource.Meta.VersionID != name:
			t.Errorf("an entry that is neither: %+v", e)
		}
		list = append(list, name)
	}
	for _, l := range b.Link {
		if l.Relation == "next" {
			next = strings.TrimPrefix(l.URL, base)
		}
	}
	return list, next
}

// Every version is judged by its own content and the current one, what was deleted by the
// version before, and pages are complete without doubles.
//
// spec: RSG-10
// attack: B.4, B.5
func TestHistoryThroughTheGateway(t *testing.T) {
	h := newHonest(t, of(both...))
	load := func(patient, note string) {
		fill(t, h.store, of(observation(patient, `,"id":"m","note":[{"text":"`+note+`"}]`)))
	}
	load("bob", secret)
	for n := range 3 {
		load("alice", fmt.Sprint("v", n+2))
	}
	g := newGate(t, h.base)
	door := doorBefore(t, g)
	if got := send(door, "writer", "DELETE", "/Observation/m", ""); got.Code != 204 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	load("alice", "again")
	all := []string{"6", "-5", "4", "3", "2"}
	got := get(door, "alice", "/Observation/m/_history")
	if list, next := versions(t, got); !slices.Equal(list, all) || next != "" {
		t.Errorf("%v %q", list, next)
	}
	clean(t, got, "history", h.URL)
	for count := 1; count <= 5; count++ {
		path := fmt.Sprintf("/Observation/m/_history?_count=%d", count)
		var list []string
		for n := 0; path != "" && n < 10; n++ {
			page := get(door, "alice", path)
			some, next := versions(t, page)
			if len(some) > count || next != "" && len(some) < count || len(some) == 0 {
				t.Errorf("a page of %d in %d: %v", len(some), count, some)
			}
			if next != "" && get(door, "bob", next).Code != 404 {
				t.Error("another grant goes on")
			}
			list, path = append(list, some...), next
		}
		if !slices.Equal(list, all) {
			t.Errorf("in pages of %d: %v", count, list)
		}
	}
	for path, want := range map[string]int{
		"/Observation/m/_history/1": 404, "/Observation/m/_history/3": 200, "/Observation/m/_history/none": 404, "/Observation/b1/_history": 404, "/Observation/none/_history": 404,
		"/Observation/_history": 403, "/_history": 403, "/Observation/m/_history?_since=2999-01-01T00:00:00Z": 200, "/Observation/m/_history?_at=2024": 400,
	} {
		if got := get(door, "alice", path); got.Code != want || want == 200 && strings.Contains(path, "_since") && strings.Contains(got.Body.String(), "entry") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	h.asked()
	hidden := get(door, "alice", "/Observation/b1/_history")
	first, _ := h.asked()
	missing := get(door, "alice", "/Observation/b9/_history")
	then, _ := h.asked()
	if len(first) != len(then) || hidden.Body.String() != missing.Body.String() {
		t.Errorf("hidden and missing differ: %d and %d calls, %s and %s", len(first), len(then), hidden.Body, missing.Body)
	}
	load("bob", secret)
	for _, path := range []string{"/Observation/m/_history", "/Observation/m/_history/3"} {
		if got := get(door, "alice", path); got.Code != 404 {
			t.Errorf("%s is another's now: %d %s", path, got.Code, got.Body)
		}
	}
}

// What an upstream tells as versions and is none in the view does not leave, nor does the
// deletion that came after it.
//
// attack: B.5, B.49, GW-29
func TestAHostileHistory(t *testing.T) {
	current := observation("alice", `,"id":"a1","meta":{"versionId":"9"}`)
	version := func(name, content string) string {
		return `{"resource":` + strings.Replace(content, `"versionId":"9"`, `"versionId":"`+name+`"`, 1) + `,"request":{"method":"PUT","url":"` + secret + `"},"response":{"status":"` + secret + `","etag":"` + secret + `","location":"` + secret + `"}}`
	}
	deleted := func(name string) string {
		return `{"request":{"method":"DELETE","url":"` + secret + `"},"response":{"status":"204","etag":"W/\"` + name + `\"","lastModified":"2024-01-01T00:00:00Z"}}`
	}
	bobs := strings.Replace(strings.Replace(current, "Patient/alice", "Patient/bob", 1), `"x"`, `"`+secret+`"`, 1)
	entries := []string{
		version("9", current), version("9", current), deleted("8"), version("7", bobs), deleted("6"), version("5", strings.Replace(current, `"a1"`, `"a2"`, 1)),
		deleted("4"), `{"resource":{"resourceType":"observation","id":"a1"}}`, version("3/..", current), `{}`, `{"resource":"` + secret + `"}`,
		version("3", strings.Replace(current, `"resourceType":"Observation"`, `"resourceType":"Condition"`, 1)), deleted(secret + "<"), deleted("2"), version("1", current), deleted("0"),
	}
	next := ""
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		switch r.URL.Path {
		case "/fhir/Observation/a1":
			_, _ = io.WriteString(w, current)
		case "/fhir/Observation/a1/_history":
			_, _ = io.WriteString(w, `{"resourceType":"Bundle","type":"history","id":"`+secret+`","link":[{"relation":"next","url":"`+next+`"}],"entry":[`+strings.Join(entries, ",")+`]}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	g := newGate(t, up.URL+"/fhir")
	door := doorBefore(t, g)
	got := get(door, "alice", "/Observation/a1/_history")
	clean(t, got, "history", up.URL)
	if list, _ := versions(t, got); !slices.Equal(list, []string{"9", "-2", "1"}) {
		t.Errorf("%v", list)
	}
	if n := g.seen.droppedAs("malformed"); n != 7 {
		t.Errorf("%d alarms\n%s", n, g.log)
	}
	for _, next = range []string{"https://evil.example/fhir/Observation/a1/_history", up.URL + "/fhir/../x", up.URL + "/fhir/Observation/a1/_history?p=" + strings.Repeat("x", 5000)} {
		if got := get(door, "alice", "/Observation/a1/_history"); got.Code != 502 {
			t.Errorf("%.60s: %d %s", next, got.Code, got.Body)
		}
	}
	next = up.URL + "/fhir/Observation/a1/_history?page=2"
	if got := get(door, "alice", "/Observation/a1/_history"); got.Code != 200 && got.Code != 502 {
		t.Errorf("the same page for ever: %d %s", got.Code, got.Body)
	}
	next = ""
	for name, body := range map[string]string{"a searchset": `{"resourceType":"Bundle","type":"searchset"}`, "no Bundle": current} {
		entries = nil
		up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			if strings.HasSuffix(r.URL.Path, "_history") {
				_, _ = io.WriteString(w, body)
			} else {
				_, _ = io.WriteString(w, current)
			}
		})
		if got := get(doorBefore(t, newGate(t, up.URL+"/fhir")), "alice", "/Observation/a1/_history"); got.Code != 502 {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
}
