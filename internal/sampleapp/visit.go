package sampleapp

import (
	"crypto/rand"
	"maps"
	"net/http"
	"sync"

	"golang.org/x/oauth2"
)

const cookie = "sample_app"

const (
	// maxVisits and maxOpen bound what is remembered; the sandbox is for a few people.
	maxVisits = 1000
	maxOpen   = 50
)

// visit is one browser: the requests under way, and the records that are open in
// its tabs. Each chart that an EHR has opened is apart from the others, so that two
// tabs never show one patient under the name of another.
type visit struct {
	mu      sync.Mutex
	pending map[string]pending     // by state
	open    map[string]*connection // by chart; "" is the one that the person connected here
}

// pending is a request under way.
type pending struct{ nonce, verifier, chart string }

// connection is what was received for one record.
type connection struct {
	chart                string // names it in our addresses; not the patient
	token                *oauth2.Token
	identity             identity
	patient, scope       string
	launched, needBanner bool // from an EHR, and whether to say who the patient is
}

// visitOf returns the visit of a browser, a new one if it has none.
func (a *App) visitOf(w http.ResponseWriter, r *http.Request) *visit {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := r.Cookie(cookie); err == nil {
		if v := a.sessions[c.Value]; v != nil {
			return v
		}
	}
	if len(a.sessions) >= maxVisits {
		clear(a.sessions)
	}
	id := rand.Text()
	v := &visit{pending: map[string]pending{}, open: map[string]*connection{}}
	a.sessions[id] = v
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return v
}

// ask remembers a request under its state.
func (v *visit) ask(state string, p pending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pending) >= maxOpen {
		clear(v.pending)
	}
	v.pending[state] = p
}

// answered returns the request of a state, once.
func (v *visit) answered(state string) (pending, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p, ok := v.pending[state]
	delete(v.pending, state)
	return p, ok
}

// connection returns what is open under a name, or nil.
func (v *visit) connection(chart string) *connection {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open[chart]
}

// connect opens a record, in the place of what was open under its name.
func (v *visit) connect(c *connection) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.open) >= maxOpen {
		clear(v.open)
	}
	v.open[c.chart] = c
}

// close forgets what is open under a name.
func (v *visit) close(chart string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.open, chart)
}

// closeAll forgets what is open and meant.
func (v *visit) closeAll(meant func(*connection) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.DeleteFunc(v.open, func(_ string, c *connection) bool { return meant(c) })
}

// address is where a record is shown.
func address(chart string) string {
	if chart == "" {
		return "/record"
	}
	return "/record?chart=" + chart
}
