package keys

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/emberlatch/emberlatch/internal/store"
)

// The secrets that Replace replaces, since whoever read a signing key could have read
// them as well. Any other is made once.
const (
	RefreshToken = "refresh-token" // the MAC of refresh tokens
	FormTicket   = "form-ticket"   // the MAC of the tickets of forms
	Code         = "code"          // seals codes that carry their grant
)

// replaceable are they, and whether the former one is kept: by it, what honest clients
// hold is told from what nobody made.
var replaceable = map[string]struct{ keepFormer bool }{RefreshToken: {true}, FormTicket: {false}, Code: {false}}

// former is the name under which the one before is kept.
func former(name string) string { return name + " former" }

// Secret is 32 bytes that may be replaced while the server runs.
type Secret struct {
	ring *Ring
	name string
}

// Bytes are the secret as it is now.
func (s Secret) Bytes() []byte { return s.ring.set.Load().secrets[s.name] }

// Former is the one that it replaced last; nil when there is none, or it is not kept.
func (s Secret) Former() []byte { return s.ring.set.Load().secrets[former(s.name)] }

// Live returns a secret that is replaced with the keys; it is made at the first call
// anywhere.
func (r *Ring) Live(ctx context.Context, name string) (Secret, error) {
	if _, known := replaceable[name]; !known {
		return Secret{}, fmt.Errorf("keys: %s is not replaced; ask for it with Secret", name)
	}
	if _, err := r.made(ctx, name); err != nil {
		return Secret{}, err
	}
	r.mu.Lock()
	r.live = append(r.live, name)
	r.mu.Unlock()
	return Secret{r, name}, r.Reload(ctx)
}

// Secret returns the named 32 bytes, made at the first call anywhere. It is for those
// that are never replaced: nobody keeps one that is.
func (r *Ring) Secret(ctx context.Context, name string) ([]byte, error) {
	if _, replaced := replaceable[name]; replaced {
		return nil, fmt.Errorf("keys: %s is replaced; ask for it with Live", name)
	}
	return r.made(ctx, name)
}

func (r *Ring) made(ctx context.Context, name string) ([]byte, error) {
	b := r.set.Load().box
	fresh, err := r.freshSecret(b, name)
	if err != nil {
		return nil, err
	}
	stored, err := r.deps.Store.CreateSecretOnce(ctx, fresh)
	if err != nil {
		return nil, err
	}
	return b.openSecret(stored)
}

func (r *Ring) freshSecret(b box, name string) (store.ServerSecret, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return store.ServerSecret{}, err
	}
	sealed, err := b.seal(secretName(name), fresh)
	return store.ServerSecret{Name: name, Sealed: sealed, CreatedAt: r.now()}, err
}

func (b box) openSecret(s store.ServerSecret) ([]byte, error) {
	secret, err := b.open(secretName(s.Name), s.Sealed)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", s.Name, err)
	}
	return secret, nil
}

func secretName(name string) string { return "secret " + name }

// renewed replaces those of the stored secrets that Replace replaces.
func (r *Ring) renewed(b box, stored []store.ServerSecret) ([]store.ServerSecret, error) {
	list := slices.DeleteFunc(slices.Clone(stored), func(s store.ServerSecret) bool {
		return slices.ContainsFunc(stored, func(o store.ServerSecret) bool { return s.Name == former(o.Name) })
	})
	for i, s := range list {
		rule, replaced := replaceable[s.Name]
		if !replaced {
			continue
		}
		var err error
		if list[i], err = r.freshSecret(b, s.Name); err != nil {
			return nil, err
		}
		if !rule.keepFormer {
			continue
		}
		if s.Sealed, err = moved(b, b, secretName(s.Name), secretName(former(s.Name)), s.Sealed); err != nil {
			return nil, fmt.Errorf("secret %s: %w", s.Name, err)
		}
		s.Name = former(s.Name)
		list = append(list, s)
	}
	return list, nil
}

// openSecrets opens the secrets that are in use. When what is stored is sealed under a
// key that this process does not have, it goes on with what it had.
func (s *keySet) openSecrets(before *keySet, stored []store.ServerSecret, live []string) error {
	if s.outdated {
		s.secrets = before.secrets
		return nil
	}
	s.secrets = map[string][]byte{}
	for _, one := range stored {
		if !slices.ContainsFunc(live, func(name string) bool { return one.Name == name || one.Name == former(name) }) {
			continue
		}
		secret, err := s.box.openSecret(one)
		if err != nil {
			return err
		}
		s.secrets[one.Name] = secret
	}
	for _, name := range live {
		if s.secrets[name] == nil {
			return fmt.Errorf("keys: the secret %s is gone", name)
		}
	}
	return nil
}
