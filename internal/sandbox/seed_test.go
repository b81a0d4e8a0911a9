package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/sandbox"
	"github.com/emberlatch/emberlatch/internal/store"
)

// memory is a store that keeps unique keys unique, and stops after so many writes.
type memory struct {
	clients     map[store.ClientID]store.Client
	users       map[string]store.User
	invitations map[string]store.Invitation
	writes      int
	stopAfter   int // 0: never
	loads       int
	factors     []string // user name and secret
}

var errStopped = errors.New("the power went")

func newMemory() *memory {
	return &memory{clients: map[store.ClientID]store.Client{}, users: map[string]store.User{}, invitations: map[string]store.Invitation{}}
}

func (m *memory) write() error {
	if m.stopAfter > 0 && m.writes >= m.stopAfter {
		return errStopped
	}
	m.writes++
	return nil
}

func (m *memory) CreateClient(_ context.Context, c store.Client) error {
	if _, taken := m.clients[c.ID]; taken {
		return store.ErrConflict
	}
	if err := m.write(); err != nil {
		return err
	}
	m.clients[c.ID] = c
	return nil
}

func (m *memory) Client(_ context.Context, id store.ClientID) (store.Client, error) {
	c, ok := m.clients[id]
	if !ok {
		return c, store.ErrNotFound
	}
	return c, nil
}

func (m *memory) PutClient(_ context.Context, c store.Client) error {
	if err := m.write(); err != nil {
		return err
	}
	m.clients[c.ID] = c
	return nil
}

func (m *memory) CreateUser(_ context.Context, u store.User) error {
	if _, taken := m.users[u.UsernameKey]; taken {
		return store.ErrConflict
	}
	if err := m.write(); err != nil {
		return err
	}
	m.users[u.UsernameKey] = u
	return nil
}

func (m *memory) UserByName(_ context.Context, key string) (store.User, error) {
	u, ok := m.users[key]
	if !ok {
		return u, store.ErrNotFound
	}
	return u, nil
}

func (m *memory) CreateInvitation(_ context.Context, i store.Invitation) error {
	if _, taken := m.invitations[string(i.CodeHash)]; taken {
		return store.ErrConflict
	}
	if err := m.write(); err != nil {
		return err
	}
	m.invitations[string(i.CodeHash)] = i
	return nil
}

func (m *memory) Load(_ context.Context, resources iter.Seq[fhirstore.Incoming], _ func(int)) (fhirstore.LoadReport, error) {
	m.loads++
	for r := range resources {
		if strings.Contains(string(r.JSON), `"refused"`) {
			return fhirstore.LoadReport{Failures: []fhirstore.LoadFailure{{Origin: r.Origin, Reason: "not wanted"}}}, nil
		}
	}
	return fhirstore.LoadReport{}, nil
}

func (m *memory) setFactor(_ context.Context, u store.User, secret string) error {
	if err := m.write(); err != nil {
		return err
	}
	key := u.UsernameKey
	u = m.users[key]
	u.FactorAt = today
	m.users[key] = u
	m.factors = append(m.factors, key+" "+secret)
	return nil
}

func seeder(m *memory) sandbox.Seeder {
	return sandbox.Seeder{
		Store: m, Loader: m,
		HashPassword: func(_ context.Context, p string) (string, error) { return "hash of " + p, nil },
		UsernameKey:  func(u string) (string, error) { return strings.ToLower(u), nil },
		CodeHash:     oauth.Hash,
		SetFactor:    m.setFactor,
		Now:          func() time.Time { return today },
	}
}

func seed(t *testing.T, m *memory, redirect string) error {
	t.Helper()
	d := generate(t, 6)
	d.Resources = d.Resources[:1]
	return seeder(m).Seed(t.Context(), d, sandbox.Clients(redirect, today))
}

const redirect = "http://127.0.0.1:8766/callback"

func TestSeedingWritesEverybody(t *testing.T) {
	m := newMemory()
	if err := seed(t, m, redirect); err != nil {
		t.Fatal(err)
	}
	d := generate(t, 6)
	for _, p := range d.People {
		u := m.users[p.Username]
		if u.Display != p.Display || u.Role != p.Role || u.FHIRUser != p.FHIRUser || u.ID == "" || u.PasswordHash != "hash of "+p.Password {
			t.Errorf("%s became %+v", p.Username, u)
		}
	}
	for _, e := range d.Enrolment {
		if i := m.invitations[string(oauth.Hash(e.Code))]; i.Patient != e.Patient || !i.ExpiresAt.After(today) {
			t.Errorf("the invitation became %+v", i)
		}
	}
	if diff := cmp.Diff([]string{"helena EMBERLATCHSANDBOXSECONDSTEPHELEN"}, m.factors); diff != "" {
		t.Errorf("second factors: %s", diff)
	}
	if len(m.clients) != len(sandbox.Clients(redirect, today)) || m.loads != 1 {
		t.Errorf("%d clients, %d loads", len(m.clients), m.loads)
	}
}

func TestASecondStartChangesNothingButTheAddressOfTheSampleApp(t *testing.T) {
	m := newMemory()
	if err := seed(t, m, redirect); err != nil {
		t.Fatal(err)
	}
	writes := m.writes
	if err := seed(t, m, redirect); err != nil || m.writes != writes || m.loads != 1 {
		t.Errorf("the second start wrote %d times and loaded %d times: %v", m.writes-writes, m.loads-1, err)
	}
	moved := "http://127.0.0.1:9999/callback"
	if err := seed(t, m, moved); err != nil || m.writes != writes+1 {
		t.Errorf("a start elsewhere wrote %d times: %v", m.writes-writes, err)
	}
	if diff := cmp.Diff([]string{moved}, m.clients[sandbox.SampleClient].RedirectURIs); diff != "" {
		t.Errorf("the sample app: %s", diff)
	}
}

// Wherever the first start was interrupted, the next one finishes it.
func TestAnInterruptedStartIsRepeated(t *testing.T) {
	whole := newMemory()
	if err := seed(t, whole, redirect); err != nil {
		t.Fatal(err)
	}
	for after := 1; after < whole.writes; after++ {
		m := newMemory()
		m.stopAfter = after
		if err := seed(t, m, redirect); !errors.Is(err, errStopped) {
			t.Fatalf("stopped after %d writes: %v", after, err)
		}
		m.stopAfter = 0
		if err := seed(t, m, redirect); err != nil {
			t.Errorf("the start after one that was stopped after %d writes: %v", after, err)
		}
		if len(m.clients) != len(whole.clients) || len(m.users) != len(whole.users) || len(m.invitations) != len(whole.invitations) || len(m.factors) != len(whole.factors) {
			t.Errorf("stopped after %d writes: %d clients, %d people, %d invitations", after, len(m.clients), len(m.users), len(m.invitations))
		}
	}
}

// A folder of an earlier version learns of people who are new.
func TestANewPersonComesToASandboxThatIsThere(t *testing.T) {
	m := newMemory()
	if err := seed(t, m, redirect); err != nil {
		t.Fatal(err)
	}
	delete(m.users, "helena")
	if err := seed(t, m, redirect); err != nil || m.users["helena"].FactorAt.IsZero() || len(m.factors) != 2 {
		t.Errorf("%+v, %v, %v", m.users["helena"], m.factors, err)
	}
}

// A folder of an earlier version learns of apps that are new, and keeps its records
// as they are.
func TestANewAppComesToASandboxThatIsThere(t *testing.T) {
	m := newMemory()
	if err := seed(t, m, redirect); err != nil {
		t.Fatal(err)
	}
	writes := m.writes
	d := generate(t, 6)
	d.Resources = d.Resources[:1]
	all := append(sandbox.Clients(redirect, today), withKeys(t, strings.Repeat("s", 32))...)
	for range 2 {
		if err := seeder(m).Seed(t.Context(), d, all); err != nil || len(m.clients) != len(all) || m.writes != writes+2 || m.loads != 1 {
			t.Fatalf("%d clients of %d by %d writes, %d loads: %v", len(m.clients), len(all), m.writes-writes, m.loads, err)
		}
	}
}

func TestARefusedRecordStopsTheStart(t *testing.T) {
	d := generate(t, 6)
	d.Resources = append(d.Resources, []byte(`{"resourceType":"Basic","id":"refused"}`))
	m := newMemory()
	err := seeder(m).Seed(t.Context(), d, sandbox.Clients(redirect, today))
	if err == nil || !strings.Contains(err.Error(), "not wanted") || len(m.clients) > 0 {
		t.Errorf("error %v, %d clients", err, len(m.clients))
	}
}

// The day of a later start must not change who the people are: their records stay as
// they were stored.
func TestPeopleKeepTheirBirthDates(t *testing.T) {
	first := generate(t, 12)
	later, err := sandbox.Generate(12, today.AddDate(0, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Enrolment, later.Enrolment); diff != "" {
		t.Errorf("enrolment: %s", diff)
	}
	if diff := cmp.Diff(first.People, later.People); diff != "" {
		t.Errorf("people: %s", diff)
	}
}

// The names of sandbox.json are a contract with scripts.
func TestWriteJSON(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "sandbox.json")
	if err := os.WriteFile(stale, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	d, clients := generate(t, 6), sandbox.Clients(redirect, today)
	if err := sandbox.WriteJSON(dir, "http://localhost:8765", "http://localhost:8765/fhir", "http://127.0.0.1:8766", d, clients); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(stale)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	raw, err := os.ReadFile(stale)
	if err != nil {
		t.Fatal(err)
	}
	var f map[string]any
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	if f["issuer"] != "http://localhost:8765" || f["fhir_base_url"] != "http://localhost:8765/fhir" {
		t.Errorf("addresses %v, %v", f["issuer"], f["fhir_base_url"])
	}
	for list, names := range map[string][]string{
		"people":    {"username", "password", "role", "display", "fhirUser", "patients"},
		"clients":   {"client_id", "kind", "redirect_uris", "scope"},
		"enrolment": {"patient", "given", "family", "birth_date", "code"},
	} {
		if len(array(f[list])) == 0 {
			t.Errorf("no %s", list)
		}
		for _, entry := range array(f[list]) {
			for _, name := range names {
				if value, there := object(entry)[name]; !there || value == nil {
					t.Errorf("%s: %v has no %s", list, entry, name)
				}
			}
		}
	}
}
