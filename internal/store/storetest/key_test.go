package storetest_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

func TestKeys(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		if keys, err := w.ListKeys(ctx); err != nil || len(keys) != 0 {
			t.Fatalf("keys at the start: %v, %v", keys, err)
		}
		k := filled[store.SigningKey]("key")
		keys, err := w.CreateKeysOnce(ctx, []store.SigningKey{k})
		must(t, err)
		same(t, []store.SigningKey{k}, keys)
		again, err := w.CreateKeysOnce(ctx, []store.SigningKey{{ID: "too late"}})
		must(t, err)
		same(t, keys, again)
		if !told(t, w, store.ChangeKey, "") {
			t.Error("the feed was not told")
		}
		secret := filled[store.ServerSecret]("secret")
		for _, offered := range []store.ServerSecret{secret, {Name: secret.Name, Sealed: []byte("another")}} {
			got, err := w.CreateSecretOnce(ctx, offered)
			must(t, err)
			same(t, secret, got)
		}
		secrets, err := w.ListSecrets(ctx)
		must(t, err)
		same(t, []store.ServerSecret{secret}, secrets)
	})
}

// keyed makes two keys and two secrets, and returns them as they are read.
func keyed(t *testing.T, w world) ([]store.SigningKey, []store.ServerSecret) {
	t.Helper()
	at := w.now(t)
	_, err := w.CreateKeysOnce(ctx, []store.SigningKey{
		{ID: "a", Algorithm: "ES256", Use: "access", PublicJWK: []byte("{}"), Sealed: random(8), CreatedAt: at, SignsFrom: at},
		{ID: "b", Algorithm: "RS256", Use: "id", PublicJWK: []byte("{}"), Sealed: random(8), CreatedAt: at, SignsFrom: at},
	})
	must(t, err)
	for _, name := range []string{"mac", "ticket"} {
		_, err := w.CreateSecretOnce(ctx, store.ServerSecret{Name: name, Sealed: random(8), CreatedAt: at})
		must(t, err)
	}
	keys, err := w.ListKeys(ctx)
	must(t, err)
	secrets, err := w.ListSecrets(ctx)
	must(t, err)
	return keys, secrets
}

// A change of keys stands on what was read: any difference, of a key or of a
// secret, and nothing is written.
func TestKeysChangeByWhatWasRead(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		keys, secrets := keyed(t, w)
		next := []store.SigningKey{keys[0], {ID: "c", Algorithm: "ES256", PublicJWK: []byte("{}"), Sealed: []byte("c"), CreatedAt: w.now(t).Add(time.Second)}}
		next[0].VerifiesUntil = w.now(t).Add(time.Hour)
		resealed := slices.Clone(secrets)
		resealed[0].Sealed = []byte("new")
		changed := func(change func(k *store.SigningKey)) []store.SigningKey {
			list := slices.Clone(keys)
			change(&list[1])
			return list
		}
		for name, c := range map[string]store.KeyChange{
			"a key too few":      {ReadKeys: keys[:1]},
			"a key too many":     {ReadKeys: append(slices.Clone(keys), store.SigningKey{ID: "x"})},
			"none":               {},
			"another kid":        {ReadKeys: changed(func(k *store.SigningKey) { k.ID = "x" })},
			"sealed otherwise":   {ReadKeys: changed(func(k *store.SigningKey) { k.Sealed = []byte("x") })},
			"another end":        {ReadKeys: changed(func(k *store.SigningKey) { k.VerifiesUntil = k.CreatedAt })},
			"another beginning":  {ReadKeys: changed(func(k *store.SigningKey) { k.SignsFrom = k.SignsFrom.Add(time.Millisecond) })},
			"a secret too few":   {ReadKeys: keys, ReadSecrets: secrets[:1]},
			"no secrets":         {ReadKeys: keys, ReadSecrets: []store.ServerSecret{}},
			"secrets of another": {ReadKeys: keys, ReadSecrets: resealed},
		} {
			c.Keys, c.Secrets = next, resealed
			if err := w.ChangeKeys(ctx, c); !errors.Is(err, store.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		same(t, keys, first(w.ListKeys(ctx)))
		same(t, secrets, first(w.ListSecrets(ctx)))

		must(t, w.ChangeKeys(ctx, store.KeyChange{ReadKeys: keys, Keys: next}))
		same(t, next, first(w.ListKeys(ctx)))
		same(t, secrets, first(w.ListSecrets(ctx)))
		must(t, w.ChangeKeys(ctx, store.KeyChange{ReadKeys: next, Keys: next, ReadSecrets: secrets, Secrets: resealed}))
		same(t, resealed, first(w.ListSecrets(ctx)))
		if err := w.ChangeKeys(ctx, store.KeyChange{ReadKeys: next, Keys: []store.SigningKey{next[0], next[0]}}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("two keys of one kid: %v", err)
		}
		same(t, next, first(w.ListKeys(ctx)))
	})
}

func first[T any](v T, _ error) T { return v }

// Two processes that rotate at once: one of them does, the other is told.
//
// attack: F-42
func TestOneRotationOfMany(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			before, err := w.ListKeys(ctx)
			must(t, err)
			const rotators = 8
			errs := together(rotators, func(i int) error {
				made := store.SigningKey{ID: fmt.Sprintf("k%d-%x", i, random(4)), PublicJWK: []byte("{}"), Sealed: random(8), CreatedAt: w.now(t)}
				return w.handle(i).ChangeKeys(ctx, store.KeyChange{ReadKeys: before, Keys: append(slices.Clone(before), made)})
			})
			won := winners(t, errs, store.ErrConflict)
			after, err := w.ListKeys(ctx)
			must(t, err)
			if won != 1 || len(after) != len(before)+1 {
				t.Fatalf("%d of %d rotators won, %d keys became %d", won, rotators, len(before), len(after))
			}
		}
	})
}
