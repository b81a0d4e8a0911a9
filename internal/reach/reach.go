package reach

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

var (
	// ErrNotFound: there is no such patient, or the user does not reach them.
	ErrNotFound = errors.New("reach: no such patient")
	// ErrTooWide: what names the patients of a user is more than is read for it.
	ErrTooWide = errors.New("reach: more than is read for one user")
)

const (
	life     = 2 * time.Second
	maxKnown = 10_000
)

// Deps are the parts that the Resolver needs; all are required.
type Deps struct {
	Backend fhirstore.Backend
	Now     func() time.Time
	Base    string // FHIR base
}

// Resolver answers. It is safe for concurrent use.
type Resolver struct {
	deps    Deps
	sources []source
	mu      sync.Mutex
	known   map[store.UserID]answer
}

type answer struct {
	ids   search.IDSet
	until time.Time
	user  string // the facts of the user that the answer was made of
}

// source is one rule: the patients that a user reaches by it.
type source func(ctx context.Context, r *Resolver, u store.User) ([]string, error)

// New makes the Resolver; it refuses missing parts.
func New(deps Deps) (*Resolver, error) {
	if deps.Backend == nil || deps.Now == nil || deps.Base == "" {
		return nil, errors.New("reach: a part is missing")
	}
	return &Resolver{
		deps: deps, known: map[store.UserID]answer{},
		sources: []source{self, representation, panel, generalPractitioner, careTeam},
	}, nil
}

// Forget empties what is remembered.
func (r *Resolver) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.known)
}

// Reach returns the patients whom a user reaches now. A disabled user reaches
// nobody. The error is the store's; then nobody is reached either.
func (r *Resolver) Reach(ctx context.Context, u store.User) (search.IDSet, error) {
	if u.Disabled {
		return search.IDSet{}, nil
	}
	now := r.deps.Now()
	facts := fmt.Sprint(u.Role, u.FHIRUser, u.Represents)
	r.mu.Lock()
	known, ok := r.known[u.ID]
	r.mu.Unlock()
	if ok && now.Before(known.until) && known.user == facts {
		return known.ids, nil
	}
	var ids []string
	for _, ask := range r.sources {
		found, err := ask(ctx, r, u)
		if err != nil {
			return search.IDSet{}, err
		}
		ids = append(ids, found...)
	}
	set := search.NewIDSet(ids...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) >= maxKnown {
		clear(r.known)
	}
	r.known[u.ID] = answer{set, now.Add(life), facts}
	return set, nil
}
