package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// maxTries is how often a change begins again because another process was faster.
const maxTries = 10

// generation makes one key of each kind, sealed, that signs from a moment on.
func (r *Ring) generation(b box, from time.Time) ([]store.SigningKey, error) {
	var made []store.SigningKey
	for _, kind := range kinds {
		k, err := generate(kind.use, kind.algorithm, b)
		if err != nil {
			return nil, fmt.Errorf("making a signing key: %w", err)
		}
		k.CreatedAt, k.SignsFrom = r.now(), from
		made = append(made, k)
	}
	return made, nil
}

// Keep does what the schedule asks for at this moment: it publishes the next keys,
// and removes what is gone. It reports whether the next keys were published.
func (r *Ring) Keep(ctx context.Context) (rotated bool, err error) {
	err = r.change(ctx, func(stored []store.SigningKey, b box) ([]store.SigningKey, error) {
		now := r.now()
		kept := living(stored, now)
		from, due := r.deps.Schedule.due(stored, now)
		rotated = due
		if !due {
			return kept, nil
		}
		return r.succession(kept, b, from)
	}, nil)
	return rotated && err == nil, err
}

// Rotate publishes the next keys now; they sign as soon as they have been published
// for long enough. When there are such keys already, nothing changes.
func (r *Ring) Rotate(ctx context.Context) error {
	return r.change(ctx, func(stored []store.SigningKey, b box) ([]store.SigningKey, error) {
		now := r.now()
		if waiting(stored, now) {
			return stored, nil
		}
		return r.succession(living(stored, now), b, now.Add(r.deps.Schedule.Ahead))
	}, nil)
}

// succession adds the next keys, and sets the end of those that they follow.
func (r *Ring) succession(stored []store.SigningKey, b box, from time.Time) ([]store.SigningKey, error) {
	made, err := r.generation(b, from)
	return append(r.deps.Schedule.retire(stored, from), made...), err
}

// Replace removes every key that is there when it is called, those that were to be
// the next as well: whoever read one could have read them all. New ones sign at
// once. What the old ones signed is refused from now on, by other processes as soon
// as they have followed the change feed. The secrets that could have been read with
// them are replaced in the same transaction.
func (r *Ring) Replace(ctx context.Context) error {
	var stolen map[string]bool
	return r.change(ctx, func(stored []store.SigningKey, b box) ([]store.SigningKey, error) {
		if stolen == nil {
			stolen = map[string]bool{}
			for _, k := range stored {
				stolen[k.ID] = true
			}
		}
		if !slices.ContainsFunc(stored, func(k store.SigningKey) bool { return stolen[k.ID] }) {
			return stored, nil // another process has just done it
		}
		return r.generation(b, r.now())
	}, r.renewed)
}

// errOutdated: what this process seals, no other could open.
var errOutdated = errors.New("keys: this process has an old key-encrypting key; restart it with the new one")

// change writes what next makes of the stored keys, and renew, if there is one, of the
// secrets, and reads them again. When another process was faster, they are asked again.
func (r *Ring) change(
	ctx context.Context, next func([]store.SigningKey, box) ([]store.SigningKey, error), renew func(box, []store.ServerSecret) ([]store.ServerSecret, error),
) error {
	for range maxTries {
		stored, err := r.deps.Store.ListKeys(ctx)
		if err != nil {
			return err
		}
		set := r.set.Load()
		if set.outdated {
			return errOutdated
		}
		if !set.box.opensAll(stored) { // resealed, and not read yet
			if err := r.Reload(ctx); err != nil {
				return err
			}
			continue
		}
		keys, err := next(stored, set.box)
		if err != nil {
			return err
		}
		if sameKeys(stored, keys) {
			return r.Reload(ctx)
		}
		c := store.KeyChange{ReadKeys: stored, Keys: keys}
		if renew != nil {
			if c.ReadSecrets, err = r.deps.Store.ListSecrets(ctx); err != nil {
				return err
			}
			if c.Secrets, err = renew(set.box, c.ReadSecrets); err != nil {
				return err
			}
		}
		err = r.deps.Store.ChangeKeys(ctx, c)
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
		if reload := r.Reload(ctx); err == nil || reload != nil {
			return reload
		}
	}
	return fmt.Errorf("changing the keys: %w", store.ErrConflict)
}

// sameKeys: a change adds keys or removes some, and never alters those it keeps
// without adding.
func sameKeys(a, b []store.SigningKey) bool {
	return slices.EqualFunc(a, b, func(x, y store.SigningKey) bool { return x.ID == y.ID })
}
