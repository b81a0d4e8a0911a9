package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// Store is what the door needs of the store.
type Store interface {
	UserByName(ctx context.Context, usernameKey string) (store.User, error)
	User(ctx context.Context, id store.UserID) (store.User, error)
	SetPasswordHash(ctx context.Context, id store.UserID, hash string) error
	Record(ctx context.Context, e store.Event) error
}

// Accounts does the work that passwords need.
type Accounts interface {
	UsernameKey(username string) (string, error)
	Verify(ctx context.Context, password, encoded string) (bool, error)
	HashPassword(ctx context.Context, password string) (string, error)
}

// Deps are the parts that the door needs; all are required.
type Deps struct {
	Store    Store
	Accounts Accounts
	Factors  *factor.Factors
	Tries    *tries.Tries
	Flow     *flow.Flow
	Sessions *session.Sessions
	// Place is a page of a person's own that sign-in returns to; false for any handle
	// that names none.
	Place       func(handle string) (flow.Place, bool)
	Path        string // of this step
	SecondPath  string // of its second step
	EnrolPath   string // of enrolment
	RecoverPath string // for those who cannot sign in
	Now         func() time.Time
	Log         *slog.Logger
}

// Door answers the login step.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Accounts == nil || deps.Flow == nil || deps.Sessions == nil || deps.Place == nil || deps.Path == "" ||
		deps.Factors == nil || deps.SecondPath == "" || deps.EnrolPath == "" || deps.RecoverPath == "" || deps.Tries == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("login: a part is missing")
	}
	return &Door{deps}, nil
}

// Show answers GET.
func (d *Door) Show(w http.ResponseWriter, r *http.Request) {
	if place, own := d.deps.Place(r.URL.Query().Get("request")); own {
		d.showOwn(w, r, place)
		return
	}
	s, ok := d.deps.Flow.Open(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	p := d.page(s)
	p.Username = s.Request.LoginHint // fills the field, confirms nothing
	who, live, err := d.deps.Sessions.Current(r)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if live {
		switch {
		case mustProve(s.Request, who):
			p.Reauthenticate = true
		default:
			p.SignedInAs = d.display(r.Context(), who.UserID())
		}
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

func (d *Door) page(s flow.Step) page.SignIn {
	return page.SignIn{
		Shell: d.deps.Flow.Shell(s, d.deps.Path), CanEnrol: true,
		EnrolURL: d.deps.EnrolPath + "?request=" + url.QueryEscape(s.Handle), RecoverURL: d.recoverURL(s.Handle),
	}
}

// recoverURL is where somebody goes on who cannot sign in; it leads back here.
func (d *Door) recoverURL(handle string) string {
	return d.deps.RecoverPath + "?request=" + url.QueryEscape(handle)
}

func (d *Door) display(ctx context.Context, id store.UserID) string {
	u, err := d.deps.Store.User(ctx, id)
	if err != nil {
		return ""
	}
	return u.Display
}

// mustProve reports whether a session is too old for what the app asked (OpenID
// Connect Core §3.1.2.1: prompt=login, max_age).
func mustProve(q store.AuthorizationRequest, who session.Authenticated) bool {
	for _, word := range q.Prompt {
		if word == "login" {
			return true
		}
	}
	return q.MaxAge >= 0 && q.CreatedAt.Sub(who.AuthTime()) > time.Duration(q.MaxAge)*time.Second
}

// Post answers the form.
func (d *Door) Post(w http.ResponseWriter, r *http.Request) {
	typed, ok := d.deps.Flow.Typed(w, r)
	if !ok {
		return
	}
	if place, own := d.deps.Place(typed.Get("request")); own {
		d.postOwn(w, r, place)
		return
	}
	s, typed, ok := d.deps.Flow.Form(w, r, d.deps.Path)
	if !ok {
		return
	}
	switch typed.Get("action") {
	case "cancel":
		d.deps.Flow.Refuse(w, r, s)
	case "continue":
		d.adopt(w, r, s)
	default:
		d.signIn(w, r, s, typed)
	}
}

// adopt goes on with the session that exists.
func (d *Door) adopt(w http.ResponseWriter, r *http.Request, s flow.Step) {
	who, live, err := d.deps.Sessions.Current(r)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if !live || mustProve(s.Request, who) {
		d.deps.Flow.Redirect(w, d.deps.Path+"?request="+url.QueryEscape(s.Handle))
		return
	}
	d.save(w, r, s, who)
}

func (d *Door) save(w http.ResponseWriter, r *http.Request, s flow.Step, who session.Authenticated) {
	d.deps.Flow.Save(w, r, s, func(q *store.AuthorizationRequest) {
		flow.SetPerson(q, who)
	})
}

// signIn goes on with the person who proves a user name and password.
func (d *Door) signIn(w http.ResponseWriter, r *http.Request, s flow.Step, typed url.Values) {
	if who, ok := d.prove(w, r, d.page(s), s.Client.ID, typed); ok {
		d.save(w, r, s, who)
	}
}

// prove verifies user name and password, and begins a session. Otherwise the page is
// shown again, or the second step follows, and ok is false.
func (d *Door) prove(w http.ResponseWriter, r *http.Request, p page.SignIn, client store.ClientID, typed url.Values) (who session.Authenticated, ok bool) {
	p.Username = typed.Get("username")
	wait, err := d.deps.Tries.Wait(r, p.Username)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return who, false
	}
	if wait > 0 {
		p.WaitSeconds = int(wait.Seconds()) + 1
		d.deps.Flow.Show(w, r, http.StatusTooManyRequests, p)
		return who, false
	}
	user, right, err := d.verify(r.Context(), p.Username, typed.Get("password"))
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return who, false
	}
	if !right {
		d.record(r.Context(), "login.failed", user.ID, client, "refused")
		p.Failed = true
		d.deps.Flow.Show(w, r, http.StatusOK, p)
		return who, false
	}
	if err := d.deps.Tries.Forget(r.Context(), user.UsernameKey); err != nil {
		d.deps.Flow.Fail(w, r, err)
		return who, false
	}
	who, whole, err := d.deps.Sessions.Start(w, r, user, []string{session.Password})
	switch {
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
	case !whole:
		d.record(r.Context(), "login.half", user.ID, client, "ok")
		d.deps.Flow.Redirect(w, d.secondAddress(p.Shell.Handle))
	default:
		d.record(r.Context(), "login", user.ID, client, "ok")
	}
	return who, whole && err == nil
}

// verify finds the account and checks the password; the work is the same when
// there is none.
func (d *Door) verify(ctx context.Context, username, password string) (store.User, bool, error) {
	var user store.User
	if key, err := d.deps.Accounts.UsernameKey(username); err == nil {
		found, err := d.deps.Store.UserByName(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return user, false, err
		}
		user = found
	}
	right, err := d.deps.Accounts.Verify(ctx, password, user.PasswordHash)
	if err != nil || !right || user.Disabled {
		return user, false, err
	}
	if account.NeedsRehash(user.PasswordHash) { // LOGIN-12
		if hash, err := d.deps.Accounts.HashPassword(ctx, password); err == nil {
			if err := d.deps.Store.SetPasswordHash(ctx, user.ID, hash); err != nil {
				d.deps.Log.WarnContext(ctx, "a password could not be hashed anew", "error", err)
			}
		}
	}
	return user, true, nil
}

func (d *Door) record(ctx context.Context, kind string, user store.UserID, client store.ClientID, outcome string) {
	err := d.deps.Store.Record(ctx, store.Event{At: d.deps.Now(), Kind: kind, Actor: string(user), ClientID: client, Outcome: outcome})
	if err != nil {
		d.deps.Log.ErrorContext(ctx, "an event could not be recorded", "kind", kind, "error", err)
	}
}
