package tries

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Tries that are free within a window; after them each one waits for its end.
const (
	accountTries  = 8
	accountWindow = 30 * time.Second
	addressTries  = 60
	addressWindow = 5 * time.Minute
)

// Store counts.
type Store interface {
	Count(ctx context.Context, key string, window time.Duration) (n int, until time.Time, err error)
	ResetCount(ctx context.Context, key string) error
}

// Deps are the parts that Tries needs; all but Blocked are required.
type Deps struct {
	Store       Store
	UsernameKey func(username string) (string, error)
	// Address is the network address that tries are counted by.
	Address func(r *http.Request) string
	// Blocked is told of each try that has to wait (AUD-09).
	Blocked func(r *http.Request)
	Now     func() time.Time
}

// Tries counts. It is safe for concurrent use.
type Tries struct{ deps Deps }

// New makes it; it refuses missing parts.
func New(deps Deps) (*Tries, error) {
	if deps.Store == nil || deps.UsernameKey == nil || deps.Address == nil || deps.Now == nil {
		return nil, errors.New("tries: a part is missing")
	}
	return &Tries{deps}, nil
}

func addressKey(address string) string { return "login address " + address }

func accountKey(usernameKey string) string { return "login account " + usernameKey }

// Wait counts a try by account and by address before anything is verified, and says
// how long to wait: at most to the end of the window.
func (t *Tries) Wait(r *http.Request, username string) (time.Duration, error) {
	key, err := t.deps.UsernameKey(username)
	if err != nil {
		key = "-" // all impossible names share one counter
	}
	return t.wait(r, []budget{
		{addressKey(t.deps.Address(r)), addressTries, addressWindow},
		{accountKey(key), accountTries, accountWindow},
	})
}

// budget is how many tries of a key are free within a window.
type budget struct {
	key    string
	tries  int
	window time.Duration
}

func (t *Tries) wait(r *http.Request, budgets []budget) (time.Duration, error) {
	for _, c := range budgets {
		n, until, err := t.deps.Store.Count(r.Context(), c.key, c.window)
		if err != nil {
			return 0, err
		}
		if n > c.tries {
			if t.deps.Blocked != nil {
				t.deps.Blocked(r)
			}
			return max(time.Second, until.Sub(t.deps.Now())), nil
		}
	}
	return 0, nil
}

// Forget forgets the tries of an account after a success.
func (t *Tries) Forget(ctx context.Context, usernameKey string) error {
	return t.deps.Store.ResetCount(ctx, accountKey(usernameKey))
}

// Codes of a second factor have budgets of their own, by account, of which a right
// password resets nothing: six digits with a step on either side stand a chance of three
// in a million at each try.
var codeBudgets = []struct {
	name   string
	tries  int
	window time.Duration
}{{"code", 6, 5 * time.Minute}, {"code day", 60, 24 * time.Hour}}

func codeKey(name string, user store.UserID) string { return "login " + name + " " + string(user) }

// WaitCode counts a try of a second factor, by address in the budget of passwords and by
// account, before anything is verified, and says how long to wait.
func (t *Tries) WaitCode(r *http.Request, user store.UserID) (time.Duration, error) {
	budgets := []budget{{addressKey(t.deps.Address(r)), addressTries, addressWindow}}
	for _, b := range codeBudgets {
		budgets = append(budgets, budget{codeKey(b.name, user), b.tries, b.window})
	}
	return t.wait(r, budgets)
}

// ForgetCode forgets the tries of an account after a right code.
func (t *Tries) ForgetCode(ctx context.Context, user store.UserID) error {
	for _, b := range codeBudgets {
		if err := t.deps.Store.ResetCount(ctx, codeKey(b.name, user)); err != nil {
			return err
		}
	}
	return nil
}
