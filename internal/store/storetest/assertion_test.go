package storetest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// assertion is a fresh one that lives five minutes.
func assertion(t testing.TB, w world) *store.Assertion {
	t.Helper()
	return &store.Assertion{IDHash: random(32), ExpiresAt: w.now(t).Add(5 * time.Minute)}
}

// wants compares the outcome of a call.
func wants(t testing.TB, doing string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || want == nil && got != nil {
		t.Errorf("%s: %v, want %v", doing, got, want)
	}
}

func standing(a *store.Assertion) store.Standing {
	return store.Standing{ID: newGrant(offline).Grant.ID, ClientID: "app", Audience: "http://f", Assertion: a}
}

// An assertion is good once, whatever it is brought for, at whichever process; a
// second time nothing else happens.
//
// spec: CAUTH-20, CAUTH-21
// attack: CA-14
func TestAnAssertionIsGoodOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		first := assertion(t, w)
		wants(t, "by itself", w.UseAssertion(ctx, *first), nil)
		wants(t, "again", w.UseAssertion(ctx, *first), store.ErrReplayed)
		wants(t, "again elsewhere", w.other.UseAssertion(ctx, *first), store.ErrReplayed)

		t.Log("with a code")
		_, r := issue(t, w, offline)
		r.Assertion = first
		wants(t, "a used one with a good code", second(w.other.RedeemCode(ctx, r)), store.ErrReplayed)
		r.Assertion = assertion(t, w)
		wants(t, "the code was not touched", second(w.RedeemCode(ctx, r)), nil)
		wants(t, "the whole request again", second(w.other.RedeemCode(ctx, r)), store.ErrReplayed)

		t.Log("with a refresh token: a replayed request neither moves nor ends the family")
		id := redeemed(t, w, offline)
		f := use(id, 1)
		f.Assertion = assertion(t, w)
		refreshed(t, w, f, 2, false)
		w.move(t, time.Minute)
		wants(t, "the whole request again", second(w.other.RefreshGrant(ctx, f)), store.ErrReplayed)
		refreshed(t, w, use(id, 2), 3, false)

		t.Log("for a backend service")
		s := standing(assertion(t, w))
		wants(t, "standing grant", second(w.StandingGrant(ctx, s)), nil)
		wants(t, "again", second(w.other.StandingGrant(ctx, s)), store.ErrReplayed)
		wants(t, "elsewhere, for something else", w.other.UseAssertion(ctx, *s.Assertion), store.ErrReplayed)
	})
}

// It is spent also when what it was brought for is refused.
//
// spec: CAUTH-20
func TestAnAssertionIsSpentByAFailure(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		spent := func(doing string, a *store.Assertion, got, want error) {
			t.Helper()
			wants(t, doing, got, want)
			wants(t, doing+", afterwards", w.other.UseAssertion(ctx, *a), store.ErrReplayed)
		}
		a := assertion(t, w)
		spent("unknown code", a, second(w.RedeemCode(ctx, store.Redemption{CodeHash: random(32), ClientID: "app", Assertion: a})), store.ErrNotFound)
		id, r := issue(t, w, offline)
		r.Assertion, r.RedirectURI = assertion(t, w), "http://elsewhere"
		spent("a code of another redirect", r.Assertion, second(w.RedeemCode(ctx, r)), store.ErrMismatch)
		if g, err := w.Grant(ctx, id); err != nil || g.RevokedAt.IsZero() {
			t.Errorf("the grant lives: %v", err)
		}
		f := use("unknown", 1)
		f.Assertion = assertion(t, w)
		spent("unknown refresh token", f.Assertion, second(w.RefreshGrant(ctx, f)), store.ErrNotFound)
		s := standing(assertion(t, w))
		s.ClientID = "nobody"
		spent("unknown client", s.Assertion, second(w.StandingGrant(ctx, s)), store.ErrRevoked)
	})
}

// Of many at once one wins, on two processes.
//
// attack: CA-14
func TestAssertionsRace(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() / 4 {
			a := assertion(t, w)
			_, r := issue(t, w, offline)
			r.Assertion = a
			stores := []store.Store{w.Store, w.other}
			errs := together(50, func(i int) error {
				s := stores[i%2]
				switch i % 3 {
				case 0:
					return s.UseAssertion(ctx, *a)
				case 1:
					return second(s.StandingGrant(ctx, standing(a)))
				}
				return second(s.RedeemCode(ctx, r))
			})
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if !errors.Is(err, store.ErrReplayed) {
					t.Fatal(err)
				}
			}
			if won != 1 {
				t.Fatalf("%d won", won)
			}
		}
	})
}

// It is remembered over a restart and longer than it lives, and then forgotten.
//
// spec: CAUTH-20, CAUTH-21
// attack: CA-14
func TestAssertionsAreRememberedAsLongAsTheyLive(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		a := assertion(t, w)
		must(t, w.UseAssertion(ctx, *a))
		must(t, w.db.Close())
		w.Store, w.db = open(t, db.Config{URL: w.url, MovableClock: true})
		rows := func() (n int) {
			must(t, w.Sweep(ctx))
			must(t, w.db.QueryRow(ctx, `SELECT count(*) FROM used_assertion`).Scan(&n))
			return n
		}
		wants(t, "after a restart", w.UseAssertion(ctx, *a), store.ErrReplayed)
		w.move(t, 9*time.Minute)
		if rows() != 1 {
			t.Error("forgotten while a slow clock would still let it in")
		}
		wants(t, "after its end", w.UseAssertion(ctx, *a), store.ErrReplayed)
		w.move(t, 2*time.Minute)
		if rows() != 0 {
			t.Error("kept for ever")
		}
	})
}

// Spending it costs no further message and no further commit.
//
// spec: E-01
func TestSpendingIsOneRoundTrip(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			var trips atomic.Int64
			w := worldOf(t, engine)
			must(t, w.db.Close())
			w.Store, w.db = open(t, db.Config{URL: w.url, MovableClock: true, OnRoundTrip: func() { trips.Add(1) }})
			for n := range 2 { // the first time prepares
				_, r := issue(t, w, offline)
				id := redeemed(t, w, offline)
				f := use(id, 1)
				r.Assertion, f.Assertion = assertion(t, w), assertion(t, w)
				s, a := standing(assertion(t, w)), assertion(t, w)
				for doing, do := range map[string]func() error{
					"redeeming": func() error { return second(w.RedeemCode(ctx, r)) }, "refreshing": func() error { return second(w.RefreshGrant(ctx, f)) },
					"a standing grant": func() error { return second(w.StandingGrant(ctx, s)) }, "by itself": func() error { return w.UseAssertion(ctx, *a) },
				} {
					trips.Store(0)
					if err := do(); err != nil || n > 0 && trips.Load() != 1 {
						t.Errorf("%s: %d round trips, %v", doing, trips.Load(), err)
					}
				}
			}
		})
	}
}

// A backend service has one standing grant. Ending it ends what it gave, and the
// next request makes another; a disabled client gets none.
//
// spec: BS-14
func TestStandingGrants(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		get := func(s *store.Grant) error {
			g, err := w.StandingGrant(ctx, standing(nil))
			*s = g
			return err
		}
		var one, two store.Grant
		must(t, get(&one))
		must(t, get(&two))
		if one.ID == "" || one.ID != two.ID || one.ClientID != "app" || one.UserID != "" || one.Patient != "" || len(one.Scopes) > 0 ||
			one.Audience != "http://f" || one.Refresh.Kind != store.RefreshNone || one.Generation != 0 || !one.RevokedAt.IsZero() {
			t.Errorf("%+v, then %+v", one, two)
		}
		for generation := range uint32(3) {
			f := use(one.ID, generation)
			if got, err := w.RefreshGrant(ctx, f); err == nil {
				t.Errorf("refreshed: %+v", got)
			}
		}
		if list, err := w.ListGrants(ctx, "u"); err != nil || len(list) > 0 {
			t.Errorf("%v, %v", list, err)
		}
		n, err := w.Revoke(ctx, store.Revocation{ClientID: "app", Reason: "test", Actor: "operator"})
		if err != nil || n != 1 || !told(t, w, store.ChangeGrantRevoked, string(one.ID)) {
			t.Errorf("%d ended, %v", n, err)
		}
		must(t, get(&two))
		if two.ID == one.ID {
			t.Error("an ended grant stands")
		}
		c, err := w.Client(ctx, "app")
		must(t, err)
		c.Disabled = true
		must(t, w.PutClient(ctx, c))
		if g, err := w.Grant(ctx, two.ID); err != nil || g.RevokedAt.IsZero() {
			t.Errorf("the grant of a disabled client stands: %v", err)
		}
		wants(t, "a disabled client", get(&two), store.ErrRevoked)
		c.Disabled = false
		must(t, w.PutClient(ctx, c))
		must(t, get(&two))
	})
}

// A request of a service does not wait for another one that has not committed yet:
// what stands is read, so that many at once are as fast as their commits together.
func TestStandingGrantsDoNotWaitForEachOther(t *testing.T) {
	w := worldOf(t, "postgres")
	one, err := w.StandingGrant(ctx, standing(assertion(t, w)))
	must(t, err)
	must(t, w.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		// What an update by another request holds.
		if _, err := tx.Exec(ctx, `UPDATE authorization_grant SET outcome = 'ok' WHERE id = $1`, string(one.ID)); err != nil {
			return err
		}
		elsewhere := context.WithoutCancel(t.Context())
		two, err := w.other.StandingGrant(elsewhere, standing(assertion(t, w)))
		if err != nil || two.ID != one.ID {
			t.Errorf("%s, %v", two.ID, err)
		}
		return nil
	}))
}

// Many at once are given the same grant, and none outlives the end of its client.
func TestStandingGrantsRace(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		c, err := w.Client(ctx, "app")
		must(t, err)
		for range rounds() / 4 {
			var ids [24]store.GrantID
			must(t, errors.Join(together(len(ids), func(i int) error {
				g, err := []store.Store{w.Store, w.other}[i%2].StandingGrant(ctx, standing(assertion(t, w)))
				ids[i] = g.ID
				return err
			})...))
			for _, id := range ids {
				if id != ids[0] {
					t.Fatalf("two standing grants: %v", ids)
				}
			}
			disabled := c
			disabled.Disabled = true
			_ = together(12, func(i int) error {
				if i == 6 {
					return w.PutClient(ctx, disabled)
				}
				return second([]store.Store{w.Store, w.other}[i%2].StandingGrant(ctx, standing(nil)))
			})
			var alive int
			must(t, w.db.QueryRow(ctx, `SELECT count(*) FROM authorization_grant WHERE revoked = 0`).Scan(&alive))
			if alive != 0 {
				t.Fatalf("%d grants of a disabled client", alive)
			}
			must(t, w.PutClient(ctx, c))
		}
	})
}
