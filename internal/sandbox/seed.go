package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Store is what seeding writes to.
type Store interface {
	CreateClient(ctx context.Context, c store.Client) error
	Client(ctx context.Context, id store.ClientID) (store.Client, error)
	PutClient(ctx context.Context, c store.Client) error
	CreateUser(ctx context.Context, u store.User) error
	UserByName(ctx context.Context, usernameKey string) (store.User, error)
	CreateInvitation(ctx context.Context, i store.Invitation) error
}

// Loader brings records in.
type Loader interface {
	Load(ctx context.Context, resources iter.Seq[fhirstore.Incoming], progress func(int)) (fhirstore.LoadReport, error)
}

// Seeder fills an empty sandbox.
type Seeder struct {
	Store  Store
	Loader Loader
	// HashPassword and UsernameKey are those of the accounts.
	HashPassword func(ctx context.Context, password string) (string, error)
	UsernameKey  func(username string) (string, error)
	// CodeHash is what is kept of an invitation code.
	CodeHash func(code string) []byte
	// SetFactor gives a person a second factor with a secret that is known.
	SetFactor func(ctx context.Context, u store.User, secret string) error
	Now       func() time.Time
}

// Seed writes people, records and clients. Run again it changes nothing but the
// address of the sample app, and adds apps and people that a newer version has.
func (s Seeder) Seed(ctx context.Context, d Data, clients []Client) error {
	seeded, err := s.clients(ctx, clients)
	if err != nil {
		return err
	}
	if seeded {
		return s.people(ctx, d.People)
	}
	if err := s.records(ctx, d.Resources); err != nil {
		return err
	}
	if err := s.people(ctx, d.People); err != nil {
		return err
	}
	for _, e := range d.Enrolment {
		now := s.Now().UTC()
		err := s.Store.CreateInvitation(ctx, store.Invitation{
			CodeHash: s.CodeHash(e.Code), Patient: e.Patient, CreatedAt: now, ExpiresAt: now.AddDate(10, 0, 0),
		})
		if err != nil && !errors.Is(err, store.ErrConflict) { // an interrupted start came this far
			return err
		}
	}
	// Order: the clients come last, the first of them at the very end, so that a start
	// that was interrupted is repeated.
	for _, c := range slices.Backward(clients) {
		err := s.Store.CreateClient(ctx, c.Client)
		if errors.Is(err, store.ErrConflict) { // an interrupted start came this far
			err = s.Store.PutClient(ctx, c.Client)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// records brings sample records in; there are none where another server holds them.
func (s Seeder) records(ctx context.Context, resources [][]byte) error {
	if len(resources) == 0 {
		return nil
	}
	report, err := s.Loader.Load(ctx, incoming(resources), nil)
	if err != nil {
		return err
	}
	if len(report.Failures) > 0 {
		return fmt.Errorf("sandbox: %d sample resources could not be stored, the first: %s", len(report.Failures), report.Failures[0].Reason)
	}
	return nil
}

// clients reports whether the sandbox was seeded before, and then keeps what the
// sample app has registered current and adds apps that are new since.
func (s Seeder) clients(ctx context.Context, clients []Client) (bool, error) {
	if _, err := s.Store.Client(ctx, clients[0].ID); errors.Is(err, store.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	for _, c := range clients {
		known, err := s.Store.Client(ctx, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			known, err = c.Client, s.Store.CreateClient(ctx, c.Client)
		}
		if err != nil {
			return true, err
		}
		if c.ID == SampleClient && (!slices.Equal(known.RedirectURIs, c.RedirectURIs) || known.LaunchURI != c.LaunchURI || known.Scope != c.Scope ||
			!slices.Equal(known.PostLogoutRedirectURIs, c.PostLogoutRedirectURIs) || known.BackchannelLogoutURI != c.BackchannelLogoutURI) {
			known.RedirectURIs, known.LaunchURI, known.Scope = c.RedirectURIs, c.LaunchURI, c.Scope
			known.PostLogoutRedirectURIs, known.BackchannelLogoutURI = c.PostLogoutRedirectURIs, c.BackchannelLogoutURI
			known.BackchannelLogoutSession = c.BackchannelLogoutSession
			if err := s.Store.PutClient(ctx, known); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

func (s Seeder) people(ctx context.Context, people []Person) error {
	hashes := map[string]string{} // people of a sandbox share passwords
	for _, p := range people {
		key, err := s.UsernameKey(p.Username)
		if err != nil {
			return err
		}
		if known, err := s.Store.UserByName(ctx, key); err == nil {
			// An interrupted start came this far, or the sandbox is started again.
			if err := s.factor(ctx, known, p); err != nil {
				return err
			}
			continue
		}
		if hashes[p.Password] == "" {
			if hashes[p.Password], err = s.HashPassword(ctx, p.Password); err != nil {
				return err
			}
		}
		user := store.User{
			ID: store.UserID(strings.ToLower(rand.Text())), Username: p.Username, UsernameKey: key, Display: p.Display, Role: p.Role,
			FHIRUser: p.FHIRUser, PasswordHash: hashes[p.Password], Represents: p.Represents, CreatedAt: s.Now().UTC(),
		}
		if err := s.Store.CreateUser(ctx, user); err != nil {
			return err
		}
		if err := s.factor(ctx, user, p); err != nil {
			return err
		}
	}
	return nil
}

// factor gives a person the second factor that the sandbox says they have.
func (s Seeder) factor(ctx context.Context, u store.User, p Person) error {
	if p.TOTPSecret == "" || !u.FactorAt.IsZero() {
		return nil
	}
	return s.SetFactor(ctx, u, p.TOTPSecret)
}

func incoming(resources [][]byte) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		for _, r := range resources {
			if !yield(fhirstore.Incoming{JSON: r, Origin: "sandbox"}) {
				return
			}
		}
	}
}
