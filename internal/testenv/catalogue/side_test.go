package catalogue_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/internal/upstream"
	"github.com/emberlatch/emberlatch/smart"
)

const (
	base     = "https://ehr.example.org/fhir"
	fhirJSON = "application/fhir+json"
	// ours is the token of the gateway at its upstream.
	ours = "token-of-the-gateway"
)

// side is one of the two that are asked.
type side struct {
	name  string // "store", "store on PostgreSQL", "gateway"
	door  http.Handler
	store *fhirsql.Store // with the records, behind the gateway too
	// url is where the upstream of the gateway is; "": there is none.
	url string

	mu    sync.Mutex
	calls []*http.Request // that reached the upstream
}

func (s *side) gateway() bool { return s.name == "gateway" }

// sides opens both, each with the same records.
func sides(t testing.TB) []*side {
	t.Helper()
	resources := ward()
	return []*side{storeSide(t, "store", openStore(t, openDB(t, testdb.SQLite(t)), base, resources)), gatewaySide(t, resources)}
}

func storeSide(t testing.TB, name string, s *fhirsql.Store) *side {
	t.Helper()
	return &side{name: name, store: s, door: newDoor(t, base, bearers(base), s, s)}
}

// postgres gives a store on PostgreSQL with the ward in it, the next one in place of the
// last; nil: no server was given.
func postgres(t testing.TB) func() *side {
	t.Helper()
	if os.Getenv("EMBERLATCH_TEST_POSTGRES") == "" {
		return nil
	}
	d := openDB(t, testdb.PostgreSQL(t))
	return func() *side {
		testdb.DeleteRecords(t, d)
		return storeSide(t, "store on PostgreSQL", openStore(t, d, base, ward()))
	}
}

func gatewaySide(t testing.TB, resources []string) *side {
	t.Helper()
	g := &side{name: "gateway"}
	var behind http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.calls = append(g.calls, r)
		g.mu.Unlock()
		w.Header().Set("Set-Cookie", "upstream=1")
		w.Header().Set("Server", "upstream")
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	g.url = server.URL + "/fhir"
	g.store = openStore(t, openDB(t, testdb.SQLite(t)), g.url, resources)
	behind = newDoor(t, g.url, tokens{ours: all(g.url)}, g.store, g.store)
	gate := newGate(t, g.url)
	g.door = newDoor(t, base, bearers(base), gate, gate)
	return g
}

func openDB(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func openStore(t testing.TB, d *db.DB, base string, resources []string) *fhirsql.Store {
	t.Helper()
	s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	load(t, s, resources...)
	return s
}

func load(t testing.TB, s *fhirsql.Store, resources ...string) {
	t.Helper()
	report, err := s.Load(context.Background(), func(yield func(fhirstore.Incoming) bool) {
		for _, r := range resources {
			if !yield(fhirstore.Incoming{JSON: []byte(r), Origin: "test"}) {
				return
			}
		}
	}, nil)
	if err != nil || len(report.Failures) > 0 {
		t.Fatal(err, report.Failures)
	}
}

func newGate(t testing.TB, url string) *upstream.Backend {
	t.Helper()
	g, err := upstream.New(upstream.Deps{
		Config: upstream.Config{URL: url, CredentialsFile: file(t, "Bearer "+ours), Timeout: 5 * time.Second},
		Base:   base, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newDoor(t testing.TB, base string, known tokens, b fhirstore.Backend, k fhirstore.Keeper) http.Handler {
	t.Helper()
	capability, err := fhirapi.NewCapability(base, fhirapi.OAuthURIs{})
	if err != nil {
		t.Fatal(err)
	}
	deps := fhirapi.Deps{Base: base, Path: "/fhir", Subjects: known, Backend: b, Keeper: k, PageKey: make([]byte, 32), Capability: capability,
		Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if gate, is := b.(*upstream.Backend); is {
		deps.MaxPosition = upstream.MaxPosition
		deps.Offers = func(ctx context.Context) (fhirapi.Offers, error) { return gate.Offers(ctx) }
	}
	d, err := fhirapi.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tokens says what each access token stands for.
type tokens map[string]access.Facts

func (m tokens) Challenges(_ *http.Request, e *oauth.Error) []string {
	return []string{oauth.Challenge(oauth.SchemeBearer, e.Code, e.Description)}
}

func (m tokens) Subject(_ http.Header, r *http.Request) (access.Subject, error) {
	_, token, refused := oauth.Presented(r)
	if refused != nil {
		return access.Subject{}, refused
	}
	f, ok := m[token]
	if !ok {
		return access.Subject{}, &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Description: "Not good"}
	}
	f.GrantID = "grant of " + token
	return access.NewSubject(f), nil
}

// all is a token that reaches everything: the gateway's own.
func all(base string) access.Facts {
	return access.Facts{ClientID: "gateway", Scopes: smart.NewScopeSet([]string{"system/*.cruds"}), Own: access.Own{All: true}, Base: base}
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

// send makes one request; header holds names and values in turn.
func (s *side) send(token, method, path, body string, header ...string) answer {
	r := httptest.NewRequest(method, base+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return s.serve(r)
}

func (s *side) serve(r *http.Request) answer {
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	return answer{w.Code, w.Body.String(), w.Result().Header}
}

// asked gives what reached the upstream since the last time, and forgets it.
func (s *side) asked() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// bundle is what the rows read of an answer.
type bundle struct {
	Type  string
	Total *int
	Link  []struct{ Relation, URL string }
	Entry []struct {
		FullURL  string `json:"fullUrl"`
		Resource struct{ ResourceType, ID string }
		Search   struct {
			Mode  string
			Score *float64
		}
		Response struct{ Status, Location string }
	}
}

func (a answer) bundle(t testing.TB) bundle {
	t.Helper()
	var b bundle
	if err := json.Unmarshal([]byte(a.body), &b); err != nil {
		t.Fatalf("no Bundle: %d %s", a.status, a.body)
	}
	return b
}

// ids are the "Type/id"s of a Bundle, sorted.
func (b bundle) ids() []string {
	list := []string{}
	for _, e := range b.Entry {
		list = append(list, e.Resource.ResourceType+"/"+e.Resource.ID)
	}
	slices.Sort(list)
	return list
}

func (b bundle) link(relation string) string {
	for _, l := range b.Link {
		if l.Relation == relation {
			return l.URL
		}
	}
	return ""
}
