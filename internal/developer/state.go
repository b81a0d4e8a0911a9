package developer

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// askForToken answers GET: the token is typed into a form, and is in no address.
func (d *Door) askForToken(w http.ResponseWriter, r *http.Request) {
	d.deps.Flow.Show(w, r, http.StatusOK, d.asks(w, r))
}

func (d *Door) asks(w http.ResponseWriter, r *http.Request) page.AppState {
	return page.AppState{Shell: page.Shell{Self: d.statePath(), Action: d.statePath(), Ticket: d.ticket(w, r, d.statePath())}}
}

// showState answers the form with the state of the app whose token it is. An unknown
// app, a removed one and the token of another one look alike (RFC 7592 §2.1); a
// disabled one is shown, so that its developer learns why.
func (d *Door) showState(w http.ResponseWriter, r *http.Request) {
	typed, fresh, ok := d.form(w, r, d.statePath())
	if !ok {
		return
	}
	p := d.asks(w, r)
	p.ClientID = typed.Get("client_id")
	wait, err := d.spent(r, register.TriesKey, tries, tryWindow)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if wait > 0 {
		p.WaitSeconds = int(wait/time.Second) + 1
		d.deps.Flow.Show(w, r, http.StatusTooManyRequests, p)
		return
	}
	if !fresh {
		d.forbidden(w, r)
		return
	}
	c, err := d.own(r, typed)
	if errors.Is(err, store.ErrNotFound) {
		p.Failed = true
		d.deps.Flow.Show(w, r, http.StatusBadRequest, p)
		return
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	p.Shown, p.Token, p.Self = true, typed.Get("registration_access_token"), ""
	p.AppName, p.Name, p.Scope, p.Redirects = c.Name, c.Name, c.Scope, c.RedirectURIs
	if !c.Disabled {
		p.URI = d.uri(c.ID)
	}
	p.State, p.Preview = d.standing(c), d.deps.Approval.Preview(c)
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

// own is the app whose registration access token was typed.
func (d *Door) own(r *http.Request, typed url.Values) (store.Client, error) {
	c, err := d.deps.Store.Client(r.Context(), store.ClientID(typed.Get("client_id")))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, err
	}
	if !register.Manages(c, typed.Get("registration_access_token")) {
		return store.Client{}, store.ErrNotFound
	}
	return c, err
}

// standing is how far the review of an app is, for its developer.
func (d *Door) standing(c store.Client) page.AppStanding {
	s := d.deps.Calendar.Standing(c.Review, d.deps.Now())
	if c.Disabled && s.State != store.ReviewDeclined {
		s.State, s.Due = store.ReviewSuspended, time.Time{}
	}
	p := page.AppStanding{State: string(s.State), Due: s.Due, Overdue: s.Overdue, Reason: c.Review.Reason}
	if s.State == store.ReviewAsked {
		p.Question = c.Review.Question
	}
	for _, step := range []struct {
		state store.ReviewState
		at    time.Time
	}{
		{store.ReviewRegistered, c.Review.RegisteredAt}, {store.ReviewAsked, c.Review.AskedAt}, {store.ReviewVerified, c.Review.VerifiedAt},
		{store.ReviewEnabled, c.Review.EnabledAt}, {store.ReviewDeclined, c.Review.DeclinedAt}, {store.ReviewSuspended, c.Review.SuspendedAt},
	} {
		if !step.at.IsZero() {
			p.Steps = append(p.Steps, page.AppStep{Name: string(step.state), At: d.deps.Calendar.In(step.at)})
		}
	}
	return p
}
