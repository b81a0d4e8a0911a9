package login

import (
	"net/http"
	"time"
)

// Tries that are free within a window; after them each one waits for its end.
const (
	accountTries  = 8
	accountWindow = 30 * time.Second
	addressTries  = 60
	addressWindow = 5 * time.Minute
)

func accountKey(usernameKey string) string { return "login account " + usernameKey }

// tooMany counts a try by account and by address before anything is verified, and
// says how long to wait: at most to the end of the window.
func (d *Door) tooMany(r *http.Request, username string) (time.Duration, error) {
	key, err := d.deps.Accounts.UsernameKey(username)
	if err != nil {
		key = "-" // all impossible names share one counter
	}
	for _, c := range []struct {
		key    string
		tries  int
		window time.Duration
	}{
		{"login address " + d.deps.Address(r), addressTries, addressWindow},
		{accountKey(key), accountTries, accountWindow},
	} {
		n, until, err := d.deps.Store.Count(r.Context(), c.key, c.window)
		if err != nil {
			return 0, err
		}
		if n > c.tries {
			return max(time.Second, until.Sub(d.deps.Now())), nil
		}
	}
	return 0, nil
}
