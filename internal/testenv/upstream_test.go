package testenv_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/internal/testenv"
	"github.com/emberlatch/emberlatch/smart"
)

// fhirServer is a FHIR server that asks nobody who they are, as many do behind a
// gateway.
type fhirServer struct {
	*httptest.Server
	store *fhirsql.Store
	base  string

	mu   sync.Mutex
	seen []http.Header
	down bool
}

// breakDown makes every answer a 503, or ends that.
func (s *fhirServer) breakDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

type anybody struct{ base string }

func (anybody) Challenges(*http.Request, *oauth.Error) []string { return nil }

func (a anybody) Subject(http.Header, *http.Request) (access.Subject, error) {
	return access.NewSubject(access.Facts{ClientID: "x", GrantID: "x", Scopes: smart.NewScopeSet([]string{"system/*.cruds"}), Own: access.Own{All: true}, Base: a.base}), nil
}

func newFHIRServer(t *testing.T, resources ...string) *fhirServer {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: testdb.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	s := &fhirServer{}
	var door http.Handler
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Header.Clone())
		down := s.down
		s.mu.Unlock()
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.Method == http.MethodPost && r.URL.Path == "/fhir" {
			s.transaction(t, w, r)
			return
		}
		r.Header.Set("Authorization", "Bearer any")
		door.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	s.base = s.URL + "/fhir"
	if s.store, err = fhirsql.New(fhirsql.Deps{DB: d, Base: s.base, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	s.load(t, resources...)
	capability, err := fhirapi.NewCapability(s.base, fhirapi.OAuthURIs{})
	if err != nil {
		t.Fatal(err)
	}
	door, err = fhirapi.New(fhirapi.Deps{Base: s.base, Path: "/fhir", Subjects: anybody{s.base}, Backend: s.store, Keeper: s.store, PageKey: make([]byte, 32), Capability: capability, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *fhirServer) load(t *testing.T, resources ...string) {
	t.Helper()
	report, err := s.store.Load(context.Background(), func(yield func(fhirstore.Incoming) bool) {
		for _, r := range resources {
			if !yield(fhirstore.Incoming{JSON: []byte(r), Origin: "test"}) {
				return
			}
		}
	}, nil)
	if err != nil || len(report.Failures) > 0 {
		t.Error(err, report.Failures)
	}
}

func (s *fhirServer) transaction(t *testing.T, w http.ResponseWriter, r *http.Request) {
	var bundle struct {
		Type  string
		Entry []struct {
			Resource json.RawMessage
			Request  struct{ Method, URL string }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&bundle); err != nil || bundle.Type != "transaction" {
		t.Errorf("a write of %q: %v", bundle.Type, err)
	}
	var all []string
	for _, e := range bundle.Entry {
		if e.Request.Method != http.MethodPut {
			t.Errorf("%s %s", e.Request.Method, e.Request.URL)
		}
		all = append(all, string(e.Resource))
	}
	s.load(t, all...)
	w.Header().Set("Content-Type", "application/fhir+json")
	_, _ = io.WriteString(w, `{"resourceType":"Bundle","type":"transaction-response"}`)
}

// headers are what every request so far carried.
func (s *fhirServer) headers() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func before(s *fhirServer, dir string) func(*app.SandboxOptions) {
	return func(o *app.SandboxOptions) {
		if o.Upstream = s.base; dir != "" {
			o.DataDir = dir
		}
	}
}

// A sandbox before an empty server on this machine brings the sample people there,
// and everything works as with records of its own: apps, pickers, panels.
//
// spec: RS-07, RSP-17, RSP-18, RS-20, DISC-30
// attack: GW-27
func TestASandboxBeforeAnEmptyServer(t *testing.T) {
	up := newFHIRServer(t)
	env := testenv.StartWith(t, before(up, ""))
	_, a := env.Token("sandbox-native", "launch/patient openid fhirUser patient/*.rs", "maria", "")
	token := a.String("access_token")
	if a.String("patient") != "maria" {
		t.Fatalf("the token: %s", a.Raw)
	}
	for path, want := range map[string]int{"Patient/maria": 200, "Patient/james": 404, "Observation?_count=5": 200, "metadata": 200, "Practitioner/dr-chen": 200} {
		got := env.Get(token, path)
		if got.Status != want || strings.Contains(string(got.Raw), strings.TrimPrefix(up.URL, "http://")) {
			t.Errorf("%s: %d %.300s, want %d", path, got.Status, got.Raw, want)
		}
	}
	_, d := env.Token("sandbox-native", "launch/patient openid fhirUser user/*.rs", "chen", "maria")
	mine := 0
	for _, p := range env.File.People {
		if p.Username == "chen" {
			mine = len(p.Patients)
		}
	}
	panel := env.Get(d.String("access_token"), "Patient?_summary=count&_total=accurate")
	if panel.Status != 200 || !strings.Contains(string(panel.Raw), `"total":`+strconv.Itoa(mine)) {
		t.Errorf("the panel: %d %s", panel.Status, panel.Raw)
	}
	if got := env.Get(d.String("access_token"), "Patient/james"); got.Status != 404 {
		t.Errorf("another's patient: %d %s", got.Status, got.Raw)
	}
	for _, h := range up.headers() {
		if h.Get("Authorization") != "" || h.Get("Cookie") != "" {
			t.Errorf("the upstream was sent %v", h)
		}
	}
	if load := env.Admin(http.MethodPost, "/data?name=x.ndjson", `{"resourceType":"Patient","id":"x"}`); !strings.Contains(string(load.Raw), "another server") {
		t.Errorf("loading here: %s", load.Raw)
	}
}

// A sandbox before a server with patients makes logins for them and writes nothing;
// started again it has the same ones, and it is no sandbox for other records.
func TestASandboxBeforeAServerWithPatients(t *testing.T) {
	var resources []string
	for _, p := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		resources = append(resources, `{"resourceType":"Patient","id":"p-`+p+`","name":[{"family":"Family-`+p+`","given":["Given"]}],"birthDate":"2020-01-01","generalPractitioner":[{"reference":"Practitioner/doc"}]}`,
			`{"resourceType":"Observation","id":"o-`+p+`","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p-`+p+`"}}`)
	}
	up := newFHIRServer(t, append(resources, `{"resourceType":"Practitioner","id":"doc","name":[{"family":"Doctor","given":["Dora"]}]}`, `{"resourceType":"Practitioner","id":"team","name":[{"family":"Team"}]}`,
		`{"resourceType":"RelatedPerson","id":"rel","patient":{"reference":"Patient/p-e"}}`,
		`{"resourceType":"CareTeam","id":"ct","status":"active","subject":{"reference":"Patient/p-b"},"participant":[{"member":{"reference":"Practitioner/team"}}]}`,
		`{"resourceType":"CareTeam","id":"over","status":"inactive","subject":{"reference":"Patient/p-c"},"participant":[{"member":{"reference":"Practitioner/team"}}]}`)...)
	dir := t.TempDir()
	var first []byte
	t.Run("first", func(t *testing.T) {
		env := testenv.StartWith(t, before(up, dir))
		reach := map[string]string{}
		for _, p := range env.File.People {
			reach[p.Username] = p.Role + " " + p.FHIRUser + " " + strings.Join(p.Patients, ",")
		}
		for name, want := range map[string]string{
			"patient1": "patient Patient/p-a p-a", "patient2": "patient Patient/p-b p-b", "parent": "representative Patient/p-c p-c,p-d", "carer": "representative RelatedPerson/rel p-e",
			"clinician1": "practitioner Practitioner/doc p-a,p-b,p-c,p-d,p-e,p-f,p-g", "clinician2": "practitioner Practitioner/team p-b", "admin": "administrator  ",
		} {
			if reach[name] != want {
				t.Errorf("%s: %q, want %q", name, reach[name], want)
			}
		}
		if len(env.File.Enrolment) != 1 || env.File.Enrolment[0].Patient != "p-f" {
			t.Errorf("enrolment: %+v", env.File.Enrolment)
		}
		for user, c := range map[string]struct{ scope, patient, path string }{
			"patient1": {"launch/patient patient/*.rs", "", "Observation/o-a"}, "parent": {"launch/patient patient/*.rs", "p-d", "Observation/o-d"}, "carer": {"launch/patient patient/*.rs openid fhirUser", "", "Observation/o-e"},
			"clinician1": {"user/*.rs", "", "Observation/o-g"}, "clinician2": {"user/*.rs", "", "Observation/o-b"},
		} {
			_, a := env.Token("sandbox-native", c.scope, user, c.patient)
			if got := env.Get(a.String("access_token"), c.path); got.Status != 200 {
				t.Errorf("%s reads %s: %d %s", user, c.path, got.Status, got.Raw)
			}
			if got := env.Get(a.String("access_token"), "Observation/o-f"); got.Status != 404 && user != "clinician1" {
				t.Errorf("%s reads another's: %d %s", user, got.Status, got.Raw)
			}
		}
		first, _ = os.ReadFile(filepath.Join(dir, "sandbox.json"))
	})
	up.load(t, `{"resourceType":"Patient","id":"p-0","name":[{"family":"New"}]}`)
	t.Run("again", func(t *testing.T) {
		env := testenv.StartWith(t, before(up, dir))
		if env.File.People[0].FHIRUser != "Patient/p-a" || !strings.Contains(string(first), `"username": "patient1"`) {
			t.Errorf("other people: %+v", env.File.People)
		}
		_, a := env.Token("sandbox-native", "launch/patient patient/*.rs", "patient1", "")
		if got := env.Get(a.String("access_token"), "Observation/o-a"); got.Status != 200 {
			t.Errorf("%d %s", got.Status, got.Raw)
		}
	})
	for name, o := range map[string]app.SandboxOptions{
		"its own records": {}, "another server": {Upstream: "http://127.0.0.1:1/fhir"},
	} {
		o.Listen, o.DataDir, o.People, o.Log = "127.0.0.1:0", dir, 8, slog.New(slog.DiscardHandler)
		if _, err := app.StartSandbox(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--reset") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A server that is not there, or not R4, is told at once; production starts, answers
// what is not about records, and says 503 until the server is there.
//
// spec: ERR-46
func TestAServerThatIsNotThere(t *testing.T) {
	o := app.SandboxOptions{Listen: "127.0.0.1:0", DataDir: t.TempDir(), People: 8, Upstream: "http://127.0.0.1:1/fhir", Log: slog.New(slog.DiscardHandler)}
	if _, err := app.StartSandbox(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--upstream") {
		t.Errorf("%v", err)
	}
	env := testenv.Serve(t, func(c *app.Config) { c.FHIR.Upstream.URL = "http://127.0.0.1:1/fhir" })
	for path, want := range map[string]int{"metadata": 503, ".well-known/smart-configuration": 200, "Patient/x": 401} {
		if got := env.Get("", path); got.Status != want {
			t.Errorf("%s: %d %s, want %d", path, got.Status, got.Raw, want)
		}
	}
}

// Whom a clinician reaches is asked of the server that holds the records, at each
// refresh as well: while it does not answer nothing is decided, and nothing is lost.
//
// spec: ERR-46, RT-27, RS-11
// attack: B.112
func TestARefreshAsksTheOtherServer(t *testing.T) {
	team := func(status string) string {
		return `{"resourceType":"CareTeam","id":"ct","status":"` + status + `","subject":{"reference":"Patient/p-a"},"participant":[{"member":{"reference":"Practitioner/doc"}}]}`
	}
	up := newFHIRServer(t, `{"resourceType":"Patient","id":"p-a","name":[{"family":"A"}]}`, `{"resourceType":"Practitioner","id":"doc","name":[{"family":"Doctor"}]}`, team("active"))
	env := testenv.StartWith(t, before(up, ""))
	c, a := env.Token("sandbox-native", "launch/patient user/*.rs offline_access", "clinician1", "p-a")
	if a = c.Refresh(a.String("refresh_token")); a.Status != 200 {
		t.Fatalf("a refresh: %d %s", a.Status, a.Raw)
	}
	up.breakDown(true)
	time.Sleep(2100 * time.Millisecond) // what is remembered ends
	if down := c.Refresh(a.String("refresh_token")); down.Status < 500 {
		t.Errorf("while the other server is down: %d %s", down.Status, down.Raw)
	}
	if got := env.Get(a.String("access_token"), "Patient/p-a"); got.Status != 503 && got.Status != 502 {
		t.Errorf("a read while the other server is down: %d %s", got.Status, got.Raw)
	}
	up.breakDown(false)
	time.Sleep(5100 * time.Millisecond) // it was left alone for a while
	if a = c.Refresh(a.String("refresh_token")); a.Status != 200 {
		t.Fatalf("it is back: %d %s", a.Status, a.Raw)
	}
	up.load(t, team("inactive"))
	time.Sleep(2100 * time.Millisecond)
	if got := env.Get(a.String("access_token"), "Patient/p-a"); got.Status != 404 {
		t.Errorf("out of the team: %d %s", got.Status, got.Raw)
	}
	if lost := c.Refresh(a.String("refresh_token")); lost.Status != 400 || lost.String("error") != "invalid_grant" {
		t.Errorf("a refresh out of the team: %d %s", lost.Status, lost.Raw)
	}
}

// Pages of a sandbox before another server do not say that its people are made up.
func TestPagesSayWhoseRecordsTheseAre(t *testing.T) {
	up := newFHIRServer(t, `{"resourceType":"Patient","id":"p-a","name":[{"family":"A"}]}`)
	for language, words := range map[string]string{"en": "another server", "es": "otro servidor"} {
		env := testenv.StartWith(t, before(up, ""))
		req, err := http.NewRequest(http.MethodGet, env.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Language", language)
		got := env.Send(req)
		if got.Status != 200 || !strings.Contains(got.Raw, words) || strings.Contains(got.Raw, "made up") || strings.Contains(got.Raw, "inventadas") {
			t.Errorf("%s: %d %s", language, got.Status, got.Raw)
		}
	}
}

// An app writes through the gateway with what was granted: scopes to write are granted
// where the other server can be written to, and what it wrote is there, read, changed and
// taken away again. Where it cannot, nothing of that is granted or promised.
//
// spec: RS-16, SCOPE-16, DISC-30
func TestWritingBeforeAnotherServer(t *testing.T) {
	up := newFHIRServer(t, `{"resourceType":"Patient","id":"p-a","name":[{"family":"A"}]}`, `{"resourceType":"Patient","id":"p-b","name":[{"family":"B"}]}`)
	env := testenv.StartWith(t, before(up, ""))
	_, a := env.Token("sandbox-native", "launch/patient patient/Observation.cruds patient/CareTeam.cruds", "patient1", "")
	if a.String("scope") != "launch/patient patient/Observation.cruds patient/CareTeam.rs" {
		t.Errorf("granted: %q", a.String("scope"))
	}
	token := a.String("access_token")
	about := func(patient, more string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + patient + `"}` + more + `}`
	}
	send := func(method, path, body string, header ...string) testenv.Answer {
		return env.JSON(method, env.FHIR+"/"+path, token, body, append([]string{"Content-Type", "application/fhir+json"}, header...)...)
	}
	if got := send("POST", "Observation", about("p-b", "")); got.Status != 403 {
		t.Errorf("for another: %d %s", got.Status, got.Raw)
	}
	made := send("POST", "Observation", about("p-a", ""))
	if made.Status != 201 || strings.Contains(made.Raw, up.URL) || !strings.HasPrefix(made.Header.Get("Location"), env.FHIR+"/Observation/") {
		t.Fatalf("%d %v %s", made.Status, made.Header, made.Raw)
	}
	path := "Observation/" + made.String("id")
	for _, step := range []struct {
		method, path, body string
		status             int
	}{
		{"PUT", path, about("p-a", `,"id":"`+made.String("id")+`","note":[{"text":"mine"}]`), 200}, {"GET", path, "", 200}, {"GET", path + "/_history", "", 200}, {"GET", path + "/_history/1", "", 200},
		{"POST", "", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"DELETE","url":"` + path + `"}}]}`, 200}, {"GET", path, "", 404},
		{"POST", "", `{"resourceType":"Bundle","type":"transaction","entry":[]}`, 501}, {"GET", "Observation/_history", "", 403},
	} {
		if got := send(step.method, step.path, step.body); got.Status != step.status || strings.Contains(got.Raw, up.URL) {
			t.Errorf("%s %s: %d %s, want %d", step.method, step.path, got.Status, got.Raw, step.status)
		}
	}
	meta := env.Get("", "metadata")
	if !strings.Contains(meta.Raw, `"versioning":"versioned-update"`) || !strings.Contains(meta.Raw, `{"code":"batch"}`) || strings.Contains(meta.Raw, "transaction") || strings.Contains(meta.Raw, "history-type") || strings.Contains(meta.Raw, "$export") {
		t.Errorf("%.600s", meta.Raw)
	}
}
