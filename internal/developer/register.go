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

// register answers the form. Order: everything is judged before the ticket is used up,
// so that a mistake costs neither the ticket nor an app of the budget.
func (d *Door) register(w http.ResponseWriter, r *http.Request) {
	typed, fresh, ok := d.form(w, r, d.registerPath())
	if !ok {
		return
	}
	wait, err := d.spent(r, register.TriesKey, tries, tryWindow)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if wait > 0 {
		d.tooMany(w, r, typed, wait)
		return
	}
	if !fresh {
		d.again(w, r, http.StatusBadRequest, typed, page.RegisterApp{Stale: true})
		return
	}
	m, problems := d.read(typed)
	var c store.Client
	var secret string
	if len(problems) == 0 {
		if c, secret, problems, err = d.judged(m); err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
	}
	if len(problems) > 0 {
		d.again(w, r, http.StatusBadRequest, typed, page.RegisterApp{Problems: problems})
		return
	}
	d.keep(w, r, typed, c, secret)
}

func (d *Door) tooMany(w http.ResponseWriter, r *http.Request, typed url.Values, wait time.Duration) {
	d.again(w, r, http.StatusTooManyRequests, typed, page.RegisterApp{WaitSeconds: int(wait/time.Second) + 1})
}

// keep stores a client that was judged, and shows what is shown once.
func (d *Door) keep(w http.ResponseWriter, r *http.Request, typed url.Values, c store.Client, secret string) {
	first, err := d.use(r, typed.Get("ticket"))
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if !first {
		d.again(w, r, http.StatusBadRequest, typed, page.RegisterApp{Stale: true})
		return
	}
	wait, err := d.spent(r, "registration form", apps, appWindow)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if wait > 0 {
		d.tooMany(w, r, typed, wait)
		return
	}
	token := register.NewManagementToken(&c)
	err = d.deps.Store.RegisterClient(r.Context(), store.Registration{
		Client: c, Limit: d.deps.Limit, WaitingLimit: d.deps.WaitingLimit,
		Event: store.Event{At: d.deps.Now(), Kind: "client.registered", Actor: string(c.ID), ClientID: c.ID, Outcome: "ok", Detail: c.RegisteredWith},
	})
	switch {
	case errors.Is(err, store.ErrFull):
		d.deps.Log.WarnContext(r.Context(), "no more apps can register: decide about those that wait, or raise registration.max_waiting or max_clients")
		d.again(w, r, http.StatusServiceUnavailable, typed, page.RegisterApp{Full: true})
		return
	case err == nil:
		err = d.deps.Settle(r.Context())
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.RegisteredApp{
		Shell:    page.Shell{AppName: c.Name, Action: d.statePath(), Ticket: d.ticket(w, r, d.statePath())},
		ClientID: string(c.ID), Secret: secret, Token: token, URI: d.uri(c.ID), State: d.standing(c), Preview: d.deps.Approval.Preview(c),
	})
}
