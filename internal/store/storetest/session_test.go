package storetest_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

func TestSessions(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		s := filled[store.Session]("session")
		s.UserID = "u"
		must(t, w.CreateSession(ctx, s))
		got, err := w.Session(ctx, s.IDHash)
		must(t, err)
		if off := got.ReadAt.Sub(w.now(t)).Abs(); off > time.Minute {
			t.Errorf("read at %v", got.ReadAt)
		}
		s.ReadAt = got.ReadAt                               // the moment, by the database
		s.Role, s.FactorAt = store.RolePatient, time.Time{} // of the user
		same(t, s, got)
		if _, err := w.Session(ctx, random(32)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}

		idle := session(t, w)
		w.move(t, 29*time.Minute)
		must(t, w.TouchSession(ctx, idle, w.now(t).Add(30*time.Minute)))
		w.move(t, 29*time.Minute)
		if got, err := w.Session(ctx, idle); err != nil || w.now(t).Sub(got.LastSeenAt).Round(time.Minute) != 29*time.Minute {
			t.Errorf("touched: %+v, %v", got, err)
		}
		w.move(t, 3*time.Minute)
		gone(t, w, idle, "past its absolute end")

		idle = session(t, w)
		w.move(t, 31*time.Minute)
		gone(t, w, idle, "idle")
		must(t, w.TouchSession(ctx, idle, w.now(t).Add(time.Hour)))
		gone(t, w, idle, "touched too late")
	})
}

func gone(t *testing.T, w world, id []byte, why string) {
	t.Helper()
	if _, err := w.Session(ctx, id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s: %v", why, err)
	}
}

// Who proves their credentials again goes on: what lives by the old session lives
// by the new one, and ends with it.
//
// spec: RT-02, LOGOUT-07
func TestContinuedSession(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		old := session(t, w)
		i := newGrant(online)
		i.Grant.SessionHash = old
		must(t, w.IssueCode(ctx, i))
		_, err := w.RedeemCode(ctx, redemption(i))
		must(t, err)
		begun, err := w.Session(ctx, old)
		must(t, err)
		next := begun
		next.IDHash = random(32)
		must(t, w.ContinueSession(ctx, next, old))
		gone(t, w, old, "continued")
		if _, err := w.RefreshGrant(ctx, use(i.Grant.ID, 1)); err != nil {
			t.Errorf("its grant did not come along: %v", err)
		}
		must(t, w.EndSession(ctx, next.IDHash, "logout"))
		if g, err := w.Grant(ctx, i.Grant.ID); err != nil || g.RevokedAt.IsZero() {
			t.Errorf("signed out, and its grant lives: %+v, %v", g, err)
		}
	})
}

// Only a living session of the same user is continued.
func TestNobodyElsesSessionIsContinued(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		of := func(user store.UserID) store.Session {
			now := w.now(t)
			return store.Session{IDHash: random(32), UserID: user, AuthTime: now, CreatedAt: now, LastSeenAt: now,
				IdleUntil: now.Add(30 * time.Minute), ExpiresAt: now.Add(time.Hour)}
		}
		theirs := session(t, w)
		i := newGrant(online)
		i.Grant.SessionHash = theirs
		must(t, w.IssueCode(ctx, i))
		mine := of("other")
		must(t, w.ContinueSession(ctx, mine, theirs))
		if _, err := w.Session(ctx, theirs); err != nil {
			t.Errorf("the session of somebody else ended: %v", err)
		}
		if g, err := w.Grant(ctx, i.Grant.ID); err != nil || string(g.SessionHash) != string(theirs) {
			t.Errorf("a grant went to somebody else: %+v, %v", g, err)
		}
	})
}

// The end of a session ends what lives by it, and nothing else.
//
// spec: RT-02, RT-32, LOGOUT-07
func TestSessionEndsItsOnlineGrants(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		mine, other := session(t, w), session(t, w)
		grant := func(p store.RefreshPolicy, session []byte) store.GrantID {
			i := newGrant(p)
			i.Grant.SessionHash = session
			must(t, w.IssueCode(ctx, i))
			_, err := w.RedeemCode(ctx, redemption(i))
			must(t, err)
			return i.Grant.ID
		}
		bound, away, free := grant(online, mine), grant(online, other), grant(offline, nil)
		unredeemed := newGrant(online)
		unredeemed.Grant.SessionHash = mine
		must(t, w.IssueCode(ctx, unredeemed))

		must(t, w.EndSession(ctx, mine, "logout"))
		must(t, w.EndSession(ctx, mine, "logout again"))
		gone(t, w, mine, "ended")
		if g, err := w.Grant(ctx, bound); err != nil || g.RevokedAt.IsZero() || g.RevokedFor != "logout" {
			t.Errorf("its grant: %+v, %v", g, err)
		}
		for _, id := range []store.GrantID{away, free} {
			if _, err := w.RefreshGrant(ctx, use(id, 1)); err != nil {
				t.Errorf("another grant: %v", err)
			}
		}
		if !told(t, w, store.ChangeSessionEnded, hex.EncodeToString(mine)) || !told(t, w, store.ChangeGrantRevoked, string(bound)) {
			t.Error("the feed was not told")
		}
		if _, err := w.RedeemCode(ctx, redemption(unredeemed)); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("its code: %v", err)
		}
		late := newGrant(online)
		late.Grant.SessionHash = mine
		must(t, w.IssueCode(ctx, late))
		if _, err := w.RedeemCode(ctx, redemption(late)); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("a code that came after the end: %v", err)
		}
		w.move(t, 31*time.Minute)
		if _, err := w.RefreshGrant(ctx, use(away, 2)); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("after the session fell idle: %v", err)
		}
	})
}

func TestSessionsOfAUserEndTogether(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		kept, first, second := session(t, w), session(t, w), session(t, w)
		i := newGrant(online)
		i.Grant.SessionHash = kept
		must(t, w.IssueCode(ctx, i))
		must(t, w.EndUserSessions(ctx, "u", kept, "password changed"))
		gone(t, w, first, "the first")
		gone(t, w, second, "the second")
		if _, err := w.Session(ctx, kept); err != nil {
			t.Errorf("the kept one: %v", err)
		}
		if _, err := w.RedeemCode(ctx, redemption(i)); err != nil {
			t.Errorf("its grant: %v", err)
		}
		must(t, w.EndUserSessions(ctx, "u", nil, "everywhere"))
		gone(t, w, kept, "the last")
		if g, err := w.Grant(ctx, i.Grant.ID); err != nil || g.RevokedFor != "everywhere" {
			t.Errorf("its grant: %+v, %v", g, err)
		}
	})
}
