package keys

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// What a key signs. A key of one use never signs or verifies for another.
const (
	UseAccess = "access"
	UseID     = "id"
)

// Algorithms of the keys (RFC 7518 §3.1).
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// Deps are the parts that the Ring needs; all are required.
type Deps struct {
	Store store.Keys
	KEK   []byte // 32 bytes
	Now   func() time.Time
}

// Ring holds the opened keys. It is safe for concurrent use.
type Ring struct {
	deps Deps
	box  box
	set  atomic.Pointer[keySet]
}

// keySet is immutable; Reload makes a new one.
type keySet struct {
	byID    map[string]*key
	signing map[string]*key // use + " " + algorithm
	jwks    []byte
}

// Open opens all keys, making the first ones when the database has none, and
// proves each by signing and verifying once.
func Open(ctx context.Context, deps Deps) (*Ring, error) {
	if deps.Store == nil || deps.Now == nil {
		return nil, errors.New("keys: a part is missing")
	}
	b, err := newBox(deps.KEK)
	if err != nil {
		return nil, err
	}
	r := &Ring{deps: deps, box: b}
	stored, err := deps.Store.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		if stored, err = r.first(ctx); err != nil {
			return nil, err
		}
	}
	return r, r.load(stored)
}

// first makes one key for each use and algorithm.
func (r *Ring) first(ctx context.Context) ([]store.SigningKey, error) {
	var made []store.SigningKey
	for _, k := range []struct{ use, algorithm string }{{UseAccess, ES256}, {UseID, RS256}, {UseID, ES256}} {
		sealed, err := r.generate(k.use, k.algorithm)
		if err != nil {
			return nil, fmt.Errorf("making a signing key: %w", err)
		}
		made = append(made, sealed)
	}
	return r.deps.Store.CreateKeysOnce(ctx, made)
}

// Reload reads the keys again, after another process has changed them.
func (r *Ring) Reload(ctx context.Context) error {
	stored, err := r.deps.Store.ListKeys(ctx)
	if err != nil {
		return err
	}
	return r.load(stored)
}

func (r *Ring) load(stored []store.SigningKey) error {
	set := &keySet{byID: map[string]*key{}, signing: map[string]*key{}}
	public := []json.RawMessage{}
	for _, s := range stored {
		k, err := r.open(s)
		if err != nil {
			return fmt.Errorf("signing key %s: %w", s.ID, err)
		}
		set.byID[s.ID] = k
		if s.State == store.KeySigning {
			set.signing[s.Use+" "+s.Algorithm] = k
		}
		public = append(public, s.PublicJWK)
	}
	for _, need := range []string{UseAccess + " " + ES256, UseID + " " + RS256, UseID + " " + ES256} {
		if set.signing[need] == nil {
			return fmt.Errorf("keys: no key signs for %s", need)
		}
	}
	var err error
	if set.jwks, err = json.Marshal(map[string]any{"keys": public}); err != nil {
		return err
	}
	r.set.Store(set)
	return nil
}

// JWKS is the public key set (RFC 7517 §5).
func (r *Ring) JWKS() []byte { return r.set.Load().jwks }

// Algorithms lists what a use can be signed with, sorted.
func (r *Ring) Algorithms(use string) []string {
	var list []string
	for _, k := range r.set.Load().signing {
		if k.use == use {
			list = append(list, k.algorithm)
		}
	}
	slices.Sort(list)
	return list
}

// Secret returns the named 32 bytes, made at the first call anywhere.
func (r *Ring) Secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	sealed, err := r.box.seal("secret "+name, fresh)
	if err != nil {
		return nil, err
	}
	stored, err := r.deps.Store.CreateSecretOnce(ctx, store.ServerSecret{Name: name, Sealed: sealed, CreatedAt: r.deps.Now()})
	if err != nil {
		return nil, err
	}
	secret, err := r.box.open("secret "+name, stored.Sealed)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	return secret, nil
}
