package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// window of the feed that is read each time; longer than any transaction of
	// the store may take.
	window = 30 * time.Second
	// longestGap between two reads that the window surely bridges.
	longestGap = window / 2
	// reloadEvery is how often everything is read anew.
	reloadEvery = time.Minute
	// staleAfter is how long the feed may be silent before nothing is vouched for.
	staleAfter = 5 * time.Second
	// readLimit ends a read that hangs.
	readLimit = 5 * time.Second
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
	Store Store
	// Keys reads the signing keys again. It is a part of reading the feed: a process
	// that does not know which keys are gone vouches for no token.
	Keys       func(ctx context.Context) error
	AccessLife time.Duration // of the longest-lived access token
	Poll       time.Duration
	Now        func() time.Time
	Log        *slog.Logger
}

// Facts answers from memory. It is safe for concurrent use.
type Facts struct {
	deps    Deps
	clients atomic.Pointer[clients]
	ended   ended
	readAt  atomic.Pointer[time.Time] // when the last good read began

	begun atomic.Int64 // reads begun
	done  atomic.Int64 // the last one that ended well

	mu          sync.Mutex // one reader of the feed at a time
	seen        map[int64]time.Time
	reloadedAt  time.Time
	subscribers []func(store.Change)
}

// New reads everything once; without it nothing is vouched for.
func New(ctx context.Context, deps Deps) (*Facts, error) {
	if deps.Store == nil || deps.Keys == nil || deps.AccessLife <= 0 || deps.Poll <= 0 || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("live: a part is missing")
	}
	f := &Facts{deps: deps, seen: map[int64]time.Time{}}
	if err := f.Refresh(ctx); err != nil {
		return nil, err
	}
	return f, nil
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
			f.deps.Log.ErrorContext(ctx, "the change feed cannot be read; tokens are refused while this lasts", "error", err)
		}
		if err == nil && failing {
			f.deps.Log.InfoContext(ctx, "the change feed is read again")
		}
		failing = err != nil
	}
}

// Refresh reads the feed now; what was committed before the call is known when
// it returns nil. Callers who waited for the same moment share one read.
func (f *Facts) Refresh(ctx context.Context) error {
	arrived := f.begun.Load()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done.Load() > arrived { // a read that began after the call
		return nil
	}
	number := f.begun.Add(1)
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	if err := f.read(ctx); err != nil {
		return err
	}
	f.done.Store(number)
	return nil
}

func (f *Facts) read(ctx context.Context) error {
	began := f.deps.Now()
	gap := f.gap(began)
	// Order: the feed first, so that nothing falls between it and the lists.
	changes, err := f.deps.Store.Changes(ctx, window)
	if err != nil {
		return err
	}
	fresh := f.unseen(changes)
	if err := f.apply(ctx, fresh, gap || elapsed(began, f.reloadedAt) >= reloadEvery); err != nil {
		return err
	}
	for _, c := range fresh {
		f.seen[c.Seq] = began
	}
	f.forget(began)
	f.readAt.Store(&began)
	f.tell(fresh, gap)
	return nil
}

// gap reports whether rows of the feed may have left the window unseen.
func (f *Facts) gap(now time.Time) bool {
	last := f.readAt.Load()
	return last == nil || elapsed(now, *last) > longestGap
}

// elapsed is the time between two moments by the wall or by the monotonic
// clock, whichever saw more pass: a suspended machine stops the one, a clock
// that is set back hides from the other.
func elapsed(now, then time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)))
}

func (f *Facts) unseen(changes []store.Change) []store.Change {
	var fresh []store.Change
	for _, c := range changes {
		if _, known := f.seen[c.Seq]; !known {
			fresh = append(fresh, c)
		}
	}
	return fresh
}

// apply makes the answers know of the changes.
func (f *Facts) apply(ctx context.Context, fresh []store.Change, reload bool) error {
	clientChanged, keyChanged, until := reload, reload, f.deps.Now().Add(f.deps.AccessLife+margin)
	for _, c := range fresh {
		switch c.Kind {
		case store.ChangeKey:
			keyChanged = true
		case store.ChangeClient:
			clientChanged = true
		case store.ChangeGrantRevoked:
			f.ended.grant(store.GrantID(c.ID), until)
		case store.ChangeTokenRevoked:
			f.ended.token(c.ID, until)
		}
	}
	if clientChanged {
		list, err := f.deps.Store.ListClients(ctx)
		if err != nil {
			return err
		}
		f.clients.Store(newClients(list))
	}
	if keyChanged {
		if err := f.deps.Keys(ctx); err != nil {
			return err
		}
	}
	if !reload {
		return nil
	}
	return f.loadEnded(ctx)
}

func (f *Facts) loadEnded(ctx context.Context) error {
	now := f.deps.Now()
	f.ended.forget(now)
	grants, tokens, err := f.deps.Store.RevokedSince(ctx, now.Add(-f.deps.AccessLife-margin))
	if err != nil {
		return err
	}
	for _, id := range grants {
		f.ended.grant(id, now.Add(f.deps.AccessLife+margin))
	}
	for _, t := range tokens {
		f.ended.token(t.TokenID, t.ExpiresAt.Add(margin))
	}
	f.reloadedAt = now
	return nil
}

// forget drops rows that can no longer come again.
func (f *Facts) forget(now time.Time) {
	for seq, at := range f.seen {
		if now.Sub(at) > 2*window {
			delete(f.seen, seq)
		}
	}
}

// tell tells the subscribers what changed; after a gap, that anything may have.
func (f *Facts) tell(fresh []store.Change, gap bool) {
	if gap {
		fresh = nil
		for _, kind := range []store.ChangeKind{store.ChangeClient, store.ChangeUser, store.ChangeKey, store.ChangePatientPolicy} {
			fresh = append(fresh, store.Change{At: f.deps.Now(), Kind: kind})
		}
	}
	for _, c := range fresh {
		for _, subscriber := range f.subscribers {
			subscriber(c)
		}
	}
}

// Subscribe has tell called for each change, in the order of the feed, while it
// is read; tell must be quick and must not call Refresh. An empty ID means that
// anything of that kind may have changed. It is to be called before Run.
func (f *Facts) Subscribe(tell func(store.Change)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subscribers = append(f.subscribers, tell)
}

// Ended reports whether a grant, or one token of it, has ended.
func (f *Facts) Ended(grant store.GrantID, tokenID string) bool { return f.ended.has(grant, tokenID) }

// End makes it known here that a grant is over, for who has just learnt it of the
// store; others follow the feed.
func (f *Facts) End(grant store.GrantID) {
	f.ended.grant(grant, f.deps.Now().Add(f.deps.AccessLife+margin))
}

// Fresh reports whether the feed was read lately. When it is false nobody knows
// what has been revoked, and callers refuse.
func (f *Facts) Fresh() bool { return elapsed(f.deps.Now(), *f.readAt.Load()) < staleAfter }
