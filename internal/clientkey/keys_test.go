package clientkey_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/store"
)

const url = "https://app.example.org/jwks"

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

// keySet is a set with a key of P-384 for each kid.
func keySet(t testing.TB, kids ...string) []byte {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for _, kid := range kids {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: ecKey(t, elliptic.P384()), KeyID: kid, Algorithm: "ES384", Use: "sig"})
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// host answers for a client's URL.
type host struct {
	*clientkey.Keys
	mu      sync.Mutex
	body    []byte
	control string
	age     string
	err     error
	slow    time.Duration
	fetches atomic.Int64
}

func newHost(t testing.TB, kids ...string) *host {
	t.Helper()
	h := &host{body: keySet(t, kids...)}
	var err error
	h.Keys, err = clientkey.New(clientkey.Deps{Fetch: h.fetch, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) fetch(_ context.Context, got string, _ int64) ([]byte, http.Header, error) {
	h.fetches.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	time.Sleep(h.slow)
	header := http.Header{}
	if h.control != "" {
		header.Set("Cache-Control", h.control)
	}
	if h.age != "" {
		header.Set("Age", h.age)
	}
	if got != url && !strings.HasPrefix(got, url+"?") {
		return nil, nil, errors.New("another URL: " + got)
	}
	return h.body, header, h.err
}

func (h *host) find(t testing.TB, kid string) error {
	t.Helper()
	key, err := h.Find(t.Context(), store.Client{ID: "c", JWKSURI: url}, kid, "ES384")
	if (err == nil) != (key.Public() != nil) {
		t.Fatalf("key %v with %v", key, err)
	}
	return err
}

// steps are: wait, ask for a kid, want an outcome and so many fetches in all.
type step struct {
	after   time.Duration
	kid     string
	want    error
	fetches int64
}

func (h *host) walk(t *testing.T, steps ...step) {
	t.Helper()
	for n, s := range steps {
		time.Sleep(s.after)
		if err := h.find(t, s.kid); !errors.Is(err, s.want) {
			t.Errorf("step %d, %s: %v, want %v", n, s.kid, err, s.want)
		}
		if got := h.fetches.Load(); got != s.fetches {
			t.Errorf("step %d, %s: %d fetches, want %d", n, s.kid, got, s.fetches)
		}
	}
}

// spec: CAUTH-24
// attack: E-24
func TestHowLongASetIsUsed(t *testing.T) {
	for _, row := range []struct {
		control, age string
		lives        time.Duration
	}{
		{"", "", 5 * time.Minute},
		{"public", "", 5 * time.Minute},
		{"max-age=60", "", time.Minute},
		{"public, Max-Age=\"60\"", "", time.Minute},
		{"max-age=60, max-age=30", "", 30 * time.Second},
		{"max-age=60", "45", 15 * time.Second},
		{"max-age=600000", "", time.Hour},
		{"max-age=0", "", time.Second},
		{"no-store", "", time.Second},
		{"max-age=600, no-cache", "", time.Second},
		{"max-age=-1", "", time.Second},
		{"max-age=soon", "", time.Second},
		{"max-age=60", "90", time.Second},
	} {
		t.Run(row.control+" age "+row.age, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t, "1")
				h.control, h.age = row.control, row.age
				h.walk(t, step{0, "1", nil, 1}, step{row.lives - time.Millisecond, "1", nil, 1}, step{time.Millisecond, "1", nil, 2})
			})
		})
	}
}

// A new key works at once, a key that was taken away until the life of the set
// ends, and kids that were made up cost one fetch in half a minute.
//
// spec: CAUTH-24, BS-13
// attack: CA-23, CA-24
func TestRotationAndMadeUpKids(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, "old")
		h.control = "max-age=300"
		h.walk(t, step{0, "old", nil, 1}, step{time.Second, "old", nil, 1})
		before := h.body
		h.body = keySet(t, "new")
		h.walk(t, step{0, "new", nil, 2}, step{0, "old", clientkey.ErrNoKey, 2})
		h.body = before
		h.walk(t, step{29 * time.Second, "old", clientkey.ErrNoKey, 2}, step{time.Second, "old", nil, 3})
		h.walk(t, step{300 * time.Second, "old", nil, 4})
	})
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, "old")
		h.control = "max-age=3600"
		h.walk(t, step{0, "old", nil, 1})
		for n := range 1000 {
			if err := h.find(t, strconv.Itoa(n)); !errors.Is(err, clientkey.ErrNoKey) {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		h.walk(t, step{0, "old", nil, 2}) // a good key was not driven out
	})
}

// What cannot be fetched is not asked for again and again; a set lives to its own
// end and not beyond.
//
// spec: CAUTH-25
// attack: E-24
func TestASetThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, "1")
		h.control = "max-age=60"
		h.walk(t, step{0, "1", nil, 1})
		h.err = errors.New("connection refused")
		h.walk(t, step{59 * time.Second, "1", nil, 1}, step{0, "2", clientkey.ErrNoKey, 2}, step{0, "1", nil, 2})
		h.walk(t,
			step{time.Second, "1", clientkey.ErrUnreachable, 2}, // its life is over, and a fetch has just failed
			step{4 * time.Second, "1", clientkey.ErrUnreachable, 3}, step{time.Second, "1", clientkey.ErrUnreachable, 3})
		h.err = nil
		h.walk(t, step{3 * time.Second, "1", clientkey.ErrUnreachable, 3}, step{time.Second, "1", nil, 4})
	})
	for name, body := range map[string]string{
		"HTML": "<html>", "no set": "{}", "a list": "[]", "nothing": "", "cut off": `{"keys":[`, "keys twice": `{"keys":[],"keys":[]}`,
		"too many": `{"keys":[` + strings.Repeat("1,", 100) + `1]}`, "bad UTF-8": "{\"keys\":[],\"x\":\"\xff\"}",
	} {
		h := newHost(t)
		h.body = []byte(body)
		if err := h.find(t, "1"); !errors.Is(err, clientkey.ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Callers for the same set share one fetch, and whoever gives up does not end it
// for the others.
//
// attack: E-24, CA-23
func TestOneFetchInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, "1")
		h.slow = 3 * time.Second
		var found atomic.Int64
		var all sync.WaitGroup
		for n := range 50 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if n%2 == 0 {
					ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				}
				defer cancel()
				_, err := h.Find(ctx, store.Client{ID: "c", JWKSURI: url}, "1", "ES384")
				if err == nil {
					found.Add(1)
				} else if !errors.Is(err, clientkey.ErrUnreachable) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if found.Load() != 25 || h.fetches.Load() != 1 {
			t.Errorf("%d found by %d fetches", found.Load(), h.fetches.Load())
		}
	})
}

// The cache is of a client and its source: another client's key of the same name
// is not found, and keys that were replaced are forgotten at once.
//
// attack: E-24
func TestKeysBelongToTheirClient(t *testing.T) {
	h := newHost(t, "1")
	find := func(c store.Client) error {
		_, err := h.Find(t.Context(), c, "1", "ES384")
		return err
	}
	if err := h.find(t, "1"); err != nil {
		t.Fatal(err)
	}
	other := store.Client{ID: "other", JWKS: keySet(t, "2")}
	if err := find(other); !errors.Is(err, clientkey.ErrNoKey) {
		t.Error(err)
	}
	other.JWKS = keySet(t, "1")
	if err := find(other); err != nil {
		t.Error(err)
	}
	other.JWKS = keySet(t, "3")
	if err := find(other); !errors.Is(err, clientkey.ErrNoKey) {
		t.Errorf("a key that was taken away: %v", err)
	}
	if err := find(store.Client{ID: "c", JWKSURI: url + "?moved"}); err != nil || h.fetches.Load() != 2 {
		t.Errorf("a moved set: %v, %d fetches", err, h.fetches.Load())
	}
	for name, c := range map[string]store.Client{"no keys": {ID: "none"}, "broken keys": {ID: "broken", JWKS: []byte("{")}} {
		if err := find(c); !errors.Is(err, clientkey.ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Exactly one key fits kid and kty, and it must be able to sign that way.
//
// spec: CAUTH-26, CAUTH-28
// attack: CA-03, CA-21
func TestTheOneKeyThatFits(t *testing.T) {
	one := func(key any, kid, algorithm string, extra string) string {
		raw, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(string(raw), "}") + extra + "}"
	}
	p384, p256 := ecKey(t, elliptic.P384()), ecKey(t, elliptic.P256())
	rsa2048 := `{"kty":"RSA","kid":"1","e":"AQAB","n":"` + strings.Repeat("_", 342) + `"}`
	rsa1024 := `{"kty":"RSA","kid":"1","e":"AQAB","n":"` + strings.Repeat("_", 171) + `"}`
	for _, row := range []struct {
		name, algorithm string
		found           bool
		keys            []string
	}{
		{"one", "ES384", true, []string{one(p384, "1", "", "")}},
		{"another kid", "ES384", false, []string{one(p384, "2", "", "")}},
		{"no kid", "ES384", false, []string{one(p384, "", "", "")}},
		{"one of each kty", "ES384", true, []string{one(p384, "1", "", ""), rsa2048}},
		{"one of each kty, the other", "RS384", true, []string{one(p384, "1", "", ""), rsa2048}},
		{"PS384 with the same", "PS384", true, []string{rsa2048}},
		{"twice", "ES384", false, []string{one(p384, "1", "", ""), one(p384, "1", "", "")}},
		{"two curves", "ES384", false, []string{one(p384, "1", "", ""), one(p256, "1", "", "")}},
		{"beside an unusable one", "RS384", false, []string{rsa2048, rsa1024}},
		{"P-256 for ES384", "ES384", false, []string{one(p256, "1", "", "")}},
		{"P-384 for ES256", "ES256", false, []string{one(p384, "1", "", "")}},
		{"P-256 for ES256", "ES256", true, []string{one(p256, "1", "", "")}},
		{"EC for RS384", "RS384", false, []string{one(p384, "1", "", "")}},
		{"RSA for ES384", "ES384", false, []string{rsa2048}},
		{"its alg is another one", "PS384", false, []string{strings.Replace(rsa2048, "{", `{"alg":"RS384",`, 1)}},
		{"its alg", "RS384", true, []string{strings.Replace(rsa2048, "{", `{"alg":"RS384",`, 1)}},
		{"RS256", "RS256", false, []string{rsa2048}},
		{"HS256", "HS256", false, []string{rsa2048}},
		{"none", "none", false, []string{rsa2048}},
		{"no algorithm", "", false, []string{rsa2048}},
		{"1024 bits", "RS384", false, []string{rsa1024}},
		{"private", "ES384", false, []string{one(p384, "1", "", `,"d":"AQAB"`)}},
		{"for encryption", "ES384", false, []string{one(p384, "1", "", `,"use":"enc"`)}},
		{"not for verifying", "ES384", false, []string{one(p384, "1", "", `,"key_ops":["sign"]`)}},
		{"for verifying", "ES384", true, []string{one(p384, "1", "", `,"key_ops":["verify"],"use":"sig"`)}},
		{"beside what nobody understands", "ES384", true, []string{`{"kty":"OKP","kid":"1","crv":"X25519","x":"AAAA"}`, `{"kty":"oct","k":"AAAA"}`, one(p384, "1", "", "")}},
	} {
		h := newHost(t)
		h.body = []byte(`{"keys":[` + strings.Join(row.keys, ",") + `]}`)
		for _, c := range []store.Client{{ID: "c", JWKSURI: url}, {ID: "d", JWKS: h.body}} {
			key, err := h.Find(t.Context(), c, "1", row.algorithm)
			if (err == nil) != row.found || (key.Public() != nil) != row.found || err != nil && !errors.Is(err, clientkey.ErrNoKey) {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	}
}

// Another server signs as servers do; its keys are its own, whoever else has one of
// that name.
//
// attack: E-24
func TestKeysOfAnotherServer(t *testing.T) {
	rsa2048 := `{"kty":"RSA","kid":"1","e":"AQAB","n":"` + strings.Repeat("_", 342) + `"`
	body := `{"keys":[` + rsa2048 + `,"alg":"RS256"}]}`
	k, err := clientkey.New(clientkey.Deps{Now: time.Now, Algorithms: clientkey.ServerAlgorithms(), Fetch: func(_ context.Context, at string, _ int64) ([]byte, http.Header, error) {
		if at != url {
			return []byte(`{"keys":[]}`), nil, nil
		}
		return []byte(body), nil, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		owner, at, kid, algorithm string
		found                     bool
	}{
		{"https://a", url, "1", "RS256", true}, {"https://a", url, "1", "RS384", false}, {"https://a", url, "1", "PS256", false}, {"https://a", url, "1", "HS256", false},
		{"https://a", url, "1", "none", false}, {"https://a", url, "2", "RS256", false}, {"https://b", url + "?b", "1", "RS256", false}, {"https://a", url + "?b", "1", "RS256", false},
	} {
		key, err := k.FindAt(t.Context(), row.owner, row.at, row.kid, row.algorithm)
		if (err == nil) != row.found || (key.Public() != nil) != row.found || err != nil && !errors.Is(err, clientkey.ErrNoKey) {
			t.Errorf("%v: %v", row, err)
		}
	}
	if e, err := clientkey.ExplainAt(t.Context(), func(context.Context, string, int64) ([]byte, http.Header, error) { return []byte(body), nil, nil }, url, clientkey.ServerAlgorithms()); err != nil || e.Usable() != 1 {
		t.Errorf("%v, %v", e, err)
	}
	if clientkey.Check([]byte(body)) == nil { // no client may register it
		t.Error("a client may register a key for RS256")
	}
}

// A reader that trips is told as a set that is away.
func TestAPanicStaysWithItsClient(t *testing.T) {
	k, err := clientkey.New(clientkey.Deps{Now: time.Now, Fetch: func(context.Context, string, int64) ([]byte, http.Header, error) { panic("odd") }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Find(t.Context(), store.Client{ID: "c", JWKSURI: url}, "1", "ES384"); !errors.Is(err, clientkey.ErrUnreachable) {
		t.Error(err)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := clientkey.New(clientkey.Deps{Now: time.Now}); err == nil {
		t.Error("made without a way to fetch")
	}
}

// FuzzKeySet: whatever registration lets in can be found again, public and strong.
func FuzzKeySet(f *testing.F) {
	f.Add(keySet(f, "1"))
	f.Add(keySet(f, "1", "2"))
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"1","e":"AQAB","n":"AQAB"},{"kty":"oct","k":"AA"}]}`))
	f.Add([]byte(`{"keys":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := clientkey.New(clientkey.Deps{Now: time.Now, Fetch: func(context.Context, string, int64) ([]byte, http.Header, error) { return raw, nil, nil }})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = h.Find(t.Context(), store.Client{ID: "c", JWKSURI: url}, "1", "ES384")
		if clientkey.Check(raw) != nil {
			return
		}
		var set struct {
			Keys []struct{ Kid, Kty, Crv, D, K string }
		}
		if err := json.Unmarshal(raw, &set); err != nil || len(set.Keys) == 0 {
			t.Fatalf("registered: %s", raw)
		}
	})
}
