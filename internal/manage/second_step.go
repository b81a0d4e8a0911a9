package manage

import (
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// ShowSecondStep shows whether the person has a second step.
func (d *Door) ShowSecondStep(w http.ResponseWriter, r *http.Request) {
	if who, ok := d.signedIn(w, r, placeSecondStep); ok {
		d.showSecondStep(w, r, who, false)
	}
}

func (d *Door) showSecondStep(w http.ResponseWriter, r *http.Request, who session.Authenticated, removed bool) {
	user, err := d.deps.Store.User(r.Context(), who.UserID())
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	p := page.SecondStepState{
		Shell: d.deps.Flow.OwnShell(w, r, PathSecondStep, placeSecondStep.Handle, who), Required: d.deps.Sessions.Required(user.Role),
		Removed: removed, SetUpURL: PathSetUp, Back: Path,
	}
	if !user.FactorAt.IsZero() {
		f, err := d.deps.Store.Factor(r.Context(), user.ID)
		if err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
		p.Since, p.Codes = f.ConfirmedAt, f.BackupCodes
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

// ChangeSecondStep makes new backup codes, or removes the second step, for somebody who
// has signed in within five minutes: with the second step, since they have one (LG-19).
func (d *Door) ChangeSecondStep(w http.ResponseWriter, r *http.Request) {
	who, typed, ok := d.form(w, r, PathSecondStep, placeChangeStep)
	if !ok {
		return
	}
	switch typed.Get("action") {
	case "new-codes":
		d.newCodes(w, r, who)
	case "remove":
		d.removeFactor(w, r, who)
	default:
		d.deps.Flow.Redirect(w, PathSecondStep)
	}
}

func (d *Door) newCodes(w http.ResponseWriter, r *http.Request, who session.Authenticated) {
	codes, hashes := factor.BackupCodes()
	err := d.deps.Store.RenewBackupCodes(r.Context(), who.UserID(), hashes, d.changed(who, "factor.backup-codes"))
	switch {
	case errors.Is(err, store.ErrNotFound): // removed in another window
		d.deps.Flow.Redirect(w, PathSecondStep)
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
	default:
		d.deps.Flow.Show(w, r, http.StatusOK, page.BackupCodes{Codes: codes, New: true, Next: PathSecondStep})
	}
}

// removeFactor is refused to those of whom the organisation asks for one (LG-23).
func (d *Door) removeFactor(w http.ResponseWriter, r *http.Request, who session.Authenticated) {
	user, err := d.deps.Store.User(r.Context(), who.UserID())
	if err == nil && (d.deps.Sessions.Required(user.Role) || user.FactorAt.IsZero()) {
		d.deps.Flow.Redirect(w, PathSecondStep)
		return
	}
	var f store.Factor
	if err == nil {
		f, err = d.deps.Store.Factor(r.Context(), user.ID)
	}
	if err == nil {
		err = d.deps.Store.ChangeFactor(r.Context(), store.FactorChange{
			UserID: user.ID, Was: f.Sealed, Keep: who.Hash(), Event: d.changed(who, "factor.removed"),
		})
	}
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) { // changed in another window
		d.deps.Flow.Redirect(w, PathSecondStep)
		return
	}
	if who, ok := d.renewed(w, r, who, err); ok {
		d.showSecondStep(w, r, who, true)
	}
}

// renewed gives a session that goes on after a change another id (LOGIN-14). err is that
// of the change.
func (d *Door) renewed(w http.ResponseWriter, r *http.Request, who session.Authenticated, err error, proven ...string) (session.Authenticated, bool) {
	if err == nil {
		who, err = d.deps.Sessions.Renew(w, r, who, proven...)
	}
	if err == nil {
		err = d.deps.Settle(r.Context())
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
	}
	return who, err == nil
}

// ShowSetUp shows a secret to set up.
func (d *Door) ShowSetUp(w http.ResponseWriter, r *http.Request) {
	if who, ok := d.signedIn(w, r, placeSetUp); ok {
		d.offer(w, r, who, false)
	}
}

func (d *Door) offer(w http.ResponseWriter, r *http.Request, who session.Authenticated, failed bool) {
	user, err := d.deps.Store.User(r.Context(), who.UserID())
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	o, err := d.deps.Factors.Offer(user, who.Hash())
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.SetUpSecondStep{
		Shell: d.deps.Flow.OwnShell(w, r, PathSetUp, placeSetUp.Handle, who), Username: user.Username, Secret: o.Secret, URI: o.URI,
		QR: page.Drawing{Box: o.QR.Sides(), Path: o.QR.Path}, Replaces: !user.FactorAt.IsZero(), Failed: failed, Back: PathSecondStep,
	})
}

// SetUp sets a factor up, in the place of the one that there is, for somebody who has
// signed in within five minutes. Everybody else who is signed in as them is not any more,
// and this browser gets a session of another id, which tells of the code.
func (d *Door) SetUp(w http.ResponseWriter, r *http.Request) {
	who, typed, ok := d.form(w, r, PathSetUp, placeSetUp)
	if !ok {
		return
	}
	user, err := d.deps.Store.User(r.Context(), who.UserID())
	var made factor.Made
	right := false
	if err == nil {
		made, right, err = d.deps.Factors.Confirm(r.Context(), user, who.Hash(), typed.Get("code"))
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if !right {
		d.offer(w, r, who, true)
		return
	}
	made.Change.Keep, made.Change.Event = who.Hash(), d.changed(who, "factor.set")
	err = d.deps.Store.ChangeFactor(r.Context(), made.Change)
	if errors.Is(err, store.ErrConflict) { // another window was faster
		d.deps.Flow.Redirect(w, PathSecondStep)
		return
	}
	if _, ok := d.renewed(w, r, who, err, session.TimeCode); ok {
		d.deps.Flow.Show(w, r, http.StatusOK, page.BackupCodes{Codes: made.Codes, Next: PathSecondStep})
	}
}

func (d *Door) changed(who session.Authenticated, kind string) store.Event {
	return store.Event{At: d.deps.Now(), Kind: kind, Actor: string(who.UserID()), Outcome: "ok"}
}
