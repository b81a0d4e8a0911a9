package fhirapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/smart"
)

const base = "https://ehr.example.org/fhir"

// tokens says what each access token of a test stands for.
type tokens map[string]access.Facts

func (m tokens) Challenges(_ *http.Request, e *oauth.Error) []string {
	if e.HTTPStatus() == http.StatusServiceUnavailable {
		return nil
	}
	return []string{oauth.Challenge(oauth.SchemeBearer, e.Code, e.Description)}
}

func (m tokens) Subject(_ http.Header, r *http.Request) (access.Subject, error) {
	scheme, token, refused := oauth.Presented(r)
	switch {
	case refused != nil:
		return access.Subject{}, refused
	case scheme == "":
		return access.Subject{}, &oauth.Error{Status: http.StatusUnauthorized, Description: "No access token"}
	}
	switch token {
	case "unavailable":
		return access.Subject{}, &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable, Description: "Not now"}
	case "broken":
		return access.Subject{}, errors.New("keys: row 7 of secret_keys is unreadable")
	case "costly":
		return access.Subject{}, fmt.Errorf("keys: secret_keys: %w", fhirstore.ErrTooCostly)
	case "missing":
		return access.Subject{}, fmt.Errorf("keys: secret_keys: %w", fhirstore.ErrNotFound)
	case "busy":
		return access.Subject{}, fmt.Errorf("keys: secret_keys: %w", context.DeadlineExceeded)
	case "wide":
		return access.Subject{}, fmt.Errorf("reach of doctor-7: %w", fhirapi.ErrTooWide)
	}
	f, ok := m[token]
	if !ok {
		return access.Subject{}, &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Description: "Not good"}
	}
	f.GrantID, f.Base = "grant of "+token, base
	return access.NewSubject(f), nil
}

// patient is a token with patient/ scopes for one patient.
func patient(id string, scopes ...string) access.Facts {
	return access.Facts{ClientID: "app", UserID: "u-" + id, HasUser: true, Reach: search.NewIDSet(id),
		Patient: id, FHIRUser: fhir.Reference{Type: "Patient", ID: id}, Scopes: smart.NewScopeSet(scopes)}
}

// clinician is a token with a user who reaches these patients.
func clinician(scopes []string, patients ...string) access.Facts {
	return access.Facts{ClientID: "app", UserID: "doctor", HasUser: true, Reach: search.NewIDSet(patients...),
		FHIRUser: fhir.Reference{Type: "Practitioner", ID: "p1"}, Scopes: smart.NewScopeSet(scopes)}
}

// site is a door with its parts.
type site struct {
	door  *fhirapi.Door
	trail *noted
	log   *strings.Builder
	now   time.Time
	// stands: the clients of exports are not stopped.
	stands bool
	// began are the exports that were recorded; unrecorded: they cannot be.
	began      []string
	unrecorded error
	backend    fhirstore.Backend
}

func newSite(t testing.TB, backend fhirstore.Backend, known tokens, change ...func(*fhirapi.Deps)) *site {
	t.Helper()
	keeper, _ := backend.(fhirstore.Keeper)
	capability, err := fhirapi.NewCapability(base, fhirapi.OAuthURIs{Authorize: "https://ehr.example.org/authorize", Token: "https://ehr.example.org/token"})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{trail: &noted{}, log: &strings.Builder{}, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), stands: true, backend: backend}
	var export fhirapi.Export
	if exports, ok := backend.(fhirstore.Exports); ok {
		export = fhirapi.Export{Store: exports, Life: time.Hour, Counting: 2, Resources: 1000, Stands: func(access.Subject) bool { return s.stands },
			Began: func(_ context.Context, who access.Subject, form string) error {
				s.began = append(s.began, who.ClientID()+" "+form)
				return s.unrecorded
			}}
	}
	deps := fhirapi.Deps{
		Base: base, Path: "/fhir", Subjects: known, Backend: backend, Keeper: keeper, Export: export, PageKey: []byte("0123456789abcdef0123456789abcdef"),
		Capability: capability, Trail: s.trail, Address: func(*http.Request) string { return "192.0.2.7" }, Now: func() time.Time { return s.now }, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, c := range change {
		c(&deps)
	}
	s.door, err = fhirapi.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openStore is an empty store with these resources.
func openStore(t testing.TB, resources iter.Seq[fhirstore.Incoming]) *fhirsql.Store {
	t.Helper()
	return openClassified(t, nil, resources)
}

// openClassified is the same with categories of sensitive content, and at one moment.
func openClassified(t testing.TB, categories *sensitive.Categories, resources iter.Seq[fhirstore.Incoming]) *fhirsql.Store {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: testdb.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	now := time.Now
	if categories != nil {
		now = func() time.Time { return time.Unix(1.7e9, 0) }
	}
	s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Sensitive: categories, Now: now})
	if err == nil {
		err = s.Classify(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, resources)
	return s
}

func fill(t testing.TB, s fhirstore.Loader, resources iter.Seq[fhirstore.Incoming]) {
	t.Helper()
	report, err := s.Load(context.Background(), resources, nil)
	if err != nil || len(report.Failures) > 0 {
		t.Fatal(err, report.Failures)
	}
}

// of yields resources written as JSON.
func of(resources ...string) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		for _, r := range resources {
			if !yield(fhirstore.Incoming{JSON: []byte(r), Origin: "test"}) {
				return
			}
		}
	}
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

// send makes one request; header holds names and values in turn.
func (s *site) send(t testing.TB, token, method, path, body string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, base+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	raw, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{w.Code, string(raw), w.Result().Header}
}

func (s *site) get(t testing.TB, token, path string, header ...string) answer {
	t.Helper()
	return s.send(t, token, http.MethodGet, path, "", header...)
}

// bundle is what the tests read of a searchset.
type bundle struct {
	ResourceType string
	Type         string
	Total        *int
	Link         []struct{ Relation, URL string }
	Entry        []struct {
		FullURL  string `json:"fullUrl"`
		Resource struct{ ResourceType, ID string }
		Search   struct{ Mode string }
	}
}

func (b bundle) link(relation string) string {
	for _, l := range b.Link {
		if l.Relation == relation {
			return l.URL
		}
	}
	return ""
}

// find searches and gives the bundle with its "Type/id"s, sorted.
func (s *site) find(t testing.TB, token, path string) (bundle, []string) {
	t.Helper()
	got := s.get(t, token, path)
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	var b bundle
	if err := json.Unmarshal([]byte(got.body), &b); err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, e := range b.Entry {
		ids = append(ids, e.Resource.ResourceType+"/"+e.Resource.ID)
	}
	slices.Sort(ids)
	return b, ids
}

// spy counts the calls that reach the backend.
type spy struct {
	fhirstore.Backend
	calls int
}

func (b *spy) Read(ctx context.Context, d access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	b.calls++
	return b.Backend.Read(ctx, d, ref)
}

func (b *spy) VRead(ctx context.Context, d access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	b.calls++
	return b.Backend.VRead(ctx, d, ref)
}

func (b *spy) Search(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	b.calls++
	return b.Backend.Search(ctx, d, q)
}

func (b *spy) History(ctx context.Context, d access.Decision, q fhirstore.HistoryQuery) (fhirstore.HistoryPage, error) {
	b.calls++
	return b.Backend.(fhirstore.Keeper).History(ctx, d, q)
}

func (b *spy) Write(ctx context.Context, writes []fhirstore.Write) ([]fhirstore.Written, error) {
	b.calls++
	return b.Backend.(fhirstore.Keeper).Write(ctx, writes)
}

// careless ignores the decision: it answers with the rights of the server.
type careless struct{ fhirstore.Backend }

func (b careless) Read(ctx context.Context, _ access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	return b.Backend.Read(ctx, access.System("test", base), ref)
}

func (b careless) VRead(ctx context.Context, _ access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	return b.Backend.VRead(ctx, access.System("test", base), ref)
}

func (b careless) Search(ctx context.Context, _ access.Decision, q search.Query) (fhirstore.Page, error) {
	return b.Backend.Search(ctx, access.System("test", base), q)
}

func (b careless) History(ctx context.Context, _ access.Decision, q fhirstore.HistoryQuery) (fhirstore.HistoryPage, error) {
	return b.Backend.(fhirstore.Keeper).History(ctx, access.System("test", base), q)
}

func (b careless) Write(ctx context.Context, writes []fhirstore.Write) ([]fhirstore.Written, error) {
	return b.Backend.(fhirstore.Keeper).Write(ctx, writes)
}

// failing fails with one error.
type failing struct{ err error }

func (b failing) Read(context.Context, access.Decision, fhir.Reference) (fhirstore.Record, error) {
	return fhirstore.Record{}, b.err
}

func (b failing) VRead(context.Context, access.Decision, fhir.Reference) (fhirstore.Record, error) {
	return fhirstore.Record{}, b.err
}

func (b failing) Search(context.Context, access.Decision, search.Query) (fhirstore.Page, error) {
	return fhirstore.Page{}, b.err
}

func (b failing) History(context.Context, access.Decision, fhirstore.HistoryQuery) (fhirstore.HistoryPage, error) {
	return fhirstore.HistoryPage{}, b.err
}

func (b failing) Write(context.Context, []fhirstore.Write) ([]fhirstore.Written, error) {
	return nil, b.err
}

const (
	categories = "http://terminology.hl7.org/CodeSystem/observation-category"
	survey     = "patient/Observation.rs?category=" + categories + "|survey"
	laboratory = "patient/Observation.rs?category=" + categories + "|laboratory"
)

// observation is an Observation of a patient with categories "system|code".
func observation(id, patient string, category ...string) string {
	var list []string
	for _, c := range category {
		system, code, _ := strings.Cut(c, "|")
		list = append(list, `{"coding":[{"system":"`+system+`","code":"`+code+`"}]}`)
	}
	text := `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + patient + `"}`
	if len(list) > 0 {
		text += `,"category":[` + strings.Join(list, ",") + `]`
	}
	return text + "}"
}

// ward is the data of most tests: Alice and Bob, with observations.
func ward() iter.Seq[fhirstore.Incoming] {
	return of(
		`{"resourceType":"Patient","id":"alice","name":[{"family":"Adams","given":["Alice"]}],"generalPractitioner":[{"reference":"Practitioner/p1"}]}`,
		`{"resourceType":"Patient","id":"bob","name":[{"family":"Brown","given":["Bob"]}]}`,
		`{"resourceType":"Practitioner","id":"p1","name":[{"family":"Garcia"}]}`,
		observation("a-lab", "alice", categories+"|laboratory"),
		observation("a-other-system", "alice", "http://example.org/cs|laboratory"),
		observation("a-two", "alice", categories+"|survey", categories+"|laboratory"),
		observation("a-survey", "alice", categories+"|survey"),
		observation("a-vital", "alice", categories+"|vital-signs"),
		observation("a-none", "alice"),
		observation("b-lab", "bob", categories+"|laboratory"),
		observation("moved", "bob", categories+"|laboratory"),
		observation("moved", "alice", categories+"|laboratory"),
		observation("recoded", "alice", categories+"|vital-signs"),
		observation("recoded", "alice", categories+"|laboratory"),
		observation("hidden-now", "alice", categories+"|laboratory"),
		observation("hidden-now", "bob", categories+"|laboratory"),
		`{"resourceType":"Provenance","id":"prov-a","target":[{"reference":"Observation/a-lab"}],"recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"reference":"Practitioner/p1"}}]}`,
		`{"resourceType":"Provenance","id":"prov-both","target":[{"reference":"Observation/a-lab"},{"reference":"Observation/b-lab"}],"recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"reference":"Practitioner/p1"}}]}`,
	)
}
