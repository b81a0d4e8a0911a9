package manage_test

import (
	"encoding/base32"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/manage"
	"github.com/emberlatch/emberlatch/internal/store"
)

var shownSecret = regexp.MustCompile(`id="secret" dir="ltr">([A-Z2-7 ]+)<`)

// code is that of the key on the page of setting up, so many steps from now.
func (b *browser) code(steps int64) string {
	b.env.t.Helper()
	found := shownSecret.FindStringSubmatch(b.get(manage.PathSetUp).Body.String())
	if found == nil {
		b.env.t.Fatal("there is no key on the page")
	}
	secret, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(found[1], " ", ""))
	must(b.env.t, err)
	text, err := factor.Code(secret, b.env.now().Unix()/30+steps)
	must(b.env.t, err)
	return text
}

// setUp sets a second step up.
func (b *browser) setUp() {
	b.env.t.Helper()
	says(b.env.t, b.post(manage.PathSetUp, b.form(manage.PathSetUp, "code", b.code(0))), "Your backup codes")
}

func (b *browser) session() string { return b.cookies["__Host-emberlatch_session"].Value }

// Who changes a second step has signed in within five minutes; a session that is older,
// and one that a weaker proof has touched since, go to where people sign in, and nothing
// has happened.
//
// spec: LOGIN-13, LOGIN-14
// attack: LG-19, LG-08
func TestChangingTheSecondStepNeedsAFreshSignIn(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	stale := func(name, path, handle string, form url.Values) {
		t.Helper()
		w := maria.post(path, form)
		if form == nil {
			w = maria.get(path)
		}
		if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/login?request="+handle {
			t.Errorf("%s: %d to %q", name, w.Code, to)
		}
	}
	setUp := maria.form(manage.PathSetUp, "code", maria.code(0))
	e.ahead = 6 * time.Minute
	stale("the page of setting up", manage.PathSetUp, "manage.second-step.set-up", nil)
	stale("setting up", manage.PathSetUp, "manage.second-step.set-up", setUp)
	u, err := e.store.User(t.Context(), "maria")
	if err != nil || !u.FactorAt.IsZero() {
		t.Fatalf("it was set up: %v, %v", u.FactorAt, err)
	}

	maria = e.signIn("maria")
	before := maria.session()
	maria.setUp()
	if maria.session() == before {
		t.Error("the cookie is the one of before")
	}
	page := maria.get(manage.PathSecondStep)
	says(t, page, "10 left")
	change := maria.form(manage.PathSecondStep)
	e.ahead = 12 * time.Minute
	for _, action := range []string{"remove", "new-codes"} {
		change.Set("action", action)
		stale(action, manage.PathSecondStep, "manage.second-step.change", change)
	}
	// A password that is changed in between proves the password only.
	says(t, maria.post(manage.PathPassword, maria.form(manage.PathPassword, "current", "an old password", "password", "a new password")), "Your password is changed")
	change = maria.form(manage.PathSecondStep, "action", "remove")
	stale("after the password was changed", manage.PathSecondStep, "manage.second-step.change", change)
	if f, err := e.store.Factor(t.Context(), "maria"); err != nil || f.BackupCodes != 10 {
		t.Errorf("%+v, %v", f, err)
	}
	events(t, e, "factor.removed", 0)
	events(t, e, "factor.backup-codes", 0)
}

// Setting up takes a code of the key that this session was shown; it replaces the one
// there is, and ends what is open elsewhere.
//
// spec: LOGIN-13, LOGIN-14, LOGIN-26
// attack: LG-12, CO-12
func TestSettingUpASecondStep(t *testing.T) {
	e := newEnv(t)
	maria, elsewhere := e.user("maria", store.RolePatient, "Patient/maria", "maria"), e.signIn("maria")
	says(t, maria.get(manage.PathSecondStep), "It is off")
	for name, typed := range map[string]string{"wrong": "000000", "empty": "", "of two minutes ago": maria.code(-4), "of another session's key": elsewhere.code(0)} {
		if w := maria.post(manage.PathSetUp, maria.form(manage.PathSetUp, "code", typed)); !strings.Contains(w.Body.String(), "not the code of this key") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	form := maria.form(manage.PathSetUp, "code", maria.code(0))
	form.Del("ticket")
	if w := maria.post(manage.PathSetUp, form); w.Code != http.StatusForbidden {
		t.Errorf("without a ticket: %d", w.Code)
	}
	maria.setUp()
	if w := elsewhere.get(manage.Path); w.Code != http.StatusSeeOther {
		t.Errorf("another browser: %d", w.Code)
	}
	first, err := e.store.Factor(t.Context(), "maria")
	must(t, err)
	says(t, maria.get(manage.PathSetUp), "on another device")
	maria.setUp()
	second, err := e.store.Factor(t.Context(), "maria")
	if err != nil || string(first.Sealed) == string(second.Sealed) {
		t.Errorf("not replaced: %v", err)
	}
	events(t, e, "factor.set", 2)
	// A person whose session knows a password only is nobody from then on.
	if w := e.signIn("maria").get(manage.Path); w.Code != http.StatusSeeOther {
		t.Errorf("with a password only: %d", w.Code)
	}
}

// What an organisation asks for is not turned off, whatever form is sent (LG-23); whom it
// does not ask turns it off.
//
// spec: LOGIN-13
// attack: LG-23
func TestTurningTheSecondStepOff(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	maria.setUp()
	e.required = []store.Role{store.RolePatient}
	if body := maria.get(manage.PathSecondStep).Body.String(); strings.Contains(body, `value="remove"`) || !strings.Contains(body, "cannot be turned off") {
		t.Errorf("the page: %s", body)
	}
	if w := maria.post(manage.PathSecondStep, maria.form(manage.PathSecondStep, "action", "remove")); w.Code != http.StatusSeeOther {
		t.Errorf("removed: %d", w.Code)
	}
	if _, err := e.store.Factor(t.Context(), "maria"); err != nil {
		t.Fatalf("it is gone: %v", err)
	}
	e.required = nil
	before := maria.session()
	form := maria.form(manage.PathSecondStep, "action", "remove")
	says(t, maria.post(manage.PathSecondStep, form), "The second step is off")
	if maria.session() == before {
		t.Error("the cookie is the one of before")
	}
	if w := maria.post(manage.PathSecondStep, form); w.Code != http.StatusForbidden {
		t.Errorf("the form once more: %d", w.Code)
	}
	events(t, e, "factor.removed", 1)
}
