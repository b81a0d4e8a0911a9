package clientkey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Sentinels, compared with errors.Is. Callers answer all of them alike.
var (
	// ErrNoKey: no key, or more than one, has the kid and fits the algorithm.
	ErrNoKey = errors.New("clientkey: no key, or more than one, fits the kid and the algorithm")
	// ErrUnreachable: the key set at the URL could not be had, and none that was had
	// before may be used any more.
	ErrUnreachable = errors.New("clientkey: the key set cannot be fetched")
)

// Bounds of what is remembered of a fetched set.
const (
	// usualLife is how long a set lives whose answer says nothing; longestLife is
	// the most that Cache-Control can ask for.
	usualLife   = 5 * time.Minute
	longestLife = time.Hour
	// shortestLife is how long an answer that must not be cached serves those who
	// ask meanwhile. Divergence: a second, so that strangers cannot make the server
	// fetch as often as they ask.
	shortestLife = time.Second
	// missPause is how long no made-up kid has a set fetched again.
	missPause = 30 * time.Second
	// failPause is how long a fetch that failed is not repeated.
	failPause = 5 * time.Second
	// maxBody bounds a key set, in bytes.
	maxBody = 256 << 10
	// maxKnown bounds the sets that are remembered.
	maxKnown = 10_000
)

// Fetch gets the body and the headers of a URL, within a policy and within bounds.
type Fetch func(ctx context.Context, url string, limit int64) (body []byte, header http.Header, err error)

// Deps are the parts that Keys needs; Fetch and Now are required.
type Deps struct {
	Fetch Fetch
	Now   func() time.Time
	// Algorithms are those that are taken; nil: those of client assertions.
	Algorithms []string
}

// Keys finds the keys of clients, or those of other servers. It is safe for concurrent
// use.
type Keys struct {
	deps    Deps
	flights singleflight.Group

	mu    sync.Mutex
	known map[string]remembered // by owner
}

// remembered is the key set of one owner, and where it came from: when a client
// registers other keys, it is not used any more.
type remembered struct {
	source  string // the inline set, or the URL
	set     Set
	has     bool // a fetch succeeded
	until   time.Time
	missed  time.Time // when an unknown kid last had it fetched
	failed  time.Time // when a fetch last failed
	fetched time.Time // when one last succeeded
}

// New makes Keys; it refuses missing parts.
func New(deps Deps) (*Keys, error) {
	if deps.Fetch == nil || deps.Now == nil {
		return nil, errors.New("clientkey: a part is missing")
	}
	if deps.Algorithms == nil {
		deps.Algorithms = Algorithms()
	}
	return &Keys{deps: deps, known: map[string]remembered{}}, nil
}

// Find returns the key of a client that an assertion names by kid and algorithm.
// ErrNoKey or ErrUnreachable; never a key whose time is over.
func (k *Keys) Find(ctx context.Context, c store.Client, kid, algorithm string) (Key, error) {
	var set Set
	var err error
	switch {
	case len(c.JWKS) > 0:
		set, err = k.inline(c)
	case c.JWKSURI != "":
		set, err = k.atURL(ctx, place{string(c.ID), c.JWKSURI}, kid)
	}
	return chosen(set, err, kid, algorithm)
}

// FindAt is Find for another server, which keeps its keys at a URL. What is remembered
// belongs to the owner and that URL.
func (k *Keys) FindAt(ctx context.Context, owner, url, kid, algorithm string) (Key, error) {
	set, err := k.atURL(ctx, place{owner, url}, kid)
	return chosen(set, err, kid, algorithm)
}

func chosen(set Set, err error, kid, algorithm string) (Key, error) {
	if err != nil {
		return Key{}, err
	}
	key, ok := set.find(kid, algorithm)
	if !ok {
		return Key{}, ErrNoKey
	}
	return key, nil
}

// place is whose keys lie where.
type place struct{ owner, url string }

// recall is what is remembered of an owner from this source.
func (k *Keys) recall(owner, source string) remembered {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.known[owner]
	if r.source != source {
		return remembered{source: source}
	}
	return r
}

func (k *Keys) remember(owner string, r remembered) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, again := k.known[owner]; !again && len(k.known) >= maxKnown {
		clear(k.known)
	}
	k.known[owner] = r
}

// inline parses a registered set once.
func (k *Keys) inline(c store.Client) (Set, error) {
	r := k.recall(string(c.ID), string(c.JWKS))
	if r.has {
		return r.set, nil
	}
	set, err := parseSet(c.JWKS, k.deps.Algorithms)
	if err != nil {
		return Set{}, fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	r.set, r.has = set, true
	k.remember(string(c.ID), r)
	return set, nil
}

// atURL is the set at the owner's URL: the remembered one while it lives, and
// fetched once more for a kid that it does not have (CAUTH-24).
func (k *Keys) atURL(ctx context.Context, at place, kid string) (Set, error) {
	r, now := k.recall(at.owner, at.url), k.deps.Now()
	if r.has && now.Before(r.until) {
		if r.set.knows(kid) || now.Sub(r.missed) < missPause {
			return r.set, nil
		}
		if fresh, err := k.refetch(ctx, at, true); err == nil {
			return fresh, nil
		}
		return r.set, nil
	}
	if now.Sub(r.failed) < failPause {
		return Set{}, ErrUnreachable
	}
	return k.refetch(ctx, at, false)
}

// refetch fetches, once for all who ask at the same time. Who gives up waiting
// does not end the fetch for the others.
func (k *Keys) refetch(ctx context.Context, at place, missed bool) (Set, error) {
	began := k.deps.Now()
	done := k.flights.DoChan(at.owner+"\x00"+at.url, func() (result any, err error) {
		defer func() { // a set that trips its reader is nobody's but its owner's
			if v := recover(); v != nil {
				result, err = nil, fmt.Errorf("%w: panic: %v", ErrUnreachable, v)
			}
		}()
		if r := k.recall(at.owner, at.url); r.fetched.After(began) || r.failed.After(began) { // a flight that has just landed
			return r.set, landed(r)
		}
		return k.fetch(context.WithoutCancel(ctx), at, missed)
	})
	select {
	case <-ctx.Done():
		return Set{}, ErrUnreachable
	case result := <-done:
		set, _ := result.Val.(Set)
		return set, result.Err
	}
}

func landed(r remembered) error {
	if r.failed.After(r.fetched) {
		return ErrUnreachable
	}
	return nil
}

// fetch gets the set and remembers how that went. What lived before lives on when
// the fetch fails, until its own end.
func (k *Keys) fetch(ctx context.Context, at place, missed bool) (Set, error) {
	r := k.recall(at.owner, at.url)
	if missed {
		r.missed = k.deps.Now()
		k.remember(at.owner, r) // Order: before the fetch, so that a slow one counts as well
	}
	body, header, err := k.deps.Fetch(ctx, at.url, maxBody)
	var set Set
	if err == nil {
		set, err = parseSet(body, k.deps.Algorithms)
	}
	now := k.deps.Now()
	if err != nil {
		r.failed = now
		k.remember(at.owner, r)
		return Set{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	r.set, r.has, r.fetched, r.failed, r.until = set, true, now, time.Time{}, now.Add(life(header))
	k.remember(at.owner, r)
	return set, nil
}
