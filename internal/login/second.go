package login

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// second is the second step of a person who is half signed in, of an app's request or for
// a page of their own.
type second struct {
	half   session.Halfway
	user   store.User
	own    bool
	place  flow.Place // own
	step   flow.Step  // not own
	handle string
	backup bool // the page on which a backup code is typed
}

// client is the app that asked; none for a page of one's own.
func (s second) client() store.ClientID { return s.step.Client.ID }

// ShowSecond answers GET of the second step: a code is asked for, or a factor is set up by
// who owes one and has none.
func (d *Door) ShowSecond(w http.ResponseWriter, r *http.Request) {
	s := second{handle: r.URL.Query().Get("request"), backup: r.URL.Query().Has("backup")}
	ok := false
	if s.place, s.own = d.deps.Place(s.handle); !s.own {
		if s.step, ok = d.deps.Flow.Open(w, r, s.handle); !ok {
			return
		}
	}
	if !d.halfway(w, r, &s) {
		return
	}
	if s.user.FactorAt.IsZero() {
		d.offer(w, r, s, false)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, d.codePage(w, r, s))
}

// halfway finds who has proven a password at this browser. Without anybody it is back to
// the password, and ok is false.
func (d *Door) halfway(w http.ResponseWriter, r *http.Request, s *second) (ok bool) {
	var err error
	if s.half, ok, err = d.deps.Sessions.Halfway(r); err == nil && ok {
		s.user, err = d.deps.Store.User(r.Context(), s.half.UserID())
	}
	switch {
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
		return false
	case !ok:
		d.again(w, *s)
	}
	return ok
}

// again goes back to the password.
func (d *Door) again(w http.ResponseWriter, s second) {
	d.deps.Flow.Redirect(w, d.deps.Path+"?request="+url.QueryEscape(s.handle))
}

func (d *Door) secondAddress(handle string) string {
	return d.deps.SecondPath + "?request=" + url.QueryEscape(handle)
}

func (d *Door) secondShell(w http.ResponseWriter, r *http.Request, s second) page.Shell {
	if !s.own {
		return d.deps.Flow.Shell(s.step, d.deps.SecondPath)
	}
	shell := d.deps.Flow.OwnShell(w, r, d.deps.SecondPath, s.handle, session.Authenticated{})
	shell.Self = d.secondAddress(s.handle)
	return shell
}

func (d *Door) codePage(w http.ResponseWriter, r *http.Request, s second) page.SecondStep {
	p := page.SecondStep{Shell: d.secondShell(w, r, s), Backup: s.backup}
	if p.OtherURL = d.secondAddress(s.handle); s.backup {
		p.Shell.Self += "&backup"
	} else {
		p.OtherURL += "&backup"
	}
	return p
}

// PostSecond answers the form of the second step. What is owed is decided by the account,
// never by what the form says (LG-15).
func (d *Door) PostSecond(w http.ResponseWriter, r *http.Request) {
	s, typed, ok := d.secondForm(w, r)
	switch {
	case !ok:
	case typed.Get("action") == "cancel" && !s.own:
		d.deps.Flow.Refuse(w, r, s.step)
	case !d.halfway(w, r, &s):
	case s.user.FactorAt.IsZero():
		d.setUp(w, r, s, typed)
	default:
		d.proveCode(w, r, s, typed)
	}
}

// secondForm proves that the form was shown here, before anything is counted.
func (d *Door) secondForm(w http.ResponseWriter, r *http.Request) (s second, typed url.Values, ok bool) {
	if typed, ok = d.deps.Flow.Typed(w, r); !ok {
		return s, nil, false
	}
	s.handle, s.backup = typed.Get("request"), typed.Has("backup")
	if s.place, s.own = d.deps.Place(s.handle); s.own {
		typed, ok = d.deps.Flow.OwnForm(w, r, d.deps.SecondPath, session.Authenticated{})
		return s, typed, ok
	}
	s.step, typed, ok = d.deps.Flow.Form(w, r, d.deps.SecondPath)
	return s, typed, ok
}

// proveCode takes a code. Order: the try is counted before anything is compared. A wrong
// code, one that was used and one that is too old get one answer (P-40).
func (d *Door) proveCode(w http.ResponseWriter, r *http.Request, s second, typed url.Values) {
	p := d.codePage(w, r, s)
	wait, err := d.deps.Tries.WaitCode(r, s.user.ID)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if wait > 0 {
		p.WaitSeconds = int(wait.Seconds()) + 1
		d.deps.Flow.Show(w, r, http.StatusTooManyRequests, p)
		return
	}
	use, how, err := d.match(r, s, typed)
	var who session.Authenticated
	if err == nil {
		who, err = d.deps.Sessions.Complete(w, r, s.half, use, nil, d.signedIn(s, how))
	}
	switch {
	case errors.Is(err, store.ErrConsumed):
		d.record(r.Context(), "factor.refused", s.user.ID, s.client(), "refused")
		p.Failed = true
		d.deps.Flow.Show(w, r, http.StatusOK, p)
	case errors.Is(err, store.ErrNotFound): // over, or another tab was faster
		d.again(w, s)
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
	default:
		if err := d.deps.Tries.ForgetCode(r.Context(), s.user.ID); err != nil {
			d.deps.Log.WarnContext(r.Context(), "tries could not be forgotten", "error", err)
		}
		d.goOn(w, r, s, who)
	}
}

// match is what the typed code would use up; store.ErrConsumed: it is none that could.
func (d *Door) match(r *http.Request, s second, typed url.Values) (use store.FactorUse, how string, err error) {
	right, how := false, "code"
	if s.backup {
		use, right = factor.Backup(typed.Get("backup"))
		how = "backup code"
	} else {
		use, right, err = d.deps.Factors.Match(r.Context(), s.user.ID, typed.Get("code"))
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && !right {
		err = store.ErrConsumed
	}
	return use, how, err
}

// signedIn is recorded with the session; how never holds a code (LOGIN-26).
func (d *Door) signedIn(s second, how string) store.Event {
	return store.Event{At: d.deps.Now(), Kind: "login", Actor: string(s.user.ID), ClientID: s.client(), Outcome: "ok", Detail: "second step: " + how}
}

// goOn goes to where the person was asked to sign in for.
func (d *Door) goOn(w http.ResponseWriter, r *http.Request, s second, who session.Authenticated) {
	if s.own {
		d.deps.Flow.Redirect(w, s.place.Path)
		return
	}
	d.save(w, r, s.step, who)
}

// offer shows a secret to set up.
func (d *Door) offer(w http.ResponseWriter, r *http.Request, s second, failed bool) {
	o, err := d.deps.Factors.Offer(s.user, s.half.Hash())
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.SetUpSecondStep{
		Shell: d.secondShell(w, r, s), Username: s.user.Username, Secret: o.Secret, URI: o.URI, Required: true, Failed: failed,
		QR: page.Drawing{Box: o.QR.Sides(), Path: o.QR.Path},
	})
}

// setUp sets a factor up and signs the person in, in one step; the backup codes are
// shown, and what was asked for goes on from there.
func (d *Door) setUp(w http.ResponseWriter, r *http.Request, s second, typed url.Values) {
	made, right, err := d.deps.Factors.Confirm(r.Context(), s.user, s.half.Hash(), typed.Get("code"))
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if !right {
		d.offer(w, r, s, true)
		return
	}
	made.Change.Event = store.Event{At: d.deps.Now(), Kind: "factor.set", Actor: string(s.user.ID), ClientID: s.client(), Outcome: "ok"}
	who, err := d.deps.Sessions.Complete(w, r, s.half, store.FactorUse{}, &made.Change, d.signedIn(s, "set up"))
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict): // another tab was faster
		d.again(w, s)
		return
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
		return
	}
	p := page.BackupCodes{Shell: page.Shell{AppName: s.step.Client.Name, UILocales: s.step.Request.UILocales}, Codes: made.Codes, Next: s.place.Path}
	if !s.own {
		if err := d.deps.Flow.Note(r, s.step, who); err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
		p.Next, p.ToApp = flow.ContinuePath+"?request="+url.QueryEscape(s.handle), true
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}
