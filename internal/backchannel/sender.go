package backchannel

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Store is what the sender needs of the store.
type Store interface {
	store.LogoutNotices
	Client(ctx context.Context, id store.ClientID) (store.Client, error)
	Record(ctx context.Context, e store.Event) error
}

// Outcome is what became of an attempt.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // the app has answered 200
	Refused   Outcome = "refused"   // it has answered otherwise; tried again
	Unheard   Outcome = "unheard"   // it has not answered; tried again
	GivenUp   Outcome = "given_up"  // tried too often or for too long
	Dropped   Outcome = "dropped"   // the app is gone, disabled, or wants it no more
)

// Outcomes are all of them.
var Outcomes = []Outcome{Delivered, Refused, Unheard, GivenUp, Dropped}

// Deps are the parts that the Sender needs; all are required.
type Deps struct {
	Store Store
	// Mint makes a logout token.
	Mint func(client store.Client, user store.UserID, sid string) (string, error)
	// Post sends a form within the policy for outbound requests, within seconds, and
	// returns the status of the answer.
	Post  func(ctx context.Context, url string, form url.Values) (status int, err error)
	Count func(o Outcome)
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	// lookEvery is how often it looks for what is due again.
	lookEvery = 5 * time.Second
	// maxLanes bounds how many apps are told at once.
	maxLanes = 16
)

// Sender delivers logout notices. It is safe for concurrent use.
type Sender struct {
	deps Deps
	wake chan struct{}

	mu    sync.Mutex
	busy  map[store.ClientID]bool // apps with a lane
	lanes sync.WaitGroup
}

// New makes it; it refuses missing parts.
func New(deps Deps) (*Sender, error) {
	if deps.Store == nil || deps.Mint == nil || deps.Post == nil || deps.Count == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("backchannel: a part is missing")
	}
	return &Sender{deps: deps, wake: make(chan struct{}, 1), busy: map[store.ClientID]bool{}}, nil
}

// Wake makes it look now. It never waits.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	defer s.lanes.Wait()
	for {
		s.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// look begins a lane for each app that has none, as long as there is room; for the
// others it is called again.
func (s *Sender) look(ctx context.Context) {
	clients, err := s.deps.Store.ClientsToTell(ctx)
	if err != nil {
		s.failed(ctx, err)
		return
	}
	for _, id := range clients {
		if s.begin(id) {
			s.lanes.Go(func() { s.lane(ctx, id) })
		}
	}
}

func (s *Sender) begin(id store.ClientID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] || len(s.busy) >= maxLanes {
		return false
	}
	s.busy[id] = true
	return true
}

// end gives the place of a lane back; whoever waits for it is looked for at once.
func (s *Sender) end(id store.ClientID, well bool) {
	s.mu.Lock()
	delete(s.busy, id)
	s.mu.Unlock()
	if well {
		s.Wake()
	}
}

// failed tells of a store that cannot be asked; what is in it is tried again.
func (s *Sender) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.deps.Log.ErrorContext(ctx, "apps could not be told of a logout; it is tried again", "error", err)
	}
}
