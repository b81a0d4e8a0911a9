package introspect

import (
	"net/http"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// vainTries is how often a caller may ask in vain within vainWindow: a resource server
	// on the internet hears a lot of nonsense, and a token cannot be guessed.
	vainTries  = 1200
	vainWindow = time.Minute
	// otherRetry is when a caller may ask again about a token whose server is away.
	otherRetry = 2 * time.Second
)

// vain counts the questions of each caller that led to nothing. Callers are registered
// clients, so its memory is bounded by their number. It is safe for concurrent use.
type vain struct {
	now    func() time.Time
	mu     sync.Mutex
	counts map[store.ClientID]vainCount
}

type vainCount struct {
	n     int
	until time.Time
}

func newVain(now func() time.Time) *vain {
	return &vain{now: now, counts: map[store.ClientID]vainCount{}}
}

// enter counts a question; above zero: how long to wait in its place.
func (v *vain) enter(id store.ClientID) time.Duration {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.counts[id]
	if !now.Before(c.until) {
		c = vainCount{until: now.Add(vainWindow)}
	}
	if c.n >= vainTries {
		return c.until.Sub(now)
	}
	c.n++
	v.counts[id] = c
	return 0
}

func (v *vain) takeBack(id store.ClientID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c := v.counts[id]; c.n > 0 {
		c.n--
		v.counts[id] = c
	}
}

func throttled(wait time.Duration) *oauth.Error {
	return &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusTooManyRequests, RetryAfter: wait,
		Slug: oauth.SlugIntrospectionThrottled, Description: "This client has asked about too many tokens that are not good. Wait before asking about such a token again"}
}
