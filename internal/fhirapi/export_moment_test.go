package fhirapi_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
)

// An export tells of one moment: what is changed later is as it was, what is made later
// is not there; what is deleted, or given to somebody else, is not told any more.
//
// spec: RSB-13
// attack: B.86
func TestExportTellsOfOneMoment(t *testing.T) {
	known := exporters()
	known["writer"] = service("writer", access.Own{All: true}, "system/*.cruds")
	s := newSite(t, grouped(t), known)
	const query = "/Group/g-alice/$export?_type=Observation&_typeFilter=Observation%3Fcategory%3Dlaboratory,Observation%3Fcategory%3Dvital-signs"
	place := s.kickOff(t, "all", query)
	m, _ := s.counted(t, "all", place)
	before := s.files(t, "all", m)
	if want := []string{"Observation/a-lab", "Observation/a-other-system", "Observation/a-two", "Observation/a-vital", "Observation/moved", "Observation/recoded"}; !slices.Equal(before, want) {
		t.Fatalf("%v", before)
	}
	time.Sleep(5 * time.Millisecond)
	fill(t, s.store(t), of(
		observation("a-vital", "alice", categories+"|survey"),    // as it was: a match
		observation("a-none", "alice", categories+"|laboratory"), // as it was: none
		observation("a-new", "alice", categories+"|laboratory"),
		observation("a-lab", "bob", categories+"|laboratory"), // somebody else's now
	))
	if got := s.send(t, "writer", http.MethodDelete, "/Observation/a-two", ""); got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	got := s.file(t, "all", m.Output[0].URL, "Observation")
	slices.Sort(got)
	if want := []string{"Observation/a-other-system", "Observation/a-vital", "Observation/moved", "Observation/recoded"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if body := s.get(t, "all", strings.TrimPrefix(m.Output[0].URL, base)).body; strings.Contains(body, "survey") || strings.Count(body, "vital-signs") != 1 {
		t.Errorf("as it is now: %s", body)
	}
	t.Log("the next one, since that moment, has what is missing")
	place = s.kickOff(t, "all", query+"&_since="+m.TransactionTime.Format(time.RFC3339Nano))
	m, _ = s.counted(t, "all", place)
	if got := s.files(t, "all", m); !slices.Equal(got, []string{"Observation/a-new", "Observation/a-none"}) {
		t.Errorf("since: %v", got)
	}
}

// What a client loses between the beginning and the fetching is gone at once.
//
// spec: RSB-13, RSB-14
// attack: B.86
func TestExportUnderTheRightsOfNow(t *testing.T) {
	known := exporters()
	known["both"] = service("both", panel("g-both", "alice", "bob"), "system/*.rs")
	s := newSite(t, grouped(t), known)
	place := s.kickOff(t, "both", "/Group/g-both/$export?_type=Patient")
	m, _ := s.counted(t, "both", place)
	file := strings.TrimPrefix(m.Output[0].URL, base)
	if got := s.files(t, "both", m); len(got) != 2 {
		t.Fatalf("%v", got)
	}
	known["both"] = service("both", panel("g-both", "alice"), "system/*.rs")
	if got := s.file(t, "both", m.Output[0].URL, "Patient"); !slices.Equal(got, []string{"Patient/alice"}) {
		t.Errorf("after bob was taken from the client: %v", got)
	}
	known["both"] = service("both", panel("g-other", "alice", "bob"), "system/*.rs")
	if got := s.get(t, "both", file); got.status != 404 {
		t.Errorf("after the Group was taken from the client: %d", got.status)
	}
	known["both"] = service("both", panel("g-both", "alice", "bob"), "system/*.rs")
	fill(t, s.store(t), of(`{"resourceType":"Group","id":"g-both","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/bob"}},{"entity":{"reference":"Patient/carol"}}]}`,
		`{"resourceType":"Patient","id":"carol"}`))
	known["both"] = service("both", panel("g-both", "alice", "bob", "carol"), "system/*.rs")
	if got := s.file(t, "both", m.Output[0].URL, "Patient"); !slices.Equal(got, []string{"Patient/bob"}) {
		t.Errorf("after alice left the Group and carol came: %v", got)
	}
	known["both"] = service("both", access.Own{}, "system/*.rs")
	for _, path := range []string{place, file} {
		if got := s.get(t, "both", path); got.status != 403 {
			t.Errorf("a client that reaches nobody: %d", got.status)
		}
	}
}

// An export goes on portion by portion, in whichever process; its files are as long as
// they may be, and hold each resource once.
//
// spec: RSB-15, RSB-16
// attack: B.86
func TestExportInPortions(t *testing.T) {
	store := grouped(t)
	s, other := newSite(t, store, exporters()), newSite(t, store, exporters())
	for _, door := range []*site{s, other} {
		door.door.Pace(0, time.Nanosecond, 2, 3, 2)
	}
	want := s.union(t, "all", nil)
	place := s.kickOff(t, "all", "/$export")
	first := s.get(t, "all", place)
	if first.status != 202 || first.header.Get("X-Progress") == "" || first.header.Get("Retry-After") != "1" || first.body != "" {
		t.Fatalf("%d %v %s", first.status, first.header, first.body)
	}
	if got := s.get(t, "all", place+"/1"); got.status != 404 {
		t.Errorf("a file before they are known: %d", got.status)
	}
	for range 5 { // another process goes on with it
		other.get(t, "all", place)
	}
	m, polls := s.counted(t, "all", place)
	if polls < 20 {
		t.Errorf("%d polls", polls)
	}
	if got := s.files(t, "all", m); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	of := map[string]int{}
	for _, f := range m.Output {
		if of[f.Type]++; f.Count > 3 {
			t.Errorf("a file of %d", f.Count)
		}
	}
	if of["Observation"] < 3 {
		t.Errorf("%v", of)
	}
	if again, _ := other.counted(t, "all", place); fmt.Sprint(again) != fmt.Sprint(m) {
		t.Errorf("another process: %v", again)
	}
}

// Limits: unfinished exports of a client, and the size of one.
//
// spec: RSB-18
// attack: B.86
func TestExportLimits(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	s.door.Pace(0, time.Nanosecond, 2, 3, 2)
	first := s.kickOff(t, "all", "/$export")
	s.kickOff(t, "all", "/$export")
	got := s.get(t, "all", "/$export", "Prefer", "respond-async")
	if got.status != 429 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, `"throttled"`) {
		t.Fatalf("a third: %d %v %s", got.status, got.header, got.body)
	}
	s.kickOff(t, "other", "/$export")
	s.send(t, "all", http.MethodDelete, first, "")
	second := s.kickOff(t, "all", "/$export")
	s.counted(t, "all", second)
	s.kickOff(t, "all", "/$export") // a finished one is not counted

	t.Log("too large")
	many := make([]string, 1001)
	for i := range many {
		many[i] = observation(fmt.Sprintf("n%04d", i), "bob")
	}
	fill(t, s.store(t), of(many...))
	s.door.Pace(0, time.Second, 500, 5000, 100)
	place := s.kickOff(t, "granular", "/$export?_type=Patient")
	if m, _ := s.counted(t, "granular", place); len(m.Output) != 1 {
		t.Errorf("%v", m)
	}
	place = s.kickOff(t, "other", "/$export?_type=Observation")
	for range 2 {
		if got := s.get(t, "other", place); got.status != 413 || !strings.Contains(got.body, `"too-costly"`) {
			t.Fatalf("too large: %d %s", got.status, got.body)
		}
	}
	if got := s.get(t, "other", place+"/1"); got.status != 404 {
		t.Errorf("a file of it: %d", got.status)
	}
}

// A client that is stopped while a file is sent gets no more of it, and sees that the
// file is not whole.
//
// spec: RSB-13
// attack: B.86
func TestExportStopsWithItsClient(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	place := s.kickOff(t, "all", "/$export?_type=Observation")
	s.counted(t, "all", place)
	s.door.Pace(0, time.Second, 2, 3, 2)
	s.stands = false
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, base+place+"/1", nil)
	r.Header.Set("Authorization", "Bearer all")
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			t.Error("the file looks whole")
		}
		if n := strings.Count(w.Body.String(), "\n"); n != 2 {
			t.Errorf("%d lines", n)
		}
	}()
	s.door.ServeHTTP(w, r)
}

// Files are compressed for who takes it, and for nobody else.
//
// spec: RSB-16
func TestExportCompressed(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	m, _ := s.counted(t, "all", s.kickOff(t, "all", "/$export?_type=Patient"))
	file := strings.TrimPrefix(m.Output[0].URL, base)
	want := s.get(t, "all", file).body
	for accept, compressed := range map[string]bool{"gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false, "br": false, "identity": false, "gzip;q=x": false} {
		got := s.get(t, "all", file, "Accept-Encoding", accept)
		if (got.header.Get("Content-Encoding") == "gzip") != compressed || !slices.Contains(got.header.Values("Vary"), "Accept-Encoding") || got.header.Get("Expires") == "" {
			t.Errorf("%s: %v", accept, got.header)
		}
		body := got.body
		if compressed {
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(all)
		}
		if body != want {
			t.Errorf("%s: %q", accept, body)
		}
	}
	if got := s.send(t, "all", http.MethodHead, file, ""); got.status != 200 || got.body != "" {
		t.Errorf("HEAD: %d %q", got.status, got.body)
	}
}

// Each export is in the security record, or does not begin.
//
// spec: RSB-13
func TestExportsAreRecorded(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	for _, path := range []string{"/$export", "/Patient/$export", "/Group/g-both/$export"} {
		s.kickOff(t, "all", path+"?_type=Patient")
	}
	s.get(t, "user", "/$export", "Prefer", "respond-async")
	if want := []string{"all everything", "all patients", "all group"}; !slices.Equal(s.began, want) {
		t.Errorf("%v", s.began)
	}
	s.unrecorded = errors.New("no space")
	s.door.Pace(0, time.Second, 500, 5000, 100)
	for range 3 { // nothing of them is left that would count
		if got := s.get(t, "other", "/$export", "Prefer", "respond-async"); got.status != 500 || got.header.Get("Content-Location") != "" {
			t.Errorf("%d %v", got.status, got.header)
		}
	}
}
