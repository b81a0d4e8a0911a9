package clientauth

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

const (
	// failedTries are how many failures of one client at one address are answered
	// within failedWindow; a secret of 256 bits is not guessed, but asking costs us.
	failedTries  = 300
	failedWindow = time.Minute
	// maxCounted bounds the memory of it; who has failed seldom is forgotten first.
	maxCounted   = 10_000
	seldomFailed = 5
)

// Limits are the parts that Limited needs; all are required.
type Limits struct {
	// Address is the network address that failures are counted by.
	Address func(r *http.Request) string
	Now     func() time.Time
}

// Limited is an Authenticator that grows tired of failures: who names one client
// from one address with wrong proofs, again and again, is told to wait, with a right
// proof too, so that nothing is learnt meanwhile. The same client elsewhere, and
// other clients there, are not touched (TOK-25, CA-27). It is safe for concurrent use.
type Limited struct {
	inner  *Authenticator
	limits Limits

	mu     sync.Mutex
	counts map[counted]*count
}

type counted struct{ address, client string }

type count struct {
	n     int
	until time.Time
}

// Limit makes it; it refuses missing parts.
func Limit(inner *Authenticator, limits Limits) (*Limited, error) {
	if inner == nil || limits.Address == nil || limits.Now == nil {
		return nil, errors.New("clientauth: a part is missing")
	}
	return &Limited{inner: inner, limits: limits, counts: map[counted]*count{}}, nil
}

// Authenticate is that of the Authenticator, or an error with status 429. Order:
// the try is counted before it is judged, so that many at once are not all judged;
// a success is taken back.
func (l *Limited) Authenticate(r *http.Request, p oauth.Parameters) (Authenticated, *oauth.Error) {
	return limited(l, r, p, l.inner.Authenticate)
}

// Prove is that of the Authenticator, limited in the same way.
func (l *Limited) Prove(r *http.Request, p oauth.Parameters) (Unspent, *oauth.Error) {
	return limited(l, r, p, l.inner.Prove)
}

// Spend is that of the Authenticator: who gets so far has proven itself.
func (l *Limited) Spend(ctx context.Context, u Unspent) error { return l.inner.Spend(ctx, u) }

// limited counts around one way of proving a client.
func limited[T any](l *Limited, r *http.Request, p oauth.Parameters, try func(*http.Request, oauth.Parameters) (T, *oauth.Error)) (T, *oauth.Error) {
	var nobody T
	key := counted{l.limits.Address(r), named(r, p)}
	if wait := l.enter(key); wait > 0 {
		return nobody, &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusTooManyRequests, RetryAfter: wait,
			Slug: oauth.SlugClientThrottled, Description: "This client has failed to authenticate too often from this address. Wait before trying again"}
	}
	proven, refused := try(r, p)
	if refused == nil || refused.Code != oauth.InvalidClient {
		l.takeBack(key)
	}
	return proven, refused
}

// named is the client that a request names, whoever sent it; what nobody is called
// counts together.
func named(r *http.Request, p oauth.Parameters) string {
	id := p.Get("client_id")
	if pairs, ok := basicPairs(r.Header.Get("Authorization")); ok {
		id = pairs[len(pairs)-1].id
	}
	if id == "" {
		id = issuerOf(p.Get("client_assertion"))
	}
	if len(id) > 256 {
		return ""
	}
	return id
}

// enter counts a try; above zero: how long to wait in its place.
func (l *Limited) enter(key counted) time.Duration {
	now := l.limits.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts[key]
	if c == nil || !now.Before(c.until) {
		l.makeRoom(now)
		c = &count{until: now.Add(failedWindow)}
		l.counts[key] = c
	}
	if c.n >= failedTries {
		return c.until.Sub(now)
	}
	c.n++
	return 0
}

func (l *Limited) takeBack(key counted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts[key]
	if c == nil {
		return
	}
	if c.n--; c.n <= 0 {
		delete(l.counts, key)
	}
}

// makeRoom keeps the memory bounded: what is over goes, then who has failed seldom,
// then anybody. The caller holds the lock.
func (l *Limited) makeRoom(now time.Time) {
	if len(l.counts) < maxCounted {
		return
	}
	for key, c := range l.counts {
		if !now.Before(c.until) || c.n <= seldomFailed {
			delete(l.counts, key)
		}
	}
	for key := range l.counts {
		if len(l.counts) < maxCounted {
			return
		}
		delete(l.counts, key)
	}
}
