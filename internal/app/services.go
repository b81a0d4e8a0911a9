package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// services answers what a client reaches by itself, from memory when asked again
// within seconds. It is safe for concurrent use.
type services struct {
	client func(id store.ClientID) (store.Client, bool)
	reach  func(ctx context.Context, c store.Client) (access.Own, error)
	now    func() time.Time

	flights singleflight.Group // answers that are being found
	epoch   atomic.Uint64      // grows with every change that may matter
	mu      sync.RWMutex
	known   map[store.ClientID]service
}

type service struct {
	own access.Own
	asOf
}

// forget makes every remembered answer stale.
func (s *services) forget() { s.epoch.Add(1) }

// get returns what a client that is not disabled reaches. store.ErrNotFound
// otherwise; whether it is disabled is asked each time.
func (s *services) get(ctx context.Context, id store.ClientID) (service, error) {
	epoch, now := s.epoch.Load(), s.now()
	c, known := s.client(id)
	if !known || c.Disabled || !c.HasGrantType(oauth.GrantClientCredentials) {
		return service{}, store.ErrNotFound
	}
	s.mu.RLock()
	remembered, ok := s.known[id]
	s.mu.RUnlock()
	if ok && remembered.holds(epoch, now) {
		return remembered, nil
	}
	found := s.flights.DoChan(fmt.Sprintf("%d %s", epoch, id), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), servicePatience)
		defer cancel()
		return s.resolve(ctx, c, asOf{epoch, now.Add(personLife)})
	})
	select {
	case <-ctx.Done():
		return service{}, ctx.Err()
	case result := <-found:
		fresh, _ := result.Val.(service)
		return fresh, result.Err
	}
}

// servicePatience is how long an answer may take to be found, whoever waits for it.
const servicePatience = 30 * time.Second

// resolve finds the answer for all who ask at the same time, and remembers it. Order:
// epoch and time were read before the facts, as with people.
func (s *services) resolve(ctx context.Context, c store.Client, at asOf) (found service, err error) {
	defer func() { // no request stands behind this goroutine that would catch it
		if fault := recover(); fault != nil {
			found, err = service{}, fmt.Errorf("reach of a client: %v\n%s", fault, debug.Stack())
		}
	}()
	own, err := s.reach(ctx, c)
	if err != nil {
		return service{}, err
	}
	found = service{own, at}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxPeople {
		clear(s.known)
	}
	s.known[c.ID] = found
	return found, nil
}

// service makes the subject of a token that a backend service got for itself: with
// nobody behind it, and whom the operator lets it reach at this moment.
func (s *subjects) service(ctx context.Context, token tokens.Verified) (access.Subject, error) {
	who, err := s.services.get(ctx, token.ClientID())
	if errors.Is(err, store.ErrNotFound) {
		return access.Subject{}, errGone()
	}
	if errors.Is(err, reach.ErrTooWide) {
		return access.Subject{}, fmt.Errorf("%w: client %s: %w", fhirapi.ErrTooWide, token.ClientID(), err)
	}
	if err != nil {
		return access.Subject{}, err
	}
	if subject, ok := s.cache.get(token.TokenID(), who.asOf); ok {
		return subject, nil
	}
	subject := access.NewSubject(access.Facts{
		ClientID: string(token.ClientID()), GrantID: string(token.GrantID()), TokenID: token.TokenID(), Scopes: token.ScopeSet(), Own: who.own, AgeLeads: s.ageLeads, Sensitive: s.sensitive, Base: s.base,
	})
	s.cache.put(token.TokenID(), who.asOf, subject)
	return subject, nil
}

// stands reports whether a token that a subject was made of is still good: nothing that
// it came from was ended since.
func (a *App) stands(s access.Subject) bool {
	client, known := a.live.Client(store.ClientID(s.ClientID()))
	return known && !client.Disabled && a.live.Fresh() && !a.live.Ended(store.GrantID(s.GrantID()), "")
}

// exportBegan notes a bulk export in the security record.
func (a *App) exportBegan(ctx context.Context, s access.Subject, form string) error {
	return a.store.Record(ctx, store.Event{
		At: a.now(), Kind: "export.began", Actor: s.ClientID(), ClientID: store.ClientID(s.ClientID()), GrantID: store.GrantID(s.GrantID()), Outcome: "ok", Detail: form,
	})
}

// fetchKeys gets key sets within the policy of the configuration.
func (a *App) fetchKeys() clientkey.Fetch {
	client := egress.New(egress.Deps{Policy: a.cfg.egress()})
	return func(ctx context.Context, url string, limit int64) ([]byte, http.Header, error) {
		got, err := client.Get(ctx, url, limit)
		return got.Body, got.Header, err
	}
}

// clientAuthenticator proves clients; the key sets that they keep at a URL are
// fetched within the policy of the configuration.
func (a *App) clientAuthenticator() (*clientauth.Limited, error) {
	found, err := clientkey.New(clientkey.Deps{Fetch: a.fetchKeys(), Now: a.now})
	if err != nil {
		return nil, err
	}
	proof, err := clientauth.New(clientauth.Deps{
		Clients: a.live, Keys: found, Assertions: a.store, Audiences: []string{a.cfg.PublicURL + pathToken, a.cfg.PublicURL},
		Now: a.now, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	return clientauth.Limit(proof, clientauth.Limits{Address: a.address, Now: a.now})
}
