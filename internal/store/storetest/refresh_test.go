package storetest_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// refreshed uses a token and wants a generation back.
func refreshed(t *testing.T, w world, r store.Refresh, generation uint32, retried bool) {
	t.Helper()
	got, err := w.RefreshGrant(ctx, r)
	if err != nil || got.Grant.Generation != generation || got.Retried != retried {
		t.Errorf("generation %d: got %d, retried %v, %v; want %d, %v", r.Generation, got.Grant.Generation, got.Retried, err, generation, retried)
	}
}

func refused(t *testing.T, w world, r store.Refresh, want error) {
	t.Helper()
	if got, err := w.RefreshGrant(ctx, r); !errors.Is(err, want) || got.Grant.ID != "" {
		t.Errorf("generation %d: %v, want %v", r.Generation, err, want)
	}
}

// spec: RT-22, RT-23
// attack: RT-01, RT-04
func TestRetryAndReuse(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		t.Log("the answer was lost: the same token gives the same successor")
		id := redeemed(t, w, offline)
		refreshed(t, w, use(id, 1), 2, false)
		w.move(t, 8*time.Second)
		refreshed(t, w, use(id, 1), 2, true)
		refreshed(t, w, use(id, 2), 3, false)
		refreshed(t, w, use(id, 2), 3, true)

		t.Log("the successor was used: the old token is reuse, also within the grace")
		refused(t, w, use(id, 1), store.ErrConsumed)
		refused(t, w, use(id, 3), store.ErrRevoked)
		recorded(t, w, store.Event{Kind: "grant.ended", Actor: "app", ClientID: "app", Patient: "p", GrantID: id, Outcome: "ok", Detail: "refresh token reused"})
		if !told(t, w, store.ChangeGrantRevoked, string(id)) {
			t.Error("the feed was not told")
		}

		t.Log("after the grace the old token is reuse, though its successor was never used")
		id = redeemed(t, w, offline)
		refreshed(t, w, use(id, 1), 2, false)
		w.move(t, 11*time.Second)
		refused(t, w, use(id, 1), store.ErrConsumed)
		refused(t, w, use(id, 2), store.ErrRevoked)
		refused(t, w, use(id, 1), store.ErrRevoked)

		t.Log("a retry does not make the grace longer")
		id = redeemed(t, w, offline)
		refreshed(t, w, use(id, 1), 2, false)
		w.move(t, 8*time.Second)
		refreshed(t, w, use(id, 1), 2, true)
		w.move(t, 8*time.Second)
		refused(t, w, use(id, 1), store.ErrConsumed)

		t.Log("without a grace every repetition is reuse")
		id = redeemed(t, w, offline)
		strict := use(id, 1)
		strict.Grace = 0
		refreshed(t, w, strict, 2, false)
		refused(t, w, strict, store.ErrConsumed)
	})
}

// spec: RT-03, RT-26
// attack: RT-08, RT-16
func TestRefreshOfOthersAndOfNothing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id := redeemed(t, w, offline)
		foreign := use(id, 1)
		foreign.ClientID = "evil"
		refused(t, w, foreign, store.ErrMismatch)
		refused(t, w, use(id, 2), store.ErrNotFound) // not made yet
		refused(t, w, use(id, 0), store.ErrConsumed) // there never was one: the family ends
		refused(t, w, use("unknown", 1), store.ErrNotFound)

		mine := redeemed(t, w, offline)
		foreign = use(mine, 1)
		foreign.ClientID = "evil"
		refused(t, w, foreign, store.ErrMismatch)
		refreshed(t, w, use(mine, 1), 2, false) // nothing had changed for its owner
		foreign.Generation = 1
		w.move(t, time.Minute)
		refused(t, w, foreign, store.ErrMismatch) // a stranger cannot end it by an old one
		refreshed(t, w, use(mine, 2), 3, false)

		none := redeemed(t, w, store.RefreshPolicy{})
		refused(t, w, use(none, 0), store.ErrNotFound)
		refused(t, w, use(none, 1), store.ErrNotFound)
		unredeemed, _ := issue(t, w, offline)
		refused(t, w, use(unredeemed, 0), store.ErrNotFound)
		refused(t, w, use(unredeemed, 1), store.ErrNotFound)
	})
}

// spec: RT-14, RT-15, RT-17, RT-18, RT-19, RT-25
// attack: RT-14
func TestLivesOfRefreshTokens(t *testing.T) {
	const day = 24 * time.Hour
	family := func(idle, absolute time.Duration, rotate bool) store.RefreshPolicy {
		return store.RefreshPolicy{Kind: store.RefreshOffline, Idle: idle, Absolute: absolute, Rotate: rotate}
	}
	for _, row := range []struct {
		name   string
		policy store.RefreshPolicy
		after  []time.Duration // uses, each so long after the one before
		last   error           // of the last use; the others succeed
	}{
		{"RT-14: 92 days of silence", family(93*day, 0, true), []time.Duration{92 * day}, nil},
		{"RT-17: each use renews", family(93*day, 0, true), []time.Duration{80 * day, 90 * day, 92 * day}, nil},
		{"RT-17: also without rotation", family(93*day, 0, false), []time.Duration{80 * day, 90 * day, 92 * day}, nil},
		{"RT-25: idle too long", family(93*day, 0, true), []time.Duration{92 * day, 93*day + time.Second}, store.ErrExpired},
		{"RT-19: a day at most", family(day, day, true), []time.Duration{12 * time.Hour, 11 * time.Hour}, nil},
		{"RT-14: rotation does not move the absolute end", family(day, day, true), []time.Duration{12 * time.Hour, 12*time.Hour + time.Second}, store.ErrExpired},
		{"RT-25: absolute end without rotation", family(day, 36*time.Hour, false), []time.Duration{20 * time.Hour, 16*time.Hour + time.Second}, store.ErrExpired},
	} {
		t.Run(row.name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				id := redeemed(t, w, row.policy)
				generation := uint32(1)
				for n, after := range row.after {
					w.move(t, after)
					if n == len(row.after)-1 && row.last != nil {
						refused(t, w, use(id, generation), row.last)
						return
					}
					if row.policy.Rotate {
						refreshed(t, w, use(id, generation), generation+1, false)
						generation++
					} else {
						refreshed(t, w, use(id, generation), generation, false)
					}
				}
			})
		})
	}
}

// attack: RT-13
func TestFamiliesKeepTheirPatients(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		var ids [2]store.GrantID
		for n, patient := range []string{"A", "B"} {
			i := newGrant(offline)
			i.Grant.Patient = patient
			must(t, w.IssueCode(ctx, i))
			_, err := w.RedeemCode(ctx, redemption(i))
			must(t, err)
			ids[n] = i.Grant.ID
		}
		for n := range 100 {
			got, err := w.RefreshGrant(ctx, use(ids[n%2], uint32(n/2+1)))
			must(t, err)
			if want := [2]string{"A", "B"}[n%2]; got.Grant.Patient != want {
				t.Fatalf("refresh %d: patient %s, want %s", n, got.Grant.Patient, want)
			}
		}
	})
}

// A family stays one row, and its third token is still known as used.
//
// attack: RT-18
func TestLongFamily(t *testing.T) {
	uses := uint32(300)
	if long() {
		uses = 10_000
	}
	both(t, func(t *testing.T, w world) {
		id := redeemed(t, w, offline)
		for n := range uses {
			if got, err := w.RefreshGrant(ctx, use(id, n+1)); err != nil || got.Grant.Generation != n+2 {
				t.Fatalf("use %d: %d, %v", n, got.Grant.Generation, err)
			}
		}
		refused(t, w, use(id, 3), store.ErrConsumed)
		refused(t, w, use(id, uses+1), store.ErrRevoked)
		var rows int
		must(t, w.db.QueryRow(ctx, `SELECT count(*) FROM authorization_grant`).Scan(&rows))
		if rows != 1 {
			t.Errorf("%d rows", rows)
		}
	})
}

// What was used stays used when the server starts again.
//
// attack: RT-06
func TestReuseIsKnownAfterARestart(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id := redeemed(t, w, offline)
		_, r := issue(t, w, offline)
		_, err := w.RedeemCode(ctx, r)
		must(t, err)
		refreshed(t, w, use(id, 1), 2, false)
		w.move(t, time.Minute)
		must(t, w.db.Close())
		w.Store, w.db = open(t, db.Config{URL: w.url, MovableClock: true})
		refused(t, w, use(id, 1), store.ErrConsumed)
		if _, err := w.RedeemCode(ctx, r); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("a used code: %v", err)
		}
	})
}

// The whole decision is one message to PostgreSQL, one commit of SQLite.
//
// spec: E-01
func TestConsumingIsOneRoundTrip(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			var trips atomic.Int64 // also counted by goroutines of the connection pool
			w := worldOf(t, engine)
			must(t, w.db.Close())
			var d *db.DB
			w.Store, d = open(t, db.Config{URL: w.url, MovableClock: true, OnRoundTrip: func() { trips.Add(1) }})
			w.db = d
			id := redeemed(t, w, offline) // the first time prepares
			refreshed(t, w, use(id, 1), 2, false)
			_, r := issue(t, w, offline)
			count := func(what string, do func() error) {
				t.Helper()
				trips.Store(0)
				if err := do(); err != nil || trips.Load() != 1 {
					t.Errorf("%s: %d round trips, %v", what, trips.Load(), err)
				}
			}
			count("redeeming", func() error { return second(w.RedeemCode(ctx, r)) })
			count("refreshing", func() error { return second(w.RefreshGrant(ctx, use(id, 2))) })
			trips.Store(0)
			refused(t, w, use(id, 1), store.ErrConsumed)
			if trips.Load() != 1 {
				t.Errorf("ending a family: %d round trips", trips.Load())
			}
		})
	}
}

// A token is used only when the grant holds what is asked of it: one scope of each
// list, word for word, and as many as are said. What is refused changes nothing and
// brings the scopes, so that the caller can judge them; it hides no reuse.
//
// spec: RT-06, RT-09
// attack: RT-01
func TestARefreshHoldsWhatIsAsked(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		i := newGrant(offline)
		i.Grant.Scopes = []string{"openid", "patient/*.rs", `patient/Observation.rs?code=http://loinc.org|1"2\3<&é`}
		must(t, w.IssueCode(ctx, i))
		must(t, second(w.RedeemCode(ctx, redemption(i))))
		generation := uint32(1)
		for _, row := range []struct {
			name  string
			want  store.Within
			holds bool
		}{
			{"nothing", store.Within{}, true},
			{"one", store.Within{AnyOf: [][]string{{"openid"}}}, true},
			{"any of two", store.Within{AnyOf: [][]string{{"patient/Patient.r", "patient/*.rs"}, {"openid"}}}, true},
			{"a condition with every character", store.Within{AnyOf: [][]string{{i.Grant.Scopes[2]}}}, true},
			{"the whole", store.Within{AnyOf: [][]string{{i.Grant.Scopes[2]}, {"openid"}, {"patient/*.rs"}}, Whole: 3}, true},
			{"a part for the whole", store.Within{AnyOf: [][]string{{"openid"}, {"patient/*.rs"}}, Whole: 2}, false},
			{"none of two", store.Within{AnyOf: [][]string{{"patient/Patient.r", "patient/*.r"}}}, false},
			{"the second one", store.Within{AnyOf: [][]string{{"openid"}, {"fhirUser"}}}, false},
			{"another case", store.Within{AnyOf: [][]string{{"OpenID"}}}, false},
			{"a part of a text", store.Within{AnyOf: [][]string{{"patient/*.r"}}}, false},
			{"a list of nothing", store.Within{AnyOf: [][]string{{}}}, false},
		} {
			r := use(i.Grant.ID, generation)
			r.Within, r.Assertion = row.want, assertion(t, w)
			got, err := w.RefreshGrant(ctx, r)
			switch {
			case row.holds && (err != nil || got.Grant.Generation != generation+1 || got.User.ID != "u"):
				t.Errorf("%s: %+v, %v", row.name, got, err)
			case !row.holds && (!errors.Is(err, store.ErrNotHeld) || len(got.Grant.Scopes) != 3):
				t.Errorf("%s: %+v, %v", row.name, got.Grant, err)
			}
			wants(t, row.name+": its assertion", w.other.UseAssertion(ctx, *r.Assertion), store.ErrReplayed)
			if row.holds {
				generation++
				retry := use(i.Grant.ID, generation-1)
				retry.Within = row.want
				refreshed(t, w, retry, generation, true)
				retry.Within = store.Within{AnyOf: [][]string{{"fhirUser"}}}
				wants(t, row.name+": a retry for more", second(w.RefreshGrant(ctx, retry)), store.ErrNotHeld)
			}
		}
		refreshed(t, w, use(i.Grant.ID, generation), generation+1, false)
		foreign := use(i.Grant.ID, generation+1)
		foreign.ClientID, foreign.Within = "other", store.Within{AnyOf: [][]string{{"fhirUser"}}}
		refused(t, w, foreign, store.ErrMismatch)
		reused := use(i.Grant.ID, 1)
		reused.Within = store.Within{AnyOf: [][]string{{"fhirUser"}}}
		refused(t, w, reused, store.ErrConsumed)
	})
}

// A refusal that leaves a grant ended says which one; any other does not.
func TestARefusalNamesTheGrantThatItEnded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		ended := func(what string, err error, want store.GrantID) {
			t.Helper()
			var over *store.EndedError
			if named := errors.As(err, &over); named != (want != "") || named && over.GrantID != want || err == nil {
				t.Errorf("%s: %v, %+v", what, err, over)
			}
		}
		id, r := issue(t, w, offline)
		must(t, second(w.RedeemCode(ctx, r)))
		ended("a code again", second(w.RedeemCode(ctx, r)), id)
		ended("its refresh token", second(w.RefreshGrant(ctx, use(id, 1))), id)
		id, r = issue(t, w, offline)
		r.CodeChallenge = "another"
		ended("a wrong verifier", second(w.RedeemCode(ctx, r)), id)
		r.CodeHash = random(32)
		ended("an unknown code", second(w.RedeemCode(ctx, r)), "")
		id = redeemed(t, w, offline)
		foreign := use(id, 1)
		foreign.ClientID = "other"
		ended("another client", second(w.RefreshGrant(ctx, foreign)), "")
		ended("a future token", second(w.RefreshGrant(ctx, use(id, 3))), "")
		refreshed(t, w, use(id, 1), 2, false)
		w.move(t, time.Minute)
		ended("reuse", second(w.RefreshGrant(ctx, use(id, 1))), id)
	})
}
