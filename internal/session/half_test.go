package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// required makes sessions of which practitioners owe a second factor.
func required(t *testing.T) *env {
	t.Helper()
	e := newEnv(t, true)
	s, err := session.New(session.Deps{
		Store: e.store, Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Secure: true, Settle: func(context.Context) error { return nil }, Now: e.store.now,
		Required: func(r store.Role) bool { return r == store.RolePractitioner },
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Sessions = s
	return e
}

// login is a sign-in with a password: the cookies that it sets, and whether it is whole.
func (e *env) login(t *testing.T, u store.User, cookies ...*http.Cookie) ([]*http.Cookie, bool) {
	t.Helper()
	w := httptest.NewRecorder()
	who, whole, err := e.Start(w, request(cookies...), u, []string{session.Password})
	if err != nil || whole != (who.UserID() != "") {
		t.Fatalf("%v, %v for %q", err, whole, who.UserID())
	}
	return w.Result().Cookies(), whole
}

// spec: LOGIN-13
// attack: LG-17
func TestWhoOwesMoreIsHalfSignedIn(t *testing.T) {
	set := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name  string
		user  store.User
		whole bool
	}{
		{"a patient without", store.User{ID: "p", Role: store.RolePatient}, true},
		{"a patient with one", store.User{ID: "p", Role: store.RolePatient, FactorAt: set}, false},
		{"a practitioner without", store.User{ID: "d", Role: store.RolePractitioner}, false},
		{"a practitioner with one", store.User{ID: "d", Role: store.RolePractitioner, FactorAt: set}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := required(t)
			cookies, whole := e.login(t, row.user)
			if whole != row.whole || (e.user(t, request(cookies...)) != "") != row.whole {
				t.Fatalf("whole: %v", whole)
			}
			half, there, err := e.Halfway(request(cookies...))
			if err != nil || there == row.whole || there && half.UserID() != row.user.ID {
				t.Errorf("halfway: %v, %v, %v", half, there, err)
			}
			for _, c := range cookies {
				disguised := *c
				disguised.Name = "__Host-emberlatch_session"
				if !row.whole && e.user(t, request(&disguised)) != "" {
					t.Error("the id of a half session is a session's")
				}
			}
			if all, err := e.Whose(request(cookies...)); err != nil || (len(all) > 0) != row.whole {
				t.Errorf("all: %v, %v", all, err)
			}
		})
	}
}

// spec: LOGIN-14, LOGIN-24
// attack: LG-08
func TestCompleting(t *testing.T) {
	for _, row := range []struct {
		name string
		use  store.FactorUse
		amr  []string
	}{
		{"a code", store.FactorUse{Step: 7}, []string{"pwd", "otp", "mfa"}},
		{"a backup code", store.FactorUse{BackupHash: []byte("x")}, []string{"pwd", "mfa"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := required(t)
			user := store.User{ID: "d", Role: store.RolePractitioner, FactorAt: e.clock}
			e.store.user = user
			first, _ := e.login(t, user)
			half, _, err := e.Halfway(request(first...))
			if err != nil {
				t.Fatal(err)
			}
			e.clock = e.clock.Add(3 * time.Minute)
			w := httptest.NewRecorder()
			who, err := e.Complete(w, request(first...), half, row.use, nil, store.Event{})
			if err != nil || !slices.Equal(who.AMR(), row.amr) || !who.AuthTime().Equal(e.clock) || who.UserID() != "d" {
				t.Fatalf("%v at %v, %v", who.AMR(), who.AuthTime(), err)
			}
			cookies := w.Result().Cookies()
			if len(cookies) != 2 || cookies[0].Value == first[0].Value || cookies[1].MaxAge >= 0 || cookies[1].Name != first[0].Name {
				t.Errorf("cookies: %v", cookies)
			}
			if e.user(t, request(cookies[0])) != "d" {
				t.Error("not signed in")
			}
			if _, there, _ := e.Halfway(request(first...)); there {
				t.Error("the half session is good once more")
			}
			if _, err := e.Complete(httptest.NewRecorder(), request(), half, row.use, nil, store.Event{}); err == nil {
				t.Error("and makes another session")
			}
		})
	}
}

// What a session is worth is asked when it is read: a password that was enough is not
// any more once there is a factor, or a rule.
//
// spec: LOGIN-13
// attack: LG-17
func TestAPasswordThatWasEnough(t *testing.T) {
	e := required(t)
	cookies, _ := e.login(t, store.User{ID: "p", Role: store.RolePatient})
	for _, now := range []store.User{{Role: store.RolePractitioner}, {FactorAt: e.clock}} {
		e.store.user = now
		if e.user(t, request(cookies...)) != "" {
			t.Errorf("good for %+v", now)
		}
	}
	e.store.user = store.User{Role: store.RolePatient}
	if e.user(t, request(cookies...)) != "p" {
		t.Error("not good any more")
	}
	// One that is not enough is ended by the next sign-in all the same.
	e.store.user = store.User{Role: store.RolePractitioner}
	if _, whole := e.login(t, store.User{ID: "q", Role: store.RolePatient}, cookies...); !whole {
		t.Fatal("not whole")
	}
	if e.store.user = (store.User{}); e.user(t, request(cookies...)) != "" {
		t.Error("the session of somebody else lives on")
	}
}

// A half session ends within minutes, and with signing out.
//
// attack: LG-12
func TestAHalfSessionEnds(t *testing.T) {
	e := required(t)
	user := store.User{ID: "d", Role: store.RolePractitioner}
	cookies, _ := e.login(t, user)
	if c := cookies[0]; c.Name != "__Host-emberlatch_second" || !c.HttpOnly || !c.Secure || c.MaxAge != 900 || !strings.HasPrefix(c.Value, "hs_") {
		t.Errorf("%v", c)
	}
	if _, there, _ := e.Halfway(request(cookies[0], cookies[0])); there {
		t.Error("two cookies are one")
	}
	if err := e.End(httptest.NewRecorder(), request(cookies...), "signed out"); err != nil {
		t.Fatal(err)
	}
	if _, there, _ := e.Halfway(request(cookies...)); there {
		t.Error("it outlives signing out")
	}
	cookies, _ = e.login(t, user)
	e.clock = e.clock.Add(15 * time.Minute)
	if _, there, _ := e.Halfway(request(cookies...)); there {
		t.Error("it lives on")
	}
}

// A session that goes on after a change has another id. How old a sign-in is changes only
// when all that was ever shown has been shown again.
//
// spec: LOGIN-14, LOGIN-24
// attack: LG-08, LG-19
func TestRenewing(t *testing.T) {
	for _, row := range []struct {
		name        string
		amr, proven []string
		want        []string
		fresh       bool
	}{
		{"a password by one", []string{"pwd"}, []string{"pwd"}, []string{"pwd"}, true},
		{"a code joins", []string{"pwd"}, []string{"otp"}, []string{"pwd", "otp", "mfa"}, false},
		{"a password of somebody with a code", []string{"pwd", "otp", "mfa"}, []string{"pwd"}, []string{"pwd", "otp", "mfa"}, false},
		{"a password after a backup code", []string{"pwd", "mfa"}, []string{"pwd"}, []string{"pwd", "mfa"}, false},
		{"nothing", []string{"pwd", "otp", "mfa"}, nil, []string{"pwd", "otp", "mfa"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t, true)
			w := httptest.NewRecorder()
			who, _, err := e.Start(w, request(), store.User{ID: "p"}, row.amr)
			if err != nil {
				t.Fatal(err)
			}
			old, began := w.Result().Cookies()[0], e.clock
			e.clock = e.clock.Add(4 * time.Minute)
			w = httptest.NewRecorder()
			now, err := e.Renew(w, request(old), who, row.proven...)
			if err != nil || !slices.Equal(now.AMR(), row.want) || now.AuthTime().Equal(e.clock) != row.fresh || !row.fresh && !now.AuthTime().Equal(began) {
				t.Errorf("%v at %v, %v", now.AMR(), now.AuthTime(), err)
			}
			if e.user(t, request(old)) != "" || e.user(t, request(w.Result().Cookies()[0])) != "p" {
				t.Error("the id is not another one")
			}
		})
	}
}
