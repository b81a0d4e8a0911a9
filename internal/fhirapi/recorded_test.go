package fhirapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// noted is the trail of a test.
type noted struct {
	list   []trail.Entry
	synced int // how many were in the database when somebody waited for that
	err    error
}

func (n *noted) Put(a trail.Entry) error {
	if n.err == nil {
		n.list = append(n.list, a)
	}
	return n.err
}

func (n *noted) PutMade(a trail.Entry) { n.list = append(n.list, a) }

func (n *noted) Ready() error { return n.err }

func (n *noted) Sync(context.Context) error {
	n.synced = len(n.list)
	return n.err
}

// told are the entries since the last time, in short.
func (n *noted) told() (list []string) {
	for _, a := range n.list {
		patients := slices.Clone(a.Patients)
		slices.Sort(patients)
		target := string(a.Target.Type)
		if a.Target.ID != "" {
			target = a.Target.String()
		}
		if a.Within.ID != "" {
			target = a.Within.String() + "/" + target
		}
		list = append(list, fmt.Sprint(a.Code, " ", target, "?", a.Query, " ", strings.Join(slices.Compact(patients), "+"), " ", a.Status, " ", a.Reason))
	}
	n.list = nil
	return list
}

// Each interaction is recorded once, with whom it was about, whatever became of it.
//
// spec: AUD-01, AUD-04, AUD-05, AUD-13
func TestEachAccessIsRecorded(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{
		"alice": patient("alice", "patient/*.cruds"), "doctor": clinician([]string{"user/*.rs"}, "alice", "bob"), "narrow": patient("alice", "patient/Patient.r"),
	})
	next := func(token, path string) string {
		t.Helper()
		b, _ := s.find(t, token, path)
		s.trail.told()
		return strings.TrimPrefix(b.link("next"), base)
	}
	for _, row := range []struct {
		name, token, method, path, body string
		want                            string
	}{
		{"a read", "alice", "GET", "/Observation/a-lab", "", "read Observation/a-lab? alice 200 scope.patient"},
		{"a version", "alice", "GET", "/Observation/a-lab/_history/1", "", "vread Observation/a-lab/_history/1? alice 200 scope.patient"},
		{"hidden", "alice", "GET", "/Observation/b-lab", "", "read Observation/b-lab? alice 404 scope.patient"},
		{"shared", "alice", "GET", "/Practitioner/p1", "", "read Practitioner/p1?  200 scope.patient"},
		{"two patients", "doctor", "GET", "/Observation?status=final", "", "search-type Observation?status=final alice+bob 200 scope.user"},
		{"of two at once", "doctor", "GET", "/Provenance/prov-both", "", "read Provenance/prov-both? alice+bob 200 scope.user"},
		{"in a compartment", "doctor", "GET", "/Patient/bob/Observation?_count=1", "", "search-type Patient/bob/Observation?_count=1 bob 200 scope.user"},
		{"nobody found", "alice", "GET", "/Observation?_id=none", "", "search-type Observation?_id=none alice 200 scope.patient"},
		{"nobody in context", "doctor", "GET", "/Observation?_id=none", "", "search-type Observation?_id=none  200 scope.user"},
		{"a patient named, nothing found", "doctor", "GET", "/Observation?patient=bob&_id=none", "", "search-type Observation?patient=bob&_id=none bob 200 scope.user"},
		{"two named, one of them hidden", "doctor", "GET", "/Observation?subject=Patient/bob,Patient/carol&_id=none", "", "search-type Observation?subject=Patient/bob,Patient/carol&_id=none bob 200 scope.user"},
		{"a patient by id", "doctor", "GET", "/Patient?_id=bob&family=none", "", "search-type Patient?_id=bob&family=none bob 200 scope.user"},
		{"an empty compartment", "doctor", "GET", "/Patient/bob/Condition", "", "search-type Patient/bob/Condition? bob 200 scope.user"},
		{"somebody else named", "alice", "GET", "/Observation?patient=bob", "", "search-type Observation?patient=bob alice 200 scope.patient"},
		{"a page", "doctor", "GET", next("doctor", "/Observation?_count=1&_sort=-_id"), "", "search-type Observation?_sort=-_id&_count=1 alice 200 scope.user"},
		{"what comes along", "doctor", "GET", "/Provenance?_id=prov-a&_include=Provenance:target", "", "search-type Provenance?_id=prov-a&_include=Provenance:target alice 200 scope.user"},
		{"a history", "alice", "GET", "/Observation/a-lab/_history", "", "history-instance Observation/a-lab? alice 200 scope.patient"},
		{"everything", "alice", "GET", "/Patient/alice/$everything?_type=Observation", "", "$everything Patient/alice?_type=Observation alice 200 scope.patient"},
		{"no scope", "narrow", "GET", "/Observation?code=secret", "", "search-type Observation?code=secret alice 403 scope.missing"},
		{"not understood", "alice", "GET", "/Observation?nonsense=1", "", "search-type Observation?nonsense=1 alice 400 scope.patient"},
		{"no such path", "alice", "GET", "/nothing/at/all/here", "", " ? alice 404 "},
		{"no token", "", "GET", "/Observation/a-lab", "", " ?  401 token.refused"},
		{"a bad token", "bad", "GET", "/Observation/a-lab", "", " ?  401 token.refused"},
		{"a token in the address", "", "GET", "/Observation/a-lab?access_token=alice", "", " ?access_token=alice  400 token.refused"},
		{"the server's fault", "broken", "GET", "/Observation/a-lab", "", " ?  500 token.refused"},
		{"a creation", "alice", "POST", "/Observation", lab("alice", ""), "create Observation/ID/_history/1? alice 201 scope.patient"},
		{"a refused creation", "alice", "POST", "/Observation", lab("bob", ""), "create Observation? alice 403 scope.patient"},
		{"a deletion", "alice", "DELETE", "/Observation/a-none", "", "delete Observation/a-none/_history/2? alice 204 scope.patient"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.put(t, row.token, row.method, row.path, row.body)
			address := s.trail.list
			told := s.trail.told()
			if len(told) != 1 || address[0].Address != "192.0.2.7" {
				t.Fatalf("%v %s", told, got.body)
			}
			if row.method == "POST" && got.status == 201 {
				id, _, _ := strings.Cut(strings.TrimPrefix(got.header.Get("Location"), base+"/Observation/"), "/")
				told[0] = strings.Replace(told[0], id, "ID", 1)
			}
			if told[0] != row.want {
				t.Errorf("%s\n%s", told[0], row.want)
			}
		})
	}
}

// Who asks is told by ids: app, account, the person's own record, access and token.
//
// spec: AUD-01, AUD-06
func TestWhoAsksIsRecorded(t *testing.T) {
	who := patient("alice", "patient/*.rs")
	who.TokenID = "jti-9"
	s := newSite(t, openStore(t, ward()), tokens{"alice": who})
	s.get(t, "alice", "/Patient/alice")
	want := trail.Who{Client: "app", Grant: "grant of alice", User: "u-alice", FHIRUser: fhir.Reference{Type: "Patient", ID: "alice"}, TokenID: "jti-9", Address: "192.0.2.7"}
	if len(s.trail.list) != 1 || s.trail.list[0].Who != want {
		t.Errorf("%+v", s.trail.list)
	}
}

// The entries of a Bundle are told one by one, and the Bundle is not; a transaction that
// was refused is one refusal.
//
// spec: AUD-01, AUD-13
func TestEntriesOfABundleAreRecorded(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.cruds")})
	read := func(url string) asked { return asked{Request: asking{Method: "GET", URL: url}} }
	write := func(body string) asked {
		return asked{Resource: []byte(body), Request: asking{Method: "POST", URL: "Observation"}}
	}
	s.bundle(t, "alice", bundleOf(t, "batch", read("Observation/a-lab"), read("Observation?code=y"), read("Observation/b-lab"), read("not a path"), write(lab("alice", ""))))
	told := s.trail.told()
	want := []string{"read Observation/a-lab? alice 200 scope.patient", "search-type Observation?code=y alice 200 scope.patient", "read Observation/b-lab? alice 404 scope.patient", " ? alice 404 "}
	if diff := cmp.Diff(want, told[:min(4, len(told))]); diff != "" || len(told) != 5 || !strings.HasPrefix(told[4], "create Observation/") || s.trail.synced != 5 {
		t.Errorf("%s %q, %d synced", diff, told, s.trail.synced)
	}
	s.bundle(t, "alice", bundleOf(t, "transaction", write(lab("alice", "")), write(lab("alice", ""))))
	if told = s.trail.told(); len(told) != 2 || s.trail.synced != 2 || !strings.HasPrefix(told[1], "create Observation/") || !strings.HasSuffix(told[1], " alice 201 scope.patient") {
		t.Errorf("%q, %d synced", told, s.trail.synced)
	}
	s.bundle(t, "alice", bundleOf(t, "transaction", write(lab("alice", "")), write(lab("bob", ""))))
	if told = s.trail.told(); len(told) != 1 || told[0] != "batch ? alice 403 " {
		t.Errorf("%q", told)
	}
}

// What cannot be recorded is not answered, and not done.
//
// spec: AUD-01
// attack: LO-05
func TestNothingIsAnsweredThatCannotBeRecorded(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.cruds")})
	s.trail.err = trail.ErrFull
	read := asked{Request: asking{Method: "GET", URL: "Observation/a-lab"}}
	for _, row := range []struct{ method, path, body string }{
		{"GET", "/Observation/a-lab", ""}, {"GET", "/Observation", ""}, {"GET", "/Patient/alice/$everything", ""}, {"GET", "/Observation/a-lab/_history", ""},
		{"POST", "/Observation", lab("alice", "")}, {"DELETE", "/Observation/a-lab", ""}, {"GET", "/Observation/b-lab", ""},
		{"POST", "", bundleOf(t, "transaction", asked{Resource: []byte(lab("alice", "")), Request: asking{Method: "POST", URL: "Observation"}})},
	} {
		got := s.put(t, "alice", row.method, row.path, row.body)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || got.header.Get("ETag") != "" || got.header.Get("Location") != "" || strings.Contains(got.body, "laboratory") || !strings.Contains(got.body, "recorded at present") {
			t.Errorf("%s %s: %d %v %s", row.method, row.path, got.status, got.header, got.body)
		}
	}
	if got, entries := s.bundle(t, "alice", bundleOf(t, "batch", read)); got.status != 200 || !strings.HasPrefix(entries[0].Response.Status, "503") || entries[0].Resource != nil {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.trail.err = nil
	if _, ids := s.find(t, "alice", "/Observation?_summary=count"); len(ids) != 0 {
		t.Fatal(ids)
	}
	if got := s.get(t, "alice", "/Observation/a-lab"); got.status != 200 || got.header.Get("ETag") != `W/"1"` {
		t.Errorf("something was done: %d", got.status)
	}
}

// A write is answered when its entry is in the database; a read does not wait.
//
// spec: AUD-14
func TestAWriteWaitsForItsEntry(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.cruds")})
	s.get(t, "alice", "/Observation/a-lab")
	if s.trail.synced != 0 {
		t.Error("a read waited")
	}
	s.made(t, "alice", "Observation", lab("alice", ""))
	if s.trail.synced != 2 {
		t.Error("a write did not wait")
	}
}

// A handler that breaks off leaves its trace.
func TestABrokenRequestIsRecorded(t *testing.T) {
	s := newSite(t, broken{}, tokens{"alice": patient("alice", "patient/*.rs")})
	func() {
		defer func() { _ = recover() }()
		s.get(t, "alice", "/Observation/a-lab")
	}()
	if told := s.trail.told(); len(told) != 1 || !strings.HasSuffix(told[0], " 500 scope.patient") {
		t.Errorf("%q", told)
	}
}

type broken struct{ failing }

func (broken) Read(context.Context, access.Decision, fhir.Reference) (fhirstore.Record, error) {
	panic("broken")
}

// One read with the record written for nobody: what an entry costs on the way of a request.
func BenchmarkReadRecorded(b *testing.B) {
	r, err := trail.New(trail.Deps{Append: func(context.Context, []store.Sheet) error { return nil }, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	r.Start()
	defer r.Close()
	for name, into := range map[string]fhirapi.Trail{"recorded": r, "not": nil} {
		b.Run(name, func(b *testing.B) {
			known := tokens{"alice": patient("alice", "patient/*.rs")}
			door, err := fhirapi.New(fhirapi.Deps{Base: base, Path: "/fhir", Subjects: known, Backend: openStore(b, of(observation("a-07", "alice"))), PageKey: make([]byte, 32),
				Capability: []byte("{}"), Trail: into, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			req := httptest.NewRequest(http.MethodGet, base+"/Observation/a-07", nil)
			req.Header.Set("Authorization", "Bearer alice")
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				if door.ServeHTTP(w, req); w.Code != http.StatusOK {
					_ = r.Sync(context.Background())
				}
			}
		})
	}
}

// What leaves by a bulk export is recorded part by part, with whose records are in it,
// before it leaves; when it cannot be recorded, it does not leave.
//
// spec: AUD-01, AUD-11
func TestWhatIsExportedIsRecorded(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	place := s.kickOff(t, "all", "/Patient/$export?_type=Observation,Practitioner")
	m, _ := s.counted(t, "all", place)
	told := s.trail.told()
	if want := "$export Patient?_type=Observation,Practitioner  202 scope.system"; told[0] != want || told[1] != "$export ?  200 scope.system" && !strings.HasPrefix(told[1], "$export ? ") {
		t.Errorf("%q", told)
	}
	s.files(t, "all", m)
	told = s.trail.told()
	if !slices.ContainsFunc(told, func(text string) bool { return text == "$export Observation? alice+bob 200 scope.system" }) || !slices.Contains(told, "$export Practitioner?  200 scope.system") {
		t.Errorf("%q", told)
	}
	s.trail.err = trail.ErrFull
	for _, f := range m.Output {
		got := s.get(t, "all", strings.TrimPrefix(f.URL, base), "Accept", "application/fhir+ndjson")
		if got.status != http.StatusServiceUnavailable || strings.Contains(got.body, "subject") {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}
