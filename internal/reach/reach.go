package reach

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
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
	// patience is how long an answer may take to be found, whoever waits for it.
	patience = 30 * time.Second
)

// Deps are the parts that the Resolver needs; those without a remark are required.
type Deps struct {
	Backend fhirstore.Backend
	Now     func() time.Time
	Base    string // FHIR base
	// Ties are the rules of what the records say; those of the store that judges refreshes.
	// The zero value adds none.
	Ties fhirstore.TieRules
	// Sensitive is who reads which category of sensitive content; the zero value: there are
	// none.
	Sensitive access.Sensitive
	// Emergencies are the records that a user has opened in an emergency; nil: nobody may.
	Emergencies func(ctx context.Context, user store.UserID) ([]store.Emergency, error)
}

// Resolver answers. It is safe for concurrent use.
type Resolver struct {
	deps    Deps
	sources []source
	flights singleflight.Group // answers that are being found

	mu    sync.Mutex
	epoch uint64 // grows with every Forget
	known map[store.UserID]answer
}

// facts are those of a user who is shown records on a page of the server itself: only
// those of some patients, and what of them the user reads in some app.
func (r *Resolver) facts(u store.User, whom Whom, scope string) access.Facts {
	own, _ := fhir.ParseReference(u.FHIRUser, r.deps.Base)
	return access.Facts{
		UserID: string(u.ID), FHIRUser: own, HasUser: true, OwnPage: true, Reach: whom.patients, Everybody: whom.IsEverybody(), Base: r.deps.Base, Sensitive: r.deps.Sensitive,
		Scopes: smart.NewScopeSet([]string{scope}),
	}
}

type answer struct {
	whom  Whom
	until time.Time
	user  string // the facts of the user that the answer was made of
}

// source is one rule: it notes the patients that a user reaches by it, and when that ends.
type source func(ctx context.Context, r *Resolver, u asker, f *found) error

// asker is a user, and whom the records know them as when they are a practitioner.
type asker struct {
	store.User
	selves []fhir.Reference
	is     map[fhir.Reference]bool // the same
	at     []string                // ids of the Organizations at which they have a role, by the rule of Organizations
}

func (r *Resolver) asker(ctx context.Context, u store.User, f *found) (asker, error) {
	selves, at, err := r.selves(ctx, u, f)
	a := asker{u, selves, make(map[fhir.Reference]bool, len(selves)), at}
	for _, ref := range selves {
		a.is[ref] = true
	}
	return a, err
}

// New makes the Resolver; it refuses missing parts.
func New(deps Deps) (*Resolver, error) {
	if deps.Backend == nil || deps.Now == nil || deps.Base == "" {
		return nil, errors.New("reach: a part is missing")
	}
	return &Resolver{
		deps: deps, known: map[store.UserID]answer{},
		sources: []source{self, representation, relatedPerson, panel, generalPractitioner, careTeam, visits, organizations, emergency},
	}, nil
}

// Forget empties what is remembered. What is being found at this moment goes to
// those who wait for it, and is not remembered.
func (r *Resolver) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch++
	clear(r.known)
}

// Reach returns the patients whom a user reaches now. A disabled user reaches
// nobody. The error is the store's; then nobody is reached either.
func (r *Resolver) Reach(ctx context.Context, u store.User) (Whom, error) {
	whom, _, err := r.ReachUntil(ctx, u)
	return whom, err
}

// ReachUntil is Reach, and says until when the answer may be used again.
func (r *Resolver) ReachUntil(ctx context.Context, u store.User) (Whom, time.Time, error) {
	now := r.deps.Now()
	if u.Disabled {
		return Whom{}, now.Add(life), nil
	}
	facts := fmt.Sprint(u.Role, u.FHIRUser, u.Represents)
	for {
		r.mu.Lock()
		known, ok := r.known[u.ID]
		epoch := r.epoch
		r.mu.Unlock()
		if !ok || known.user != facts || !now.Before(known.until) {
			var err error
			if known, err = r.together(ctx, u, facts, epoch); err != nil {
				return Whom{}, time.Time{}, err
			}
		}
		// Order: an answer that others began to find long before this request is too
		// old for it, and is found anew.
		if now.Before(known.until) {
			return known.whom, known.until, nil
		}
	}
}

// together finds an answer once for all who ask for it at the same time. It goes
// on when one of them gives up. Who asks after Forget waits for nobody who began
// before: the epoch is part of the name.
func (r *Resolver) together(ctx context.Context, u store.User, facts string, epoch uint64) (answer, error) {
	name := fmt.Sprintf("%d %q %s", epoch, u.ID, facts)
	found := r.flights.DoChan(name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return r.resolve(ctx, u, facts, epoch)
	})
	select {
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case result := <-found:
		a, _ := result.Val.(answer)
		return a, result.Err
	}
}

// resolve asks all sources and remembers the answer, unless Forget came between.
func (r *Resolver) resolve(ctx context.Context, u store.User, facts string, epoch uint64) (a answer, err error) {
	defer func() {
		// No request stands behind this goroutine that would catch it.
		if fault := recover(); fault != nil {
			a, err = answer{}, fmt.Errorf("reach: %v\n%s", fault, debug.Stack())
		}
	}()
	now := r.deps.Now() // before the first question
	f := &found{now: now, ways: map[string]access.Ways{}, until: now.Add(life)}
	who, err := r.asker(ctx, u, f)
	if err != nil {
		return answer{}, err
	}
	for _, ask := range r.sources {
		if f.everybody { // the list would be long, and add nothing
			break
		}
		if err := ask(ctx, r, who, f); err != nil {
			return answer{}, err
		}
	}
	a = answer{f.whom(), f.until, facts}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epoch != epoch {
		return a, nil
	}
	if len(r.known) >= maxKnown {
		clear(r.known)
	}
	r.known[u.ID] = a
	return a, nil
}
