package storetest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// recovery makes a code of an hour for u.
func recovery(t testing.TB, w world, disconnect bool) []byte {
	t.Helper()
	code, now := random(32), w.now(t)
	must(t, w.CreateRecovery(ctx, store.Recovery{CodeHash: code, UserID: "u", CreatedAt: now, ExpiresAt: now.Add(time.Hour), DisconnectApps: disconnect},
		store.Event{At: now, Kind: "recovery.issued", Actor: "operator", Outcome: "ok"}))
	return code
}

// recovers is the right way to use a code of u.
func recovers(t testing.TB, w world, code []byte) store.RecoveryUse {
	t.Helper()
	return store.RecoveryUse{CodeHash: code, UserID: "u", Hash: "new", Event: store.Event{At: w.now(t), Kind: "recovery", Actor: "u", Outcome: "ok"}}
}

// count is how many events of a kind there are.
func count(t testing.TB, w world, kind string) (n int) {
	t.Helper()
	events, err := w.ListEvents(ctx, 1000)
	must(t, err)
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// password is the hash of u.
func password(t testing.TB, w world) string {
	t.Helper()
	u, err := w.User(ctx, "u")
	must(t, err)
	return u.PasswordHash
}

// A code that is handed out is found as it was made, and a new one takes its place.
//
// spec: LOGIN-19
func TestRecoveryCodeIsKept(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		first := recovery(t, w, false)
		got, err := w.TryRecovery(ctx, first, 5)
		must(t, err)
		now := got.CreatedAt
		same(t, store.Recovery{CodeHash: first, UserID: "u", CreatedAt: now, ExpiresAt: now.Add(time.Hour), Tries: 1}, got)
		second := recovery(t, w, true)
		_, err = w.TryRecovery(ctx, first, 5)
		wants(t, "the code before", err, store.ErrNotFound)
		_, err = w.Recover(ctx, recovers(t, w, first))
		wants(t, "the code before, used", err, store.ErrConsumed)
		got, err = w.TryRecovery(ctx, second, 5)
		must(t, err)
		if !got.DisconnectApps || got.Tries != 1 {
			t.Errorf("%+v", got)
		}
		same(t, 2, count(t, w, "recovery.issued"))
		same(t, "", password(t, w))

		t.Log("nobody, and who is disabled, gets none")
		for _, id := range []store.UserID{"nobody", "off"} {
			if id == "off" {
				must(t, w.CreateUser(ctx, store.User{ID: "off", UsernameKey: "off", Role: store.RolePractitioner, Disabled: true}))
			}
			err := w.CreateRecovery(ctx, store.Recovery{CodeHash: random(32), UserID: id, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, store.Event{At: now, Kind: "recovery.issued"})
			wants(t, string(id), err, store.ErrNotFound)
		}
		same(t, 2, count(t, w, "recovery.issued"))
	})
}

// Tries are counted before anything is compared, and run out; so does time.
//
// spec: LOGIN-19, LOGIN-05
// attack: EN-06
func TestRecoveryTriesAndTimeRunOut(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		code := recovery(t, w, false)
		errs := together(50, func(i int) error {
			_, err := w.handle(i).TryRecovery(ctx, code, 5)
			return err
		})
		if n := winners(t, errs, store.ErrNotFound); n != 5 {
			t.Errorf("%d tries, want 5", n)
		}
		late := recovery(t, w, false)
		w.move(t, time.Hour)
		_, err := w.TryRecovery(ctx, late, 5)
		wants(t, "an hour later", err, store.ErrNotFound)
		_, err = w.Recover(ctx, recovers(t, w, late))
		wants(t, "an hour later, used", err, store.ErrConsumed)
		_, err = w.TryRecovery(ctx, nil, 5)
		wants(t, "no code", err, store.ErrNotFound)
		same(t, 0, count(t, w, "recovery"))
	})
}

// With the new password all sessions end, with what lives by them; apps that may go on
// alone do, unless the person or the code says that they do not.
//
// spec: LOGIN-19
// attack: LG-12
func TestRecoveryEndsWhatTheAccountHad(t *testing.T) {
	for name, row := range map[string]struct{ forced, wanted bool }{
		"apps kept": {}, "the person disconnects them": {wanted: true}, "the code disconnects them": {forced: true}, "both": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				must(t, w.SetPasswordHash(ctx, "u", "old"))
				must(t, w.CreateUser(ctx, store.User{ID: "v", UsernameKey: "v", Role: store.RolePractitioner}))
				one, two := session(t, w), session(t, w)
				lives, goesOn := newGrant(online), newGrant(offline)
				lives.Grant.SessionHash = one
				goesOn.Remember = &store.RememberedConsent{UserID: "u", ClientID: "app", Patient: "p", DoNotAsk: true}
				for _, i := range []store.Issue{lives, goesOn} {
					must(t, w.IssueCode(ctx, i))
					_, err := w.RedeemCode(ctx, redemption(i))
					must(t, err)
				}
				open, redeem := issue(t, w, offline)
				others := newGrant(offline)
				others.Grant.UserID = "v"
				must(t, w.IssueCode(ctx, others))

				u := recovers(t, w, recovery(t, w, row.forced))
				u.DisconnectApps = row.wanted
				gone := row.forced || row.wanted
				disconnected, err := w.Recover(ctx, u)
				must(t, err)
				same(t, gone, disconnected)
				same(t, "new", password(t, w))
				for _, hash := range [][]byte{one, two} {
					_, err := w.Session(ctx, hash)
					wants(t, "a session", err, store.ErrNotFound)
				}
				for id, want := range map[store.GrantID]bool{lives.Grant.ID: true, goesOn.Grant.ID: gone, open: gone, others.Grant.ID: false} {
					g, err := w.Grant(ctx, id)
					must(t, err)
					if !g.RevokedAt.IsZero() != want {
						t.Errorf("%s of %s: revoked %v, want %v", id, g.UserID, g.RevokedAt, want)
					}
				}
				if _, err := w.RedeemCode(ctx, redeem); (err != nil) != gone {
					t.Errorf("the open code: %v", err)
				}
				if _, err := w.Remembered(ctx, "u", "app", "p"); (err != nil) != gone {
					t.Errorf("what is remembered: %v", err)
				}
				detail := map[bool]string{true: store.AppsDisconnected, false: store.AppsKept}[gone]
				recorded(t, w, store.Event{Kind: "recovery", Actor: "u", Outcome: "ok", Detail: detail})
			})
		})
	}
}

// A code is good for its account, once, and for one that is not disabled; a refused one
// changes nothing.
//
// spec: LOGIN-19
// attack: LG-15, F-04
func TestARefusedRecoveryChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		must(t, w.SetPasswordHash(ctx, "u", "old"))
		must(t, w.CreateUser(ctx, store.User{ID: "v", UsernameKey: "v", Role: store.RolePractitioner, PasswordHash: "theirs"}))
		kept, goesOn := session(t, w), redeemed(t, w, offline)
		untouched := func(name string) {
			t.Helper()
			same(t, "old", password(t, w))
			if _, err := w.Session(ctx, kept); err != nil {
				t.Errorf("%s: the session: %v", name, err)
			}
			if g, err := w.Grant(ctx, goesOn); err != nil || !g.RevokedAt.IsZero() {
				t.Errorf("%s: the grant: %v", name, err)
			}
			same(t, 0, count(t, w, "recovery"))
		}
		code := recovery(t, w, true)
		for name, change := range map[string]func(*store.RecoveryUse){
			"another code":  func(u *store.RecoveryUse) { u.CodeHash = random(32) },
			"no code":       func(u *store.RecoveryUse) { u.CodeHash = nil },
			"somebody else": func(u *store.RecoveryUse) { u.UserID = "v" },
			"nobody":        func(u *store.RecoveryUse) { u.UserID = "nobody" },
		} {
			u := recovers(t, w, code)
			change(&u)
			_, err := w.Recover(ctx, u)
			wants(t, name, err, store.ErrConsumed)
			untouched(name)
		}
		if v, err := w.User(ctx, "v"); err != nil || v.PasswordHash != "theirs" {
			t.Errorf("the other account: %+v, %v", v, err)
		}

		t.Log("what cannot be recorded has not happened, and can be repeated")
		noEvents(t, w, true)
		if _, err := w.Recover(ctx, recovers(t, w, code)); err == nil {
			t.Error("recovered without an event")
		}
		untouched("without an event")
		noEvents(t, w, false)
		_, err := w.Recover(ctx, recovers(t, w, code))
		must(t, err)
		_, err = w.Recover(ctx, recovers(t, w, code))
		wants(t, "used before", err, store.ErrConsumed)

		t.Log("a password that was changed otherwise voids the code; so does the end of the account")
		code = recovery(t, w, false)
		must(t, w.ChangePassword(ctx, store.PasswordChange{UserID: "u", Was: "new", Hash: "newer", Event: store.Event{At: w.now(t), Kind: "password.changed"}}))
		_, err = w.Recover(ctx, recovers(t, w, code))
		wants(t, "after a change", err, store.ErrConsumed)
		same(t, "newer", password(t, w))
		code = recovery(t, w, false)
		must(t, w.PutUser(ctx, store.User{ID: "u", Username: "u", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/p", Disabled: true}))
		_, err = w.Recover(ctx, recovers(t, w, code))
		wants(t, "disabled", err, store.ErrConsumed)
	})
}

// noEvents makes the database refuse the event of a recovery, or take it again.
func noEvents(t testing.TB, w world, refuse bool) {
	t.Helper()
	stmt := map[bool]string{
		true:  `CREATE TRIGGER no_recovery BEFORE INSERT ON security_event WHEN NEW.kind = 'recovery' BEGIN SELECT RAISE(ABORT, 'no'); END`,
		false: `DROP TRIGGER no_recovery`,
	}
	if w.db.Dialect() == db.PostgreSQL {
		stmt = map[bool]string{
			true:  `ALTER TABLE security_event ADD CONSTRAINT no_recovery CHECK (kind <> 'recovery') NOT VALID`,
			false: `ALTER TABLE security_event DROP CONSTRAINT no_recovery`,
		}
	}
	_, err := w.db.Exec(ctx, stmt[refuse])
	must(t, err)
}

// A code that is used many times at once, at two processes, is used once; so is the last
// of two that were made at once.
//
// spec: LOGIN-19
// attack: F-53, F-50
func TestOneRecovery(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for round := range rounds() {
			code := recovery(t, w, false)
			errs := together(10, func(i int) error {
				u := recovers(t, w, code)
				u.Hash = fmt.Sprint(round, "-", i)
				_, err := w.handle(i).Recover(ctx, u)
				return err
			})
			if n := winners(t, errs, store.ErrConsumed); n != 1 {
				t.Fatalf("recovered %d times", n)
			}
			for i, err := range errs {
				if err == nil {
					same(t, fmt.Sprint(round, "-", i), password(t, w))
				}
			}
			same(t, round+1, count(t, w, "recovery"))

			codes := [][]byte{random(32), random(32)}
			for _, err := range together(2, func(i int) error {
				now := w.now(t)
				return w.handle(i).CreateRecovery(ctx, store.Recovery{CodeHash: codes[i], UserID: "u", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, store.Event{At: now, Kind: "recovery.issued"})
			}) {
				must(t, err)
			}
			good := 0
			for _, code := range codes {
				if _, err := w.TryRecovery(ctx, code, 5); err == nil {
					good++
				}
			}
			same(t, 1, good)
		}
	})
}

// A recovery meets what else changes the account or lives by it, and neither is lost: a
// change of the password that comes after it knows another one, and what was issued in a
// session of before has ended.
//
// spec: LOGIN-19
// attack: F-50
func TestRecoveryAgainstTheRest(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			must(t, w.SetPasswordHash(ctx, "u", "old"))
			code, here := recovery(t, w, true), session(t, w)
			i := newGrant(online)
			i.Grant.SessionHash = here
			changed := store.PasswordChange{UserID: "u", Was: "old", Hash: "changed", Event: store.Event{At: w.now(t), Kind: "password.changed"}}
			errs := together(3, func(n int) error {
				switch n {
				case 0:
					_, err := w.handle(n).Recover(ctx, recovers(t, w, code))
					return err
				case 1:
					return w.handle(n).ChangePassword(ctx, changed)
				}
				return w.handle(n).IssueCode(ctx, i)
			})
			if n := winners(t, errs[:2], store.ErrConsumed, store.ErrConflict); n != 1 {
				t.Fatalf("%d of two passwords were set: %v", n, errs)
			}
			winners(t, errs[2:], store.ErrRevoked)
			if errs[0] == nil {
				same(t, "new", password(t, w))
			}
			if errs[2] == nil {
				if _, err := w.RedeemCode(ctx, redemption(i)); err == nil {
					t.Error("a code of a session of before is good")
				}
			}
		}
	})
}
