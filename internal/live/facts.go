package live

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// window of the feed that is read each time; longer than any statement of the
	// store may take.
	window = 30 * time.Second
	// staleAfter is how long the feed may be silent before nothing is vouched for.
	staleAfter = 5 * time.Second
	// margin keeps an ended grant a little longer than its last token lives.
	margin = 5 * time.Minute
)

// Store is what the facts are read from.
type Store interface {
	ListClients(ctx context.Context) ([]store.Client, error)
	Changes(ctx context.Context, window time.Duration) ([]store.Change, error)
	RevokedSince(ctx context.Context, since time.Time) ([]store.GrantID, []store.RevokedToken, error)
}

// Deps are the parts that Facts needs; all are required.
type Deps struct {
	Store      Store
	AccessLife time.Duration // of the longest-lived access token
	Poll       time.Duration
	Now        func() time.Time
	Log        *slog.Logger
}

// Facts answers from memory. It is safe for concurrent use.
type Facts struct {
	deps    Deps
	clients atomic.Pointer[clients]
	ended   atomic.Pointer[ended]
	readAt  atomic.Int64 // Unix nanoseconds of the last good read

	mu          sync.Mutex // one reader of the feed at a time
	seen        map[int64]time.Time
	subscribers []func(store.Change)
}

type clients struct {
	byID    map[store.ClientID]store.Client
	origins map[string]bool
}

// ended is immutable; a change makes a new one.
type ended struct {
	grants map[store.GrantID]time.Time // until when it is remembered
	tokens map[string]time.Time
}

// New reads everything once; without it nothing is vouched for.
func New(ctx context.Context, deps Deps) (*Facts, error) {
	if deps.Store == nil || deps.AccessLife <= 0 || deps.Poll <= 0 || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("live: a part is missing")
	}
	f := &Facts{deps: deps, seen: map[int64]time.Time{}}
	f.ended.Store(&ended{map[store.GrantID]time.Time{}, map[string]time.Time{}})
	// Order: the feed first, so that nothing falls between it and the lists.
	changes, err := deps.Store.Changes(ctx, window)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		f.seen[c.Seq] = c.At
	}
	if err := f.loadClients(ctx); err != nil {
		return nil, err
	}
	if err := f.loadEnded(ctx); err != nil {
		return nil, err
	}
	f.readAt.Store(deps.Now().UnixNano())
	return f, nil
}

func (f *Facts) loadEnded(ctx context.Context) error {
	now := f.deps.Now()
	grants, tokens, err := f.deps.Store.RevokedSince(ctx, now.Add(-f.deps.AccessLife-margin))
	if err != nil {
		return err
	}
	e := &ended{map[store.GrantID]time.Time{}, map[string]time.Time{}}
	for _, id := range grants {
		e.grants[id] = now.Add(f.deps.AccessLife + margin)
	}
	for _, t := range tokens {
		e.tokens[t.TokenID] = t.ExpiresAt.Add(margin)
	}
	f.ended.Store(e)
	return nil
}

func (f *Facts) loadClients(ctx context.Context) error {
	list, err := f.deps.Store.ListClients(ctx)
	if err != nil {
		return err
	}
	c := &clients{map[store.ClientID]store.Client{}, map[string]bool{}}
	for _, client := range list {
		c.byID[client.ID] = client
		if client.Disabled {
			continue
		}
		for _, o := range client.Origins {
			c.origins[o] = true
		}
		for _, uri := range client.RedirectURIs {
			if o, ok := originOf(uri); ok {
				c.origins[o] = true
			}
		}
	}
	f.clients.Store(c)
	return nil
}

// originOf is the web origin of a redirect URI (RFC 6454 §4), if it has one.
func originOf(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", false
	}
	return u.Scheme + "://" + u.Host, true
}

// Run follows the feed until ctx ends.
func (f *Facts) Run(ctx context.Context) error {
	tick := time.NewTicker(f.deps.Poll)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := f.Refresh(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !failing {
			f.deps.Log.ErrorContext(ctx, "the change feed cannot be read; tokens are refused when this lasts", "error", err)
		}
		failing = err != nil
	}
}

// Refresh reads the feed now; what was committed before the call is known when
// it returns nil.
func (f *Facts) Refresh(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	began := f.deps.Now()
	changes, err := f.deps.Store.Changes(ctx, window)
	if err != nil {
		return err
	}
	var fresh []store.Change
	for _, c := range changes {
		if _, known := f.seen[c.Seq]; !known {
			fresh = append(fresh, c)
		}
	}
	if err := f.apply(ctx, fresh); err != nil {
		return err
	}
	for _, c := range fresh {
		f.seen[c.Seq] = began
	}
	f.forget(began)
	f.readAt.Store(began.UnixNano())
	return nil
}

// apply makes new snapshots, then tells the subscribers.
func (f *Facts) apply(ctx context.Context, fresh []store.Change) error {
	reload, over := false, []store.Change{}
	for _, c := range fresh {
		switch c.Kind {
		case store.ChangeClient:
			reload = true
		case store.ChangeGrantRevoked, store.ChangeTokenRevoked:
			over = append(over, c)
		}
	}
	if reload {
		if err := f.loadClients(ctx); err != nil {
			return err
		}
	}
	if len(over) > 0 {
		f.end(over)
	}
	for _, c := range fresh {
		for _, tell := range f.subscribers {
			tell(c)
		}
	}
	return nil
}

// end adds ended grants and tokens, and leaves out what nobody needs any more.
func (f *Facts) end(over []store.Change) {
	now := f.deps.Now()
	old := f.ended.Load()
	e := &ended{make(map[store.GrantID]time.Time, len(old.grants)+len(over)), make(map[string]time.Time, len(old.tokens)+1)}
	for id, until := range old.grants {
		if now.Before(until) {
			e.grants[id] = until
		}
	}
	for id, until := range old.tokens {
		if now.Before(until) {
			e.tokens[id] = until
		}
	}
	until := now.Add(f.deps.AccessLife + margin)
	for _, c := range over {
		if c.Kind == store.ChangeTokenRevoked {
			e.tokens[c.ID] = until
		} else {
			e.grants[store.GrantID(c.ID)] = until
		}
	}
	f.ended.Store(e)
}

// forget drops rows that can no longer come again.
func (f *Facts) forget(now time.Time) {
	for seq, at := range f.seen {
		if now.Sub(at) > 4*window {
			delete(f.seen, seq)
		}
	}
}

// Subscribe has tell called for each change, in the order of the feed, while it
// is read; tell must be quick. It is to be called before Run.
func (f *Facts) Subscribe(tell func(store.Change)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subscribers = append(f.subscribers, tell)
}

// Client returns a registered client, disabled ones too.
func (f *Facts) Client(id store.ClientID) (store.Client, bool) {
	c, ok := f.clients.Load().byID[id]
	return c, ok
}

// AllowsOrigin reports whether pages of the origin may call from a browser: the
// origin of a redirect URI of an enabled client, or one that it registered
// (CORS-03, CORS-08).
func (f *Facts) AllowsOrigin(origin string) bool { return f.clients.Load().origins[origin] }

// Ended reports whether a grant, or one token of it, has ended.
func (f *Facts) Ended(grant store.GrantID, tokenID string) bool {
	e := f.ended.Load()
	if _, over := e.grants[grant]; over {
		return true
	}
	_, over := e.tokens[tokenID]
	return over
}

// Fresh reports whether the feed was read lately. When it is false nobody knows
// what has been revoked, and callers refuse.
func (f *Facts) Fresh() bool {
	return f.deps.Now().UnixNano()-f.readAt.Load() < int64(staleAfter)
}
