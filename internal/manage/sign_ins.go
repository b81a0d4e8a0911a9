package manage

import (
	"bytes"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
)

// maxSessions is how many sessions one page shows.
const maxSessions = 50

// ShowSignIns lists the sessions of the person.
func (d *Door) ShowSignIns(w http.ResponseWriter, r *http.Request) {
	if who, ok := d.signedIn(w, r, placeSignIns); ok {
		d.showSignIns(w, r, who, false)
	}
}

// EndOthers ends all sessions but the one of this browser.
func (d *Door) EndOthers(w http.ResponseWriter, r *http.Request) {
	who, typed, ok := d.form(w, r, PathSignIns, placeOthers)
	if !ok {
		return
	}
	if typed.Get("action") != "end-others" {
		d.deps.Flow.Redirect(w, PathSignIns)
		return
	}
	err := d.deps.Store.EndUserSessions(r.Context(), who.UserID(), who.Hash(), "signed out elsewhere")
	if err == nil {
		err = d.deps.Settle(r.Context())
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.record(r.Context(), "sessions.ended", who, "ok")
	d.showSignIns(w, r, who, true)
}

func (d *Door) showSignIns(w http.ResponseWriter, r *http.Request, who session.Authenticated, ended bool) {
	list, err := d.deps.Store.ListSessions(r.Context(), who.UserID(), maxSessions)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	p := page.SignIns{Shell: d.deps.Flow.OwnShell(w, r, PathSignIns, placeSignIns.Handle, who), Ended: ended, Back: Path}
	for _, s := range list {
		p.Sessions = append(p.Sessions, page.SignedIn{
			Here: bytes.Equal(s.IDHash, who.Hash()), Since: s.CreatedAt, Seen: s.LastSeenAt, Until: s.ExpiresAt,
		})
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}
