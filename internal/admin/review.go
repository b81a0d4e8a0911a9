package admin

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/review"
	"github.com/emberlatch/emberlatch/internal/store"
)

// reviewView is how far an app is that registered itself, and by when it has to go on.
type reviewView struct {
	State   store.ReviewState `json:"state"`
	Since   time.Time         `json:"since"`
	Due     time.Time         `json:"due,omitzero"` // in the time zone of the organisation
	Overdue bool              `json:"overdue,omitempty"`
	store.Review
}

func (d *Door) reviewOf(c store.Client) *reviewView {
	s := d.deps.Calendar.Standing(c.Review, d.deps.Now())
	if s.State == "" {
		return nil
	}
	return &reviewView{s.State, s.Since, s.Due, s.Overdue, c.Review}
}

// queueLine is an app that waits for an operator, with what helps to find out who
// makes it.
type queueLine struct {
	ID        store.ClientID `json:"client_id"`
	Revision  int64          `json:"revision"` // grows with every change; an approval names it
	Name      string         `json:"client_name"`
	Maker     string         `json:"emberlatch_maker,omitempty"`
	Website   string         `json:"client_uri,omitempty"`
	Contacts  []string       `json:"contacts,omitempty"`
	Redirects []string       `json:"redirect_uris"`
	Scope     string         `json:"scope"`
	// Alike are apps of the same name that people may be asked to approve.
	Alike  []store.ClientID `json:"same_name,omitempty"`
	Review *reviewView      `json:"review"`
}

// queue lists the apps that wait for an operator, the one that is due first at the
// top; with ?overdue those only that are too late (REG-06).
func (d *Door) queue(r *http.Request) (int, any, error) {
	clients, err := d.deps.Store.ListClients(r.Context())
	if err != nil {
		return 0, nil, err
	}
	lines := []queueLine{}
	for _, c := range clients {
		v := d.reviewOf(c)
		if v == nil || !v.State.Waits() || r.URL.Query().Has("overdue") && !v.Overdue {
			continue
		}
		lines = append(lines, queueLine{c.ID, c.Version, c.Name, c.Maker, c.ClientURI, c.Contacts, c.RedirectURIs, c.Scope, alike(c, clients), v})
	}
	slices.SortStableFunc(lines, func(a, b queueLine) int { return a.Review.Due.Compare(b.Review.Due) })
	return http.StatusOK, lines, nil
}

// alike are the apps that people know by the same name.
func alike(c store.Client, all []store.Client) []store.ClientID {
	var list []store.ClientID
	for _, o := range all {
		if o.ID != c.ID && o.MayAsk() && register.SameName(o.Name, c.Name) {
			list = append(list, o.ID)
		}
	}
	return list
}

// words are what a developer is told.
type words struct {
	Question string `json:"question"`
	Reason   string `json:"reason"`
	// Revision is the one that the operator has looked at. Who approves has to name it:
	// an app that became another one meanwhile was not looked at.
	Revision int64 `json:"revision"`
}

// decide makes one decision about an app, with its event, in one transaction; an app
// that is stopped by it is out everywhere when the answer leaves (REG-16).
func (d *Door) decide(kind string, f func(c store.Client, in words, now time.Time) (store.Client, error)) func(r *http.Request) (int, any, error) {
	return func(r *http.Request) (int, any, error) {
		var in words
		if err := decode(r, &in); err != nil {
			return 0, nil, err
		}
		was, err := d.client(r)
		if err != nil {
			return 0, nil, err
		}
		if in.Revision != 0 && in.Revision != was.Version {
			return 0, nil, conflict("the app has changed since you looked at it: look at it again")
		}
		now, err := f(was, in, d.deps.Now().UTC().Truncate(time.Millisecond))
		if err := refusedBy(err); err != nil {
			return 0, nil, err
		}
		if err := d.change(r.Context(), now, kind, in.Question+in.Reason); err != nil {
			return 0, nil, err
		}
		v, err := d.view(now, nil)
		return http.StatusOK, v, err
	}
}

// refusedBy turns a refusal of the review into bad input.
func refusedBy(err error) error {
	var refused *review.Refusal
	if errors.As(err, &refused) {
		return bad("%s", refused.Text)
	}
	return err
}

func ask(c store.Client, in words, now time.Time) (store.Client, error) {
	return review.Ask(c, in.Question, now)
}

var errUnseen = &review.Refusal{Text: "revision: name the one that you have looked at, as the queue tells it"}

func verify(c store.Client, in words, now time.Time) (store.Client, error) {
	if in.Revision == 0 {
		return c, errUnseen
	}
	return review.Verify(c, now)
}

func approve(c store.Client, in words, now time.Time) (store.Client, error) {
	if in.Revision == 0 {
		return c, errUnseen
	}
	return review.Approve(c, now)
}

func decline(c store.Client, in words, now time.Time) (store.Client, error) {
	return review.Decline(c, in.Reason, now)
}

func suspend(c store.Client, in words, now time.Time) (store.Client, error) {
	return review.Suspend(c, in.Reason, now)
}
