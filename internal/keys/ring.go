package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// What a key signs. A key of one use never signs or verifies for another. UseID is for
// what clients verify themselves: ID tokens, logout tokens and introspection answers, which
// their typ keeps apart (RFC 8725 §3.11).
const (
	UseAccess = "access"
	UseID     = "id"
)

// Algorithms of the keys (RFC 7518 §3.1).
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// kinds are the keys that there always are.
var kinds = []struct{ use, algorithm string }{{UseAccess, ES256}, {UseID, RS256}, {UseID, ES256}}

// Deps are the parts that the Ring needs; all are required.
type Deps struct {
	Store store.Keys
	// KEKFile holds the key-encrypting key. It is made when nothing is sealed yet.
	KEKFile  string
	Schedule Schedule
	Now      func() time.Time
	Log      *slog.Logger
}

// Ring holds the opened keys. It is safe for concurrent use.
type Ring struct {
	deps Deps
	mu   sync.Mutex // one reader of the stored keys at a time
	live []string   // the secrets that are read with them
	set  atomic.Pointer[keySet]
}

// keySet is immutable; Reload makes a new one.
type keySet struct {
	box  box
	all  []*key // as stored, the oldest first
	byID map[string]*key
	// secrets are those that are replaced with the keys, by name.
	secrets map[string][]byte
	// outdated: what is stored is sealed under another key-encrypting key. The keys
	// that were opened before are good; nothing new can be sealed here.
	outdated bool
}

// Open opens all keys, making the first ones when the database has none, and
// proves each by signing and verifying once.
func Open(ctx context.Context, deps Deps) (*Ring, error) {
	if deps.Store == nil || deps.KEKFile == "" || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("keys: a part is missing")
	}
	if err := deps.Schedule.check(); err != nil {
		return nil, err
	}
	r := &Ring{deps: deps}
	stored, err := deps.Store.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	b, err := r.unlock(stored)
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		if stored, err = r.first(ctx, b); err != nil {
			return nil, err
		}
	}
	r.set.Store(&keySet{box: b})
	return r, r.load(stored, nil)
}

// first makes one key of each kind, which sign at once.
func (r *Ring) first(ctx context.Context, b box) ([]store.SigningKey, error) {
	made, err := r.generation(b, r.now())
	if err != nil {
		return nil, err
	}
	return r.deps.Store.CreateKeysOnce(ctx, made)
}

// now in the precision of the store.
func (r *Ring) now() time.Time { return r.deps.Now().UTC().Truncate(time.Millisecond) }

// Reload reads the keys again, after something has changed them.
func (r *Ring) Reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, err := r.deps.Store.ListKeys(ctx)
	if err != nil {
		return err
	}
	var secrets []store.ServerSecret
	if len(r.live) > 0 {
		if secrets, err = r.deps.Store.ListSecrets(ctx); err != nil {
			return err
		}
	}
	return r.load(stored, secrets)
}

// load makes the set of what is stored. Keys that were opened before are not
// opened again: a kid stands for one key for ever.
func (r *Ring) load(stored []store.SigningKey, secrets []store.ServerSecret) error {
	before := r.set.Load()
	set := &keySet{box: before.box, byID: map[string]*key{}}
	if !set.box.opensAll(stored) {
		b, err := r.unlock(stored)
		if set.outdated = err != nil || !b.opensAll(stored); !set.outdated {
			set.box = b
		}
	}
	for _, s := range stored {
		k, err := set.open(before, s)
		if err != nil {
			return fmt.Errorf("signing key %s: %w", s.ID, err)
		}
		set.byID[s.ID], set.all = k, append(set.all, k)
	}
	if err := set.openSecrets(before, secrets, r.live); err != nil {
		return err
	}
	for _, kind := range kinds {
		if set.signer(kind.use, kind.algorithm, r.now()) == nil {
			return fmt.Errorf("keys: no key signs for %s with %s", kind.use, kind.algorithm)
		}
	}
	if set.outdated && !before.outdated {
		r.deps.Log.Error("the keys are sealed under another key-encrypting key than this process has; put the new one beside the old one, with .next at the end of its name",
			"file", r.deps.KEKFile)
	}
	r.set.Store(set)
	return nil
}

// open opens a key, or takes over what was opened before under that name.
func (s *keySet) open(before *keySet, stored store.SigningKey) (*key, error) {
	known := before.byID[stored.ID]
	if known != nil && known.Use == stored.Use && known.Algorithm == stored.Algorithm && bytes.Equal(known.PublicJWK, stored.PublicJWK) {
		return &key{stored, known.private}, nil
	}
	return s.box.openKey(stored)
}

// signer is the youngest key of a use and algorithm that has begun to sign, or,
// under a clock that was set back, the first one that will.
func (s *keySet) signer(use, algorithm string, now time.Time) *key {
	var first, signs *key
	for _, k := range s.all {
		if k.Use != use || k.Algorithm != algorithm {
			continue
		}
		if first == nil || k.SignsFrom.Before(first.SignsFrom) {
			first = k
		}
		if !k.SignsFrom.After(now) && (signs == nil || k.SignsFrom.After(signs.SignsFrom)) {
			signs = k
		}
	}
	if signs == nil {
		return first
	}
	return signs
}

// Accepts reports whether what a key has signed is good at this moment, as far as
// its key goes.
func (r *Ring) Accepts(kid string) bool {
	k := r.set.Load().byID[kid]
	return k != nil && !gone(k.SigningKey, r.deps.Now())
}

// JWKS is the public key set (RFC 7517 §5): every key that is not gone, those that
// do not sign yet as well.
func (r *Ring) JWKS() []byte {
	now, public := r.deps.Now(), []json.RawMessage{}
	for _, k := range r.set.Load().all {
		if !gone(k.SigningKey, now) {
			public = append(public, k.PublicJWK)
		}
	}
	out, err := json.Marshal(map[string]any{"keys": public})
	if err != nil { // what is stored was made by this package
		return []byte(`{"keys":[]}`)
	}
	return out
}

// Algorithms lists what a use can be signed with, sorted.
func (r *Ring) Algorithms(use string) []string {
	var list []string
	for _, k := range kinds {
		if k.use == use {
			list = append(list, k.algorithm)
		}
	}
	slices.Sort(list)
	return list
}
