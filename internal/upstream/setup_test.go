package upstream_test

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
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
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/internal/upstream"
	"github.com/emberlatch/emberlatch/smart"
)

// base is where apps find the gateway.
const base = "https://gate.example.org/fhir"

// ours is the token of the gateway at an upstream.
const ours = "token-of-the-gateway"

// everything is a token that reaches all of an upstream.
type everything struct{ base string }

func (everything) Challenges(_ *http.Request, e *oauth.Error) []string {
	return []string{oauth.Challenge(oauth.SchemeBearer, e.Code, e.Description)}
}

func (e everything) Subject(_ http.Header, r *http.Request) (access.Subject, error) {
	if r.Header.Get("Authorization") != "Bearer "+ours {
		return access.Subject{}, &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Description: "Not good"}
	}
	return access.NewSubject(access.Facts{
		ClientID: "gateway", GrantID: "gateway", Scopes: smart.NewScopeSet([]string{"system/*.cruds"}), Own: access.Own{All: true}, Base: e.base,
	}), nil
}

// honest is an upstream that does what it is asked: our own store behind its own door.
// It notes what it was asked.
type honest struct {
	*httptest.Server
	store *fhirsql.Store
	base  string

	mu    sync.Mutex
	calls []*http.Request
	forms []string
	// before is called with each request before it is answered; nil: nothing is.
	before func(r *http.Request)
}

func newHonest(t testing.TB, resources iter.Seq[fhirstore.Incoming]) *honest {
	t.Helper()
	h := &honest{}
	var door http.Handler
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		h.mu.Lock()
		h.calls = append(h.calls, r)
		h.forms = append(h.forms, string(body))
		before := h.before
		h.mu.Unlock()
		if before != nil {
			before(r)
		}
		door.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	h.base = h.URL + "/fhir"
	h.store = openStore(t, h.base)
	fill(t, h.store, resources)
	capability, err := fhirapi.NewCapability(h.base, fhirapi.OAuthURIs{})
	if err != nil {
		t.Fatal(err)
	}
	door, err = fhirapi.New(fhirapi.Deps{
		Base: h.base, Path: "/fhir", Subjects: everything{h.base}, Backend: h.store, Keeper: h.store, PageKey: make([]byte, 32), Capability: capability,
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// asked gives what was asked since the last time, and forgets it.
func (h *honest) asked() (calls []*http.Request, forms []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls, forms = h.calls, h.forms
	h.calls, h.forms = nil, nil
	return calls, forms
}

func openStore(t testing.TB, base string) *fhirsql.Store {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: testdb.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fill(t testing.TB, s *fhirsql.Store, resources iter.Seq[fhirstore.Incoming]) {
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

// gate is a gateway before an upstream, with what it counted.
type gate struct {
	*upstream.Backend
	seen *counts
	log  *lines
}

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type counts struct {
	mu       sync.Mutex
	calls    map[string]int
	dropped  map[string]int
	filtered int
}

func (c *counts) Call(outcome string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[outcome]++
}

func (c *counts) Dropped(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped[why]++
}

func (c *counts) Filtered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.filtered++
}

func (c *counts) droppedAs(why string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped[why]
}

// newGate opens a gateway with our token before an upstream.
func newGate(t testing.TB, url string, change ...func(*upstream.Config)) *gate {
	t.Helper()
	cfg := upstream.Config{URL: url, CredentialsFile: file(t, "Bearer "+ours), Timeout: 5 * time.Second}
	for _, c := range change {
		c(&cfg)
	}
	g := &gate{seen: &counts{calls: map[string]int{}, dropped: map[string]int{}}, log: &lines{}}
	var err error
	g.Backend, err = upstream.New(upstream.Deps{
		Config: cfg, Base: base, Now: time.Now, Observe: g.seen, Log: slog.New(slog.NewTextHandler(g.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// patientToken is a token with patient/ scopes for one patient.
func patientToken(patient string, scopes ...string) access.Facts {
	if len(scopes) == 0 {
		scopes = []string{"patient/*.rs"}
	}
	return access.Facts{
		ClientID: "app", GrantID: "g", UserID: "u", HasUser: true, Reach: search.NewIDSet(patient), Patient: patient,
		FHIRUser: fhir.Reference{Type: "Patient", ID: patient}, Scopes: smart.NewScopeSet(scopes), Base: base,
	}
}

// userToken is a token with user/ scopes for a user who reaches these patients.
func userToken(patients ...string) access.Facts {
	return access.Facts{
		ClientID: "app", GrantID: "g", UserID: "u", HasUser: true, Reach: search.NewIDSet(patients...),
		Scopes: smart.NewScopeSet([]string{"user/*.rs"}), Base: base,
	}
}

// read reads with a token.
func read(b fhirstore.Backend, who access.Facts, ref fhir.Reference) (fhirstore.Record, error) {
	return b.Read(context.Background(), access.Decide(access.NewSubject(who), fhir.Interaction{Code: fhir.Read, Type: ref.Type, ID: ref.ID}), ref)
}

// find searches with a token; the text is a query.
func find(t testing.TB, b fhirstore.Backend, who access.Facts, kind fhir.ResourceType, text string) (fhirstore.Page, error) {
	t.Helper()
	return b.Search(context.Background(), decide(who, kind), parsed(t, who, kind, text))
}

// ids are the references of records.
func ids(list []fhirstore.Record) []string {
	all := []string{}
	for _, r := range list {
		all = append(all, r.Resource.Reference().String())
	}
	return all
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func logNothing() *slog.Logger { return slog.New(slog.DiscardHandler) }
