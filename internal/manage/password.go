package manage

import (
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// ShowPassword asks for the password and another.
func (d *Door) ShowPassword(w http.ResponseWriter, r *http.Request) {
	who, ok := d.signedIn(w, r, placePassword)
	if !ok {
		return
	}
	user, err := d.deps.Store.User(r.Context(), who.UserID())
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, d.passwordPage(w, r, who, user))
}

func (d *Door) passwordPage(w http.ResponseWriter, r *http.Request, who session.Authenticated, user store.User) page.ChangePassword {
	return page.ChangePassword{
		Shell: d.deps.Flow.OwnShell(w, r, PathPassword, placePassword.Handle, who), Username: user.Username, Back: Path,
	}
}

// ChangePassword replaces the password of somebody who proves the one they have. Order:
// the try is counted before anything is verified, in the budget of sign-in, so that a
// stolen session is no second one (LG-03, LG-05).
func (d *Door) ChangePassword(w http.ResponseWriter, r *http.Request) {
	who, typed, ok := d.form(w, r, PathPassword, placePassword)
	if !ok {
		return
	}
	user, err := d.deps.Store.User(r.Context(), who.UserID())
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	p := d.passwordPage(w, r, who, user)
	wait, err := d.deps.Tries.Wait(r, user.Username)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if wait > 0 {
		p.WaitSeconds = int(wait.Seconds()) + 1
		d.deps.Flow.Show(w, r, http.StatusTooManyRequests, p)
		return
	}
	current, password := typed.Get("current"), typed.Get("password")
	right, err := d.deps.Accounts.Verify(r.Context(), current, user.PasswordHash)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if p.Problems = passwordProblems(right, current, password, user.Username); len(p.Problems) > 0 {
		if !right {
			d.record(r.Context(), "password.refused", who, "refused")
		}
		d.deps.Flow.Show(w, r, http.StatusOK, p)
		return
	}
	d.change(w, r, who, user, password)
}

func passwordProblems(right bool, current, password, username string) []page.FieldProblem {
	var list []page.FieldProblem
	if !right {
		list = append(list, page.FieldProblem{Field: "current", Message: "password-wrong"})
	}
	if problem := account.CheckPassword(password, username); problem != "" {
		list = append(list, page.FieldProblem{Field: "password", Message: string(problem)})
	} else if right && password == current {
		list = append(list, page.FieldProblem{Field: "password", Message: "password-same"})
	}
	return list
}

// change writes the new password. Order: the other sessions end with the old password,
// in one step; then this browser gets another session in the place of its own, so that
// no cookie from before is good (LOGIN-14, LG-12).
func (d *Door) change(w http.ResponseWriter, r *http.Request, who session.Authenticated, user store.User, password string) {
	hash, err := d.deps.Accounts.HashPassword(r.Context(), password)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	err = d.deps.Store.ChangePassword(r.Context(), store.PasswordChange{
		UserID: user.ID, Was: user.PasswordHash, Hash: hash, Keep: who.Hash(),
		Event: store.Event{At: d.deps.Now(), Kind: "password.changed", Actor: string(user.ID), Outcome: "ok"},
	})
	if errors.Is(err, store.ErrConflict) { // somebody else was faster: theirs is the password now
		p := d.passwordPage(w, r, who, user)
		p.Problems = []page.FieldProblem{{Field: "current", Message: "password-wrong"}}
		d.deps.Flow.Show(w, r, http.StatusOK, p)
		return
	}
	if err == nil {
		err = d.deps.Tries.Forget(r.Context(), user.UsernameKey)
	}
	if err == nil {
		_, err = d.deps.Sessions.Renew(w, r, who, session.Password)
	}
	if err == nil {
		err = d.deps.Settle(r.Context())
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.PasswordChanged{Shell: page.Shell{Self: Path}, Back: Path})
}
