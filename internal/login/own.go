package login

import (
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
)

// showOwn asks who it is for a page of a person's own, unless it is known well enough.
func (d *Door) showOwn(w http.ResponseWriter, r *http.Request, place flow.Place) {
	who, live, err := d.deps.Sessions.Current(r)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if live && place.Admits(who, d.deps.Now()) {
		d.deps.Flow.Redirect(w, place.Path)
		return
	}
	p := d.ownPage(w, r, place)
	p.Reauthenticate = live
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

// ownPage is no app's: nobody can go back to one from it, nor enrol for one. Its ticket
// is for nobody, since a session may end while the page is open.
func (d *Door) ownPage(w http.ResponseWriter, r *http.Request, place flow.Place) page.SignIn {
	shell := d.deps.Flow.OwnShell(w, r, d.deps.Path, place.Handle, session.Authenticated{})
	shell.Self += "?request=" + url.QueryEscape(place.Handle)
	return page.SignIn{Shell: shell, RecoverURL: d.recoverURL(place.Handle)}
}

// postOwn signs in and goes to the place. Order: the ticket is checked before anything
// is counted or verified (LG-34).
func (d *Door) postOwn(w http.ResponseWriter, r *http.Request, place flow.Place) {
	typed, ok := d.deps.Flow.OwnForm(w, r, d.deps.Path, session.Authenticated{})
	if !ok {
		return
	}
	if _, ok := d.prove(w, r, d.ownPage(w, r, place), "", typed); ok {
		d.deps.Flow.Redirect(w, place.Path)
	}
}
