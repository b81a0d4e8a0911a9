package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/holder"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

const (
	// personLife is how long the facts of a user are used again, with whom they
	// reach; a change in the feed ends it at once.
	personLife = 2 * time.Second
	// maxPeople bounds the remembered answers.
	maxPeople = 10_000
)

// people answers who a user is and whom they reach now, from memory when asked
// again within seconds. It is safe for concurrent use.
type people struct {
	user func(ctx context.Context, id store.UserID) (store.User, error)
	// reach answers whom a user reaches, and until when that may be used.
	reach func(ctx context.Context, u store.User) (reach.Whom, time.Time, error)
	now   func() time.Time

	epoch atomic.Uint64 // grows with every change that may matter
	mu    sync.RWMutex
	known map[store.UserID]person
}

type person struct {
	user  store.User
	reach reach.Whom
	asOf
}

// asOf says until when an answer holds; one that was made anew differs in it.
type asOf struct {
	epoch uint64 // of whoever knows what has changed
	until time.Time
}

func (a asOf) holds(epoch uint64, now time.Time) bool { return a.epoch == epoch && now.Before(a.until) }

func (a asOf) equal(b asOf) bool { return a.epoch == b.epoch && a.until.Equal(b.until) }

// forget makes every remembered answer stale.
func (p *people) forget() { p.epoch.Add(1) }

// get returns a user who is not disabled, with the patients they reach.
// store.ErrNotFound otherwise.
func (p *people) get(ctx context.Context, id store.UserID) (person, error) {
	epoch, now := p.epoch.Load(), p.now()
	p.mu.RLock()
	known, ok := p.known[id]
	p.mu.RUnlock()
	if ok && known.holds(epoch, now) {
		return known, nil
	}
	user, err := p.user(ctx, id)
	if err != nil {
		return person{}, err
	}
	if user.Disabled {
		return person{}, store.ErrNotFound
	}
	reached, until, err := p.reach(ctx, user)
	if err != nil {
		return person{}, err
	}
	if end := now.Add(personLife); end.Before(until) {
		until = end
	}
	// Order: epoch and time were read before the facts, so a change that came in
	// between makes this answer stale already. The reach may have been found out for
	// somebody else before; it ends when it did there, so that lives do not add up.
	fresh := person{user, reached, asOf{epoch, until}}
	p.mu.Lock()
	if len(p.known) >= maxPeople {
		clear(p.known)
	}
	p.known[id] = fresh
	p.mu.Unlock()
	return fresh, nil
}

// entitled reports whether a user, as the store has just brought them, reaches a
// patient; nobody in particular is reached by everybody who is active.
func (p *people) entitled(ctx context.Context, u store.User, patient string) (bool, error) {
	if u.ID == "" || u.Disabled {
		return false, nil
	}
	if patient == "" {
		return true, nil
	}
	reached, _, err := p.reach(ctx, u)
	return err == nil && reached.Contains(patient), err
}

// reaches reports whether a user reaches a patient now; who is not there, or disabled,
// reaches nobody.
func (p *people) reaches(ctx context.Context, id store.UserID, patient string) (bool, error) {
	who, err := p.get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && who.reach.Contains(patient), err
}

// subjects turns a held access token into the subject of an access decision.
type subjects struct {
	*holder.Checker
	people   *people
	services *services
	// used is told of every grant that somebody calls with.
	used func(grant store.GrantID)
	base string
	// sensitive is who reads which category of sensitive content.
	sensitive access.Sensitive
	ageLeads  bool
	cache     subjectCache
}

// errGone refuses a token whose user, or client, is not active any more.
func errGone() error { return tokens.BearerError(tokens.ErrInvalid) }

// subjects judges tokens; used is told of every grant that somebody calls with.
func (a *App) subjects(held *holder.Checker, used func(store.GrantID)) *subjects {
	return &subjects{Checker: held, people: a.people, services: a.services, used: used, base: a.cfg.FHIRBase(), sensitive: a.sensitive.Policy(), ageLeads: a.cfg.Reach.ageLeads()}
}

// Subject has the token of the request judged and adds whom its user reaches at this moment
// (design law of access: reach is evaluated per request, never frozen into the
// token).
func (s *subjects) Subject(answer http.Header, r *http.Request) (access.Subject, error) {
	held, refused := s.Accept(answer, r)
	if refused != nil {
		return access.Subject{}, refused
	}
	return s.of(r.Context(), held.Token())
}

func (s *subjects) of(ctx context.Context, token tokens.Verified) (access.Subject, error) {
	if token.System() {
		return s.service(ctx, token)
	}
	who, err := s.people.get(ctx, token.UserID())
	if errors.Is(err, store.ErrNotFound) {
		return access.Subject{}, errGone()
	}
	if errors.Is(err, reach.ErrTooWide) {
		return access.Subject{}, fmt.Errorf("%w: user %s: %w", fhirapi.ErrTooWide, token.UserID(), err)
	}
	if err != nil {
		return access.Subject{}, err
	}
	s.used(token.GrantID())
	if subject, ok := s.cache.get(token.TokenID(), who.asOf); ok {
		return subject, nil
	}
	own, _ := fhir.ParseReference(token.FHIRUser(), "")
	subject := access.NewSubject(access.Facts{
		ClientID: string(token.ClientID()), GrantID: string(token.GrantID()), UserID: string(token.UserID()), TokenID: token.TokenID(),
		Scopes: token.ScopeSet(), Patient: token.Patient(), FHIRUser: own,
		Reach: who.reach.Patients(), Everybody: who.reach.IsEverybody(), Why: who.reach.Why, HasUser: true, AgeLeads: s.ageLeads, Sensitive: s.sensitive, Base: s.base,
	})
	s.cache.put(token.TokenID(), who.asOf, subject)
	return subject, nil
}

// subjectCache keeps the subject that was made of a token and of what was known
// about its user, or its client; it is used only while exactly that is still known.
type subjectCache struct {
	mu    sync.RWMutex
	known map[string]cachedSubject
}

type cachedSubject struct {
	asOf    // of whom it was made of
	subject access.Subject
}

func (c *subjectCache) get(tokenID string, who asOf) (access.Subject, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	known, ok := c.known[tokenID]
	return known.subject, ok && known.equal(who)
}

func (c *subjectCache) put(tokenID string, who asOf, s access.Subject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxPeople {
		c.known = map[string]cachedSubject{}
	}
	c.known[tokenID] = cachedSubject{who, s}
}
