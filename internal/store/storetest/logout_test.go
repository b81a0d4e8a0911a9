package storetest_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// hears registers where a client is told of logouts.
func hears(t testing.TB, w world, id store.ClientID) {
	t.Helper()
	must(t, w.CreateClient(ctx, store.Client{ID: id, GrantTypes: []string{"authorization_code"}, BackchannelLogoutURI: "https://" + string(id) + ".example.org/logout"}))
}

// named makes a session of u with a sid.
func named(t testing.TB, w world, sid string) []byte {
	t.Helper()
	hash, now := random(32), w.now(t)
	must(t, w.CreateSession(ctx, store.Session{
		IDHash: hash, SID: sid, UserID: "u", AuthTime: now, CreatedAt: now, LastSeenAt: now, IdleUntil: now.Add(30 * time.Minute), ExpiresAt: now.Add(time.Hour),
	}))
	return hash
}

// identified issues a code whose ID token tells of a session.
func identified(t testing.TB, w world, client store.ClientID, session []byte) store.Redemption {
	t.Helper()
	i := newGrant(offline)
	i.Grant.ClientID, i.IDSessionHash = client, session
	must(t, w.IssueCode(ctx, i))
	return redemption(i)
}

// signsIn redeems such a code.
func signsIn(t testing.TB, w world, client store.ClientID, session []byte) store.Grant {
	t.Helper()
	g, err := w.RedeemCode(ctx, identified(t, w, client, session))
	must(t, err)
	return g
}

// notices claims everything that is due, as "client user sid".
func notices(t testing.TB, w world) []string {
	t.Helper()
	clients, err := w.ClientsToTell(ctx)
	must(t, err)
	var all []string
	for _, id := range clients {
		for {
			n, err := w.ClaimLogoutNotice(ctx, id, time.Minute)
			if errors.Is(err, store.ErrNotFound) {
				break
			}
			must(t, err)
			all = append(all, fmt.Sprint(n.ClientID, " ", n.UserID, " ", n.SID))
		}
	}
	slices.Sort(all)
	return all
}

// Whoever got an ID token in a session, and registered where it is told, is told of its
// end, whatever ends it: of that session, once, and nobody else.
//
// spec: LOGOUT-10
func TestTheEndOfASessionIsTold(t *testing.T) {
	ends := map[string]func(t *testing.T, w world, session []byte){
		"signed out": func(t *testing.T, w world, session []byte) {
			must(t, w.EndSession(ctx, session, "signed out"))
			must(t, w.EndSession(ctx, session, "signed out again"))
		},
		"everywhere": func(t *testing.T, w world, _ []byte) { must(t, w.EndUserSessions(ctx, "u", nil, "password changed")) },
		"recovered": func(t *testing.T, w world, _ []byte) {
			_, err := w.Recover(ctx, recovers(t, w, recovery(t, w, false)))
			must(t, err)
		},
		"disabled": func(t *testing.T, w world, _ []byte) {
			must(t, w.PutUser(ctx, store.User{ID: "u", Username: "u", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/p", Disabled: true}))
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				hears(t, w, "one")
				hears(t, w, "two")
				hears(t, w, "off")
				hears(t, w, "idle")
				session := named(t, w, "s1")
				g := signsIn(t, w, "one", session)
				if g.SID != "s1" {
					t.Errorf("the grant is of %q", g.SID)
				}
				signsIn(t, w, "one", session)
				signsIn(t, w, "two", session)
				signsIn(t, w, "off", session)
				signsIn(t, w, "app", session) // has registered nothing
				must(t, w.PutClient(ctx, store.Client{ID: "off", Disabled: true, BackchannelLogoutURI: "https://off.example.org/"}))
				identified(t, w, "idle", session) // never redeemed
				silent := newGrant(offline)       // no ID token goes with it
				silent.Grant.ClientID = "idle"
				must(t, w.IssueCode(ctx, silent))
				if got := notices(t, w); got != nil {
					t.Errorf("before the end: %q", got)
				}
				end(t, w, session)
				same(t, []string{"one u s1", "two u s1"}, notices(t, w))
			})
		})
	}
}

// Of two sessions the one that ended is told.
//
// spec: LOGOUT-10
func TestAnotherSessionIsNotTold(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		hears(t, w, "one")
		first, second := named(t, w, "s1"), named(t, w, "s2")
		signsIn(t, w, "one", first)
		signsIn(t, w, "one", second)
		must(t, w.EndSession(ctx, second, "signed out"))
		same(t, []string{"one u s2"}, notices(t, w))
	})
}

// Who proves their credentials again has the same session to apps: nobody is told, and
// at its end everybody is.
//
// spec: LOGOUT-10
func TestAContinuedSessionKeepsItsName(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		hears(t, w, "one")
		hears(t, w, "two")
		old := named(t, w, "s1")
		signsIn(t, w, "one", old)
		next, err := w.Session(ctx, old)
		must(t, err)
		next.IDHash, next.SID = random(32), "fresh"
		must(t, w.ContinueSession(ctx, next, old))
		if got := notices(t, w); got != nil {
			t.Errorf("told: %q", got)
		}
		if got, err := w.Session(ctx, next.IDHash); err != nil || got.SID != "s1" {
			t.Errorf("it is called %q, %v", got.SID, err)
		}
		signsIn(t, w, "two", next.IDHash)
		must(t, w.EndSession(ctx, next.IDHash, "signed out"))
		same(t, []string{"one u s1", "two u s1"}, notices(t, w))
		// What is over is not continued.
		last := next
		last.IDHash, last.SID = random(32), "fresh"
		must(t, w.ContinueSession(ctx, last, next.IDHash))
		if got, err := w.Session(ctx, last.IDHash); err != nil || got.SID != "fresh" {
			t.Errorf("it is called %q, %v", got.SID, err)
		}
	})
}

// After the end no code of the session is good, nor is one made: an app that would be
// signed in after that was never told.
//
// spec: LOGOUT-10
func TestNoIDTokenAfterTheEnd(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		hears(t, w, "one")
		session := named(t, w, "s1")
		open := identified(t, w, "one", session)
		must(t, w.EndSession(ctx, session, "signed out"))
		if _, err := w.RedeemCode(ctx, open); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("its code: %v", err)
		}
		late := newGrant(offline)
		late.IDSessionHash = session
		if err := w.IssueCode(ctx, late); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("a code that came after: %v", err)
		}
		stored := newGrant(offline)
		stored.IDSessionHash, stored.Decision = session, &store.ConsentDecision{ID: "d", UserID: "u"}
		if err := w.IssueCode(ctx, stored); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("a code that came after, with a decision: %v", err)
		}
		if all, err := w.ListDecisions(ctx, "u"); err != nil || len(all) != 0 {
			t.Errorf("kept a decision: %v, %v", all, err)
		}
	})
}

// However issuing, redeeming and the end of a session meet: an app that got an ID token
// is told.
//
// spec: LOGOUT-10
func TestTheEndMissesNobody(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		hears(t, w, "one")
		for round := range rounds() {
			session := named(t, w, fmt.Sprint("s", round))
			var mu sync.Mutex
			in := 0
			errs := together(9, func(i int) error {
				if i == 8 {
					return w.EndSession(ctx, session, "signed out")
				}
				issued := newGrant(offline)
				issued.Grant.ClientID, issued.IDSessionHash = "one", session
				s := w.Store
				if i%2 == 1 {
					s = w.other
				}
				if err := s.IssueCode(ctx, issued); err != nil {
					return ignore(err, store.ErrRevoked)
				}
				if _, err := s.RedeemCode(ctx, redemption(issued)); err != nil {
					return ignore(err, store.ErrRevoked)
				}
				mu.Lock()
				defer mu.Unlock()
				in++
				return nil
			})
			must(t, errors.Join(errs...))
			if got := notices(t, w); (len(got) == 1) != (in > 0) {
				t.Fatalf("round %d: %d got in, told %q", round, in, got)
			}
		}
	})
}

func ignore(err, known error) error {
	if errors.Is(err, known) {
		return nil
	}
	return err
}

// A notice has one hand at a time, comes back after its lease, waits when it is told to,
// and does not live for ever.
//
// spec: LOGOUT-10
func TestLogoutNoticesAreClaimed(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		hears(t, w, "one")
		hears(t, w, "two")
		const sessions = 5
		for i := range sessions {
			s := named(t, w, fmt.Sprint("s", i))
			signsIn(t, w, "one", s)
			signsIn(t, w, "two", s)
			must(t, w.EndSession(ctx, s, "signed out"))
		}
		var mu sync.Mutex
		claimed := map[int64]int{}
		errs := together(40, func(i int) error {
			s := w.Store
			if i%2 == 1 {
				s = w.other
			}
			n, err := s.ClaimLogoutNotice(ctx, "one", time.Minute)
			if err != nil {
				return ignore(err, store.ErrNotFound)
			}
			mu.Lock()
			defer mu.Unlock()
			claimed[n.ID]++
			return nil
		})
		must(t, errors.Join(errs...))
		for id, n := range claimed {
			if n != 1 {
				t.Errorf("notice %d was claimed %d times", id, n)
			}
		}
		for len(claimed) < sessions { // SKIP LOCKED may find nothing free
			n, err := w.ClaimLogoutNotice(ctx, "one", time.Minute)
			must(t, err)
			claimed[n.ID]++
		}
		if _, err := w.ClaimLogoutNotice(ctx, "one", time.Minute); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a sixth: %v", err)
		}
		toTell(t, w, "two")

		w.move(t, 61*time.Second) // the lease is over
		toTell(t, w, "one", "two")
		n, err := w.ClaimLogoutNotice(ctx, "one", time.Minute)
		must(t, err)
		if n.Attempts != 2 {
			t.Errorf("attempt %d", n.Attempts)
		}
		must(t, w.RemoveLogoutNotice(ctx, n.ID))
		n, err = w.ClaimLogoutNotice(ctx, "one", time.Minute)
		must(t, err)
		must(t, w.PostponeLogoutNotice(ctx, n.ID, time.Hour))
		must(t, w.PostponeLogoutNoticesOf(ctx, "one", 10*time.Minute))
		toTell(t, w, "two")
		w.move(t, 11*time.Minute)
		same(t, 3+sessions, len(notices(t, w)))
		w.move(t, 50*time.Minute)
		same(t, 4+sessions, len(notices(t, w)))

		w.move(t, 24*time.Hour)
		toTell(t, w, "one", "two")
		if _, err := w.ClaimLogoutNotice(ctx, "one", time.Minute); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("too old, and claimed: %v", err)
		}
		for id, want := range map[store.ClientID]int{"one": 4, "two": sessions} {
			if got, err := w.ExpireLogoutNotices(ctx, id); err != nil || got != want {
				t.Errorf("%s: %d, %v", id, got, err)
			}
		}
		toTell(t, w)
	})
}

func toTell(t *testing.T, w world, want ...store.ClientID) {
	t.Helper()
	got, err := w.ClientsToTell(ctx)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("to tell: %q, want %q", got, want)
	}
}
