package keys_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/store"
)

var (
	ctx     = context.Background()
	discard = slog.New(slog.DiscardHandler)
)

// memory keeps keys as a database would, for several rings.
type memory struct {
	kek     string // file of the first ring
	mu      sync.Mutex
	keys    []store.SigningKey
	secrets map[string]store.ServerSecret
	created int
	changed int
	lost    error     // what ChangeKeys answers although it was done
	clock   time.Time // zero: the real one
}

func (m *memory) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.clock.IsZero() {
		return time.Now()
	}
	return m.clock
}

func (m *memory) wait(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock = m.clock.Add(by)
}

func (m *memory) ListKeys(context.Context) ([]store.SigningKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.keys), nil
}

func (m *memory) ListSecrets(context.Context) ([]store.ServerSecret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []store.ServerSecret{}
	for _, s := range m.secrets {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b store.ServerSecret) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (m *memory) CreateKeysOnce(_ context.Context, made []store.SigningKey) ([]store.SigningKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.created++
	if len(m.keys) == 0 {
		m.keys = made
	}
	return slices.Clone(m.keys), nil
}

func (m *memory) ChangeKeys(ctx context.Context, c store.KeyChange) error {
	secrets, _ := m.ListSecrets(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !reflect.DeepEqual(c.ReadKeys, m.keys) || c.ReadSecrets != nil && !reflect.DeepEqual(c.ReadSecrets, secrets) {
		return store.ErrConflict
	}
	m.keys = slices.Clone(c.Keys)
	m.changed++
	if c.ReadSecrets != nil {
		clear(m.secrets)
	}
	for _, s := range c.Secrets {
		m.secrets[s.Name] = s
	}
	return m.lost
}

func (m *memory) CreateSecretOnce(_ context.Context, s store.ServerSecret) (store.ServerSecret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.secrets[s.Name]; ok {
		return old, nil
	}
	if m.secrets == nil {
		m.secrets = map[string]store.ServerSecret{}
	}
	m.secrets[s.Name] = s
	return s, nil
}

// open opens a ring, as another process with a file of its own would.
func open(t testing.TB, m *memory, file string) (*keys.Ring, error) {
	t.Helper()
	return keys.Open(ctx, keys.Deps{Store: m, KEKFile: file, Schedule: keys.DefaultSchedule(), Now: m.now, Log: discard})
}

// ring opens a first ring on an empty database.
func ring(t testing.TB) (*keys.Ring, *memory) {
	t.Helper()
	return ringOf(t, &memory{})
}

// clocked is ring with a clock that stands still.
func clocked(t testing.TB) (*keys.Ring, *memory) {
	t.Helper()
	return ringOf(t, &memory{clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
}

func ringOf(t testing.TB, m *memory) (*keys.Ring, *memory) {
	t.Helper()
	m.kek = filepath.Join(t.TempDir(), "kek")
	r, err := open(t, m, m.kek)
	must(t, err)
	return r, m
}

// kekFile is a file with a key of one's own.
func kekFile(t testing.TB, key []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kek")
	must(t, os.WriteFile(path, []byte(hex.EncodeToString(key)), 0o600))
	return path
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, text, 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ways are all kinds of tokens.
var ways = []struct{ use, algorithm string }{{keys.UseAccess, keys.ES256}, {keys.UseID, keys.RS256}, {keys.UseID, keys.ES256}}

// signed is one token of each kind.
func signed(t testing.TB, r *keys.Ring) []string {
	t.Helper()
	var list []string
	for _, way := range ways {
		text, err := r.Sign(way.use, way.algorithm, "t", []byte("{}"))
		must(t, err)
		list = append(list, text)
	}
	return list
}

// accepted are the errors that the tokens of signed meet, nil for good ones. What
// verifies and what was verified before are judged alike.
func accepted(r *keys.Ring, tokens []string) (errs [3]error) {
	for i, way := range ways {
		first, _, _ := strings.Cut(tokens[i], ".")
		raw, _ := base64.RawURLEncoding.DecodeString(first)
		var header struct {
			Kid string `json:"kid"`
		}
		_ = json.Unmarshal(raw, &header)
		_, kid, err := r.Verify(way.use, "t", tokens[i])
		errs[i] = err
		if r.Accepts(header.Kid) != (err == nil) || err == nil && kid != header.Kid {
			errs[i] = fmt.Errorf("verified: %v; accepted: %t; kid %q", err, r.Accepts(header.Kid), kid)
		}
	}
	return errs
}

func good(errs [3]error) bool { return errs == [3]error{} }

// kids are the names in the published set.
func kids(t testing.TB, r *keys.Ring) []string {
	t.Helper()
	var set struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	must(t, json.Unmarshal(r.JWKS(), &set))
	var list []string
	for _, k := range set.Keys {
		list = append(list, k.Kid)
	}
	return list
}

func headerOf(t testing.TB, text string) (header map[string]string, rest string) {
	t.Helper()
	first, rest, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	must(t, err)
	must(t, json.Unmarshal(raw, &header))
	return header, rest
}

func kidOf(t testing.TB, text string) string {
	t.Helper()
	header, _ := headerOf(t, text)
	return header["kid"]
}

// withKid puts another kid into the header of a token.
func withKid(t testing.TB, text, kid string) string {
	t.Helper()
	header, rest := headerOf(t, text)
	header["kid"] = kid
	raw, err := json.Marshal(header)
	must(t, err)
	return base64.RawURLEncoding.EncodeToString(raw) + "." + rest
}
