package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Reseal puts another key-encrypting key in the place of the present one: a file
// beside it with .next at the end of its name, made if there is none. Keys and
// secrets are sealed anew in one transaction, then the file moves. A stop in
// between is made good at the next start, since both files are there until then.
//
// What this process has in memory is enough: the present file may be lost.
func (r *Ring) Reseal(ctx context.Context) error {
	next, err := makeBox(nextFile(r.deps.KEKFile))
	if err != nil {
		return err
	}
	for range maxTries {
		err := r.reseal(ctx, next)
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
		// Reading the keys moves the file, or shows what another process has done.
		if reload := r.Reload(ctx); err == nil || reload != nil {
			return reload
		}
	}
	return fmt.Errorf("sealing the keys anew: %w", store.ErrConflict)
}

func (r *Ring) reseal(ctx context.Context, next box) error {
	set := r.set.Load()
	if set.outdated {
		return errOutdated
	}
	c, err := r.readAll(ctx)
	if err != nil {
		return err
	}
	for _, k := range c.ReadKeys {
		name := sealName(k.ID, k.Use, k.Algorithm)
		if k.Sealed, err = moved(set.box, next, name, name, k.Sealed); err != nil {
			return fmt.Errorf("signing key %s: %w", k.ID, err)
		}
		c.Keys = append(c.Keys, k)
	}
	for _, v := range c.ReadSecrets {
		if v.Sealed, err = moved(set.box, next, secretName(v.Name), secretName(v.Name), v.Sealed); err != nil {
			return fmt.Errorf("secret %s: %w", v.Name, err)
		}
		c.Secrets = append(c.Secrets, v)
	}
	return r.deps.Store.ChangeKeys(ctx, c)
}

func (r *Ring) readAll(ctx context.Context) (c store.KeyChange, err error) {
	if c.ReadKeys, err = r.deps.Store.ListKeys(ctx); err != nil {
		return c, err
	}
	c.ReadSecrets, err = r.deps.Store.ListSecrets(ctx)
	return c, err
}

// moved seals a secret under another key-encrypting key, or another name.
func moved(from, to box, name, newName string, sealed []byte) ([]byte, error) {
	secret, err := from.open(name, sealed)
	if err != nil {
		return nil, err
	}
	return to.seal(newName, secret)
}
