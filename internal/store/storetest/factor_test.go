package storetest_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// withFactor gives the user u a second factor whose last step is 100, and two backup
// codes.
func withFactor(t testing.TB, w world) store.FactorChange {
	t.Helper()
	c := store.FactorChange{UserID: "u", Sealed: random(48), Step: 100, BackupHashes: [][]byte{random(32), random(32)}, Event: store.Event{Kind: "factor.set"}}
	must(t, w.ChangeFactor(ctx, c))
	return c
}

// half begins a half session of u that lives a quarter of an hour.
func half(t testing.TB, w world) []byte {
	t.Helper()
	now := w.now(t)
	h := store.HalfSession{IDHash: random(32), UserID: "u", AMR: []string{"pwd"}, CreatedAt: now, ExpiresAt: now.Add(15 * time.Minute)}
	must(t, w.CreateHalfSession(ctx, h))
	return h.IDHash
}

// completion makes a session of u of a half one.
func completion(t testing.TB, w world, half []byte, use store.FactorUse) store.Completion {
	t.Helper()
	now := w.now(t)
	return store.Completion{Half: half, Use: use, Event: store.Event{Kind: "login", Actor: "u"}, Session: store.Session{
		IDHash: random(32), SID: "s", UserID: "u", AuthTime: now, AMR: []string{"pwd", "otp", "mfa"}, CreatedAt: now, LastSeenAt: now,
		IdleUntil: now.Add(30 * time.Minute), ExpiresAt: now.Add(time.Hour),
	}}
}

func eventsOf(t testing.TB, w world, kind string) (n int) {
	t.Helper()
	all, err := w.ListEvents(ctx, 1000)
	must(t, err)
	for _, e := range all {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// spec: LOGIN-13, LOGIN-26
func TestAFactorIsKept(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		if _, err := w.Factor(ctx, "u"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("none: %v", err)
		}
		kept, other, begun := session(t, w), session(t, w), half(t, w)
		set := store.FactorChange{UserID: "u", Sealed: random(48), Step: 100, BackupHashes: [][]byte{random(32), random(32)}, Keep: kept, Event: store.Event{Kind: "factor.set", Actor: "u"}}
		must(t, w.ChangeFactor(ctx, set))
		f, err := w.Factor(ctx, "u")
		must(t, err)
		if off := w.now(t).Sub(f.ConfirmedAt).Abs(); off > time.Minute || f.BackupCodes != 2 || f.LastStep != 100 || string(f.Sealed) != string(set.Sealed) {
			t.Errorf("kept: %+v", f)
		}
		u, err := w.User(ctx, "u")
		must(t, err)
		v, err := w.Session(ctx, kept)
		must(t, err)
		if !u.FactorAt.Equal(f.ConfirmedAt) || !v.FactorAt.Equal(f.ConfirmedAt) || v.Role != store.RolePatient {
			t.Errorf("the account says %v, the session %v of a %s", u.FactorAt, v.FactorAt, v.Role)
		}
		gone(t, w, other, "another session")
		if _, err := w.HalfSession(ctx, begun); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a half session from before: %v", err)
		}
		if eventsOf(t, w, "factor.set") != 1 {
			t.Error("nothing was recorded")
		}

		again := set
		again.Event.Kind = "factor.twice"
		if err := w.ChangeFactor(ctx, again); !errors.Is(err, store.ErrConflict) {
			t.Errorf("set up twice: %v", err)
		}
		again.Was, again.Sealed, again.Step, again.BackupHashes = set.Sealed, random(48), 7, [][]byte{random(32)}
		must(t, w.ChangeFactor(ctx, again))
		if f, err := w.Factor(ctx, "u"); err != nil || f.LastStep != 7 || f.BackupCodes != 1 || string(f.Sealed) != string(again.Sealed) {
			t.Errorf("replaced: %+v, %v", f, err)
		}
		removed := store.FactorChange{UserID: "u", Was: set.Sealed, Event: store.Event{Kind: "factor.removed"}}
		if err := w.ChangeFactor(ctx, removed); !errors.Is(err, store.ErrConflict) || eventsOf(t, w, "factor.removed") != 0 {
			t.Errorf("removed after it was replaced: %v", err)
		}
		removed.Was = again.Sealed
		must(t, w.ChangeFactor(ctx, removed))
		if _, err := w.Factor(ctx, "u"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removed: %v", err)
		}
		if u, err := w.User(ctx, "u"); err != nil || !u.FactorAt.IsZero() {
			t.Errorf("the account without: %v, %v", u.FactorAt, err)
		}
		if err := w.ChangeFactor(ctx, removed); !errors.Is(err, store.ErrConflict) {
			t.Errorf("removed twice: %v", err)
		}
		if err := w.ChangeFactor(ctx, store.FactorChange{UserID: "nobody", Sealed: random(48)}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		if err := w.ChangeFactor(ctx, store.FactorChange{UserID: "u"}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("none in the place of none: %v", err)
		}
	})
}

// The facts of an account are replaced without its factor.
func TestAnAccountThatIsReplacedKeepsItsFactor(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		withFactor(t, w)
		u, err := w.User(ctx, "u")
		must(t, err)
		u.Display, u.FactorAt = "Another", time.Time{}
		must(t, w.PutUser(ctx, u))
		if u, err := w.User(ctx, "u"); err != nil || u.FactorAt.IsZero() || u.Display != "Another" {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// A step is taken once, and no earlier one after it; so is a backup code.
//
// spec: LOGIN-13, LOGIN-26
// attack: P-40, LG-08
func TestACodeIsTakenOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		set := withFactor(t, w)
		try := func(name string, use store.FactorUse, want error) {
			t.Helper()
			h := half(t, w)
			before := eventsOf(t, w, "login")
			c := completion(t, w, h, use)
			if err := w.CompleteSession(ctx, c); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
			_, session := w.Session(ctx, c.Session.IDHash)
			_, half := w.HalfSession(ctx, h)
			if (session == nil) != (want == nil) || (half == nil) == (want == nil) || (eventsOf(t, w, "login") > before) != (want == nil) {
				t.Errorf("%s: session %v, half session %v", name, session, half)
			}
		}
		try("the step that set it up", store.FactorUse{Step: 100}, store.ErrConsumed)
		try("a later step", store.FactorUse{Step: 102}, nil)
		try("the same step", store.FactorUse{Step: 102}, store.ErrConsumed)
		try("an earlier step that was never taken", store.FactorUse{Step: 101}, store.ErrConsumed)
		try("nothing", store.FactorUse{}, store.ErrConsumed)
		try("a backup code", store.FactorUse{BackupHash: set.BackupHashes[0]}, nil)
		try("the same backup code", store.FactorUse{BackupHash: set.BackupHashes[0]}, store.ErrConsumed)
		try("an unknown backup code", store.FactorUse{BackupHash: random(32)}, store.ErrConsumed)
		try("an empty backup code", store.FactorUse{BackupHash: []byte{}}, store.ErrConsumed)
		if f, err := w.Factor(ctx, "u"); err != nil || f.BackupCodes != 1 || f.LastStep != 102 {
			t.Errorf("left: %+v, %v", f, err)
		}

		fresh := [][]byte{random(32)}
		must(t, w.RenewBackupCodes(ctx, "u", fresh, store.Event{Kind: "factor.backup-codes"}))
		try("a backup code from before", store.FactorUse{BackupHash: set.BackupHashes[1]}, store.ErrConsumed)
		try("a new one", store.FactorUse{BackupHash: fresh[0]}, nil)
		must(t, w.ChangeFactor(ctx, store.FactorChange{UserID: "u", Was: set.Sealed, Event: store.Event{Kind: "factor.removed"}}))
		try("a code of a factor that was removed", store.FactorUse{Step: 200}, store.ErrConsumed)
		if err := w.RenewBackupCodes(ctx, "u", fresh, store.Event{Kind: "late"}); !errors.Is(err, store.ErrNotFound) || eventsOf(t, w, "late") != 0 {
			t.Errorf("backup codes without a factor: %v", err)
		}
	})
}

// Of many that bring one code at once, on two processes and each with a half session of
// its own, one gets in.
//
// attack: F-53, P-40
func TestOneCodeOpensOneSession(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		set := withFactor(t, w)
		for name, use := range map[string]store.FactorUse{"a step": {Step: 500}, "a backup code": {BackupHash: set.BackupHashes[0]}} {
			const many = 20
			errs, all := make([]error, many), make([]store.Completion, many)
			for i := range all {
				all[i] = completion(t, w, half(t, w), use)
			}
			var done sync.WaitGroup
			start := make(chan struct{})
			for i := range all {
				done.Go(func() {
					<-start
					to := w.Store
					if i%2 == 1 {
						to = w.other
					}
					errs[i] = to.CompleteSession(ctx, all[i])
				})
			}
			close(start)
			done.Wait()
			in := 0
			for i, err := range errs {
				_, lives := w.Session(ctx, all[i].Session.IDHash)
				switch {
				case err == nil && lives == nil:
					in++
				case !errors.Is(err, store.ErrConsumed) || lives == nil:
					t.Errorf("%s: %v, its session: %v", name, err, lives)
				}
			}
			if in != 1 {
				t.Errorf("%s opened %d sessions", name, in)
			}
		}
	})
}

// A half session is good once, for minutes, for its person, while they may sign in at all;
// what cannot be completed spends no code.
//
// attack: LG-17, LG-08, LG-12
func TestAHalfSessionIsGoodOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		withFactor(t, w)
		must(t, w.CreateUser(ctx, store.User{ID: "v", Username: "v", UsernameKey: "v", Role: store.RolePractitioner}))
		h := half(t, w)
		got, err := w.HalfSession(ctx, h)
		must(t, err)
		if got.UserID != "u" || !slices.Equal(got.AMR, []string{"pwd"}) || got.ExpiresAt.Sub(got.CreatedAt) != 15*time.Minute {
			t.Errorf("kept: %+v", got)
		}
		gone(t, w, h, "a half session asked for as a session")
		if all, err := w.ListSessions(ctx, "u", 10); err != nil || len(all) != 0 {
			t.Errorf("listed: %v, %v", all, err)
		}
		step := int64(1000)
		over := func(name string, half []byte) {
			t.Helper()
			step++
			if err := w.CompleteSession(ctx, completion(t, w, half, store.FactorUse{Step: step})); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := w.HalfSession(ctx, half); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s, read: %v", name, err)
			}
			if f, err := w.Factor(ctx, "u"); err != nil || f.LastStep >= step {
				t.Errorf("%s: its code is spent: %+v, %v", name, f, err)
			}
		}
		must(t, w.CompleteSession(ctx, completion(t, w, h, store.FactorUse{Step: step})))
		over("used", h)
		over("unknown", random(32))
		ended := half(t, w)
		must(t, w.EndHalfSession(ctx, ended))
		over("ended", ended)
		changed := half(t, w)
		must(t, w.ChangePassword(ctx, store.PasswordChange{UserID: "u", Hash: "new", Event: store.Event{Kind: "password.changed"}}))
		over("begun with another password", changed)
		elsewhere := half(t, w)
		must(t, w.EndUserSessions(ctx, "u", nil, "signed out elsewhere"))
		over("signed out elsewhere", elsewhere)
		late := half(t, w)
		w.move(t, 16*time.Minute)
		over("too late", late)
		must(t, w.Sweep(ctx))

		theirs := half(t, w)
		c := completion(t, w, theirs, store.FactorUse{})
		c.SetUp = &store.FactorChange{UserID: "v", Sealed: random(48)}
		c.Session.UserID = "v"
		if err := w.CompleteSession(ctx, c); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("by somebody else: %v", err)
		}
		if _, err := w.Factor(ctx, "v"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a factor of somebody else was set up: %v", err)
		}
		u, err := w.User(ctx, "u")
		must(t, err)
		u.Disabled = true
		must(t, w.PutUser(ctx, u))
		over("disabled", theirs)
		over("begun while disabled", half(t, w))
	})
}

// Who sets a factor up on the way gets in with it; what knew a password only ends, and
// the session of this browser goes on under another id.
//
// spec: LOGIN-13, LOGIN-14, RT-02
// attack: LG-08
func TestASignInSetsAFactorUp(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		old, elsewhere := session(t, w), session(t, w)
		i := newGrant(online)
		i.Grant.SessionHash = old
		must(t, w.IssueCode(ctx, i))
		_, err := w.RedeemCode(ctx, redemption(i))
		must(t, err)
		h := half(t, w)
		c := completion(t, w, h, store.FactorUse{})
		c.Old = old
		c.SetUp = &store.FactorChange{UserID: "u", Sealed: random(48), Step: 9, BackupHashes: [][]byte{random(32)}, Event: store.Event{Kind: "factor.set"}}
		must(t, w.CompleteSession(ctx, c))
		gone(t, w, old, "the session from before")
		gone(t, w, elsewhere, "the one elsewhere")
		if _, err := w.RefreshGrant(ctx, use(i.Grant.ID, 1)); err != nil {
			t.Errorf("what lived by the old session: %v", err)
		}
		v, err := w.Session(ctx, c.Session.IDHash)
		must(t, err)
		if f, err := w.Factor(ctx, "u"); err != nil || f.LastStep != 9 || !v.FactorAt.Equal(f.ConfirmedAt) {
			t.Errorf("set up: %+v, %v", f, err)
		}
		if eventsOf(t, w, "factor.set") != 1 || eventsOf(t, w, "login") != 1 {
			t.Error("not recorded")
		}
		late := completion(t, w, half(t, w), store.FactorUse{})
		late.SetUp = c.SetUp
		if err := w.CompleteSession(ctx, late); !errors.Is(err, store.ErrConflict) {
			t.Errorf("set up while there is one: %v", err)
		}
		if _, err := w.Session(ctx, late.Session.IDHash); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("and got in: %v", err)
		}
	})
}

// Somebody else's session in the browser ends when a second step is done.
func TestASecondStepEndsWhoWasThere(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		must(t, w.CreateUser(ctx, store.User{ID: "v", Username: "v", UsernameKey: "v", Role: store.RolePractitioner}))
		old := session(t, w)
		set := store.FactorChange{UserID: "v", Sealed: random(48)}
		must(t, w.ChangeFactor(ctx, set))
		h := store.HalfSession{IDHash: random(32), UserID: "v", CreatedAt: w.now(t), ExpiresAt: w.now(t).Add(time.Minute)}
		must(t, w.CreateHalfSession(ctx, h))
		c := completion(t, w, h.IDHash, store.FactorUse{Step: 3})
		c.Session.UserID, c.Old = "v", old
		must(t, w.CompleteSession(ctx, c))
		gone(t, w, old, "of somebody else")
	})
}
