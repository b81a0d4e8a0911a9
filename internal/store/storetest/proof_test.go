package storetest_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// proof is a fresh one that lives a minute.
func proof(t testing.TB, w world) *store.Proof {
	t.Helper()
	return &store.Proof{IDHash: random(32), ExpiresAt: w.now(t).Add(time.Minute)}
}

// shown is a fresh proof of a key; bind has the refresh family bound to it.
func shown(t testing.TB, w world, key string, bind bool) store.Possession {
	t.Helper()
	return store.Possession{Key: key, Bind: bind, Proof: proof(t, w)}
}

// A proof is good once at the token endpoint, at whichever process and for whatever
// it is brought; a second time nothing else happens, and what comes with it is spent
// as well.
//
// spec: AT-13
// attack: JW-16
func TestAProofIsGoodOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		_, r := issue(t, w, offline)
		r.Possession = shown(t, w, "k", false)
		used := r.Possession.Proof
		wants(t, "with a code", second(w.RedeemCode(ctx, r)), nil)
		wants(t, "the whole request again", second(w.other.RedeemCode(ctx, r)), store.ErrProofReplayed)

		id, r := issue(t, w, offline)
		r.Possession = store.Possession{Key: "k", Proof: used}
		wants(t, "a used one with a good code", second(w.other.RedeemCode(ctx, r)), store.ErrProofReplayed)
		r.Possession = shown(t, w, "k", false)
		wants(t, "the code was not touched", second(w.RedeemCode(ctx, r)), nil)

		f := use(id, 1)
		f.Possession = store.Possession{Key: "k", Proof: used}
		wants(t, "with a refresh token", second(w.other.RefreshGrant(ctx, f)), store.ErrProofReplayed)
		f.Possession = shown(t, w, "k", false)
		refreshed(t, w, f, 2, false)
		w.move(t, time.Minute)
		wants(t, "a replayed refresh neither moves nor ends the family", second(w.other.RefreshGrant(ctx, f)), store.ErrProofReplayed)
		refreshed(t, w, use(id, 2), 3, false)

		s := standing(nil)
		s.Proof = used
		wants(t, "for a backend service", second(w.StandingGrant(ctx, s)), store.ErrProofReplayed)
		s.Proof = proof(t, w)
		wants(t, "a fresh one", second(w.StandingGrant(ctx, s)), nil)
		wants(t, "again", second(w.other.StandingGrant(ctx, s)), store.ErrProofReplayed)

		t.Log("spent by a failure too")
		lost := store.Redemption{CodeHash: random(32), ClientID: "app", Possession: shown(t, w, "k", false)}
		wants(t, "unknown code", second(w.RedeemCode(ctx, lost)), store.ErrNotFound)
		s.Proof = lost.Possession.Proof
		wants(t, "afterwards", second(w.other.StandingGrant(ctx, s)), store.ErrProofReplayed)
	})
}

// A request brings an assertion as well as a proof: each is spent whatever became of
// the other, and only when both are fresh does anything happen.
//
// spec: AT-13, CAUTH-20
func TestAnAssertionAndAProofTogether(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		try := func(doing string, a *store.Assertion, p *store.Proof, want error) {
			t.Helper()
			_, r := issue(t, w, offline)
			r.Assertion, r.Possession = a, store.Possession{Key: "k", Proof: p}
			wants(t, doing, second(w.RedeemCode(ctx, r)), want)
			if want == nil {
				return
			}
			r.Assertion, r.Possession.Proof = assertion(t, w), proof(t, w)
			wants(t, doing+": the code was not touched", second(w.other.RedeemCode(ctx, r)), nil)
		}
		a, p := assertion(t, w), proof(t, w)
		try("both fresh", a, p, nil)
		try("both used", a, p, store.ErrReplayed)
		freshProof, freshAssertion := proof(t, w), assertion(t, w)
		try("a used assertion", a, freshProof, store.ErrReplayed)
		try("a used proof", freshAssertion, p, store.ErrProofReplayed)
		try("the proof was spent beside the used assertion", nil, freshProof, store.ErrProofReplayed)
		try("the assertion was spent beside the used proof", freshAssertion, nil, store.ErrReplayed)
	})
}

// A code that is for a key is good with that key only, and dead after a try with
// another; the refresh family is bound when the client asks for it, and only then.
//
// spec: PKCE-10, AT-12
// attack: RT-17
func TestWhatIsBoundToAKey(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		issueFor := func(key string) (store.GrantID, store.Redemption) {
			i := newGrant(offline)
			i.Grant.KeyThumbprint = key
			must(t, w.IssueCode(ctx, i))
			return i.Grant.ID, redemption(i)
		}
		for name, wrong := range map[string]string{"another key": "other", "no key": ""} {
			id, r := issueFor("mine")
			r.Possession.Key = wrong
			wants(t, name, second(w.RedeemCode(ctx, r)), store.ErrMismatch)
			r.Possession.Key = "mine"
			wants(t, name+", then the right one", second(w.RedeemCode(ctx, r)), store.ErrConsumed)
			if !told(t, w, store.ChangeGrantRevoked, string(id)) {
				t.Errorf("%s: the grant lives", name)
			}
		}

		t.Log("a public client: code and family")
		id, r := issueFor("mine")
		r.Possession = shown(t, w, "mine", true)
		g, err := w.RedeemCode(ctx, r)
		if err != nil || g.KeyThumbprint != "mine" {
			t.Fatalf("bound to %q, %v", g.KeyThumbprint, err)
		}
		for _, key := range []string{"other", ""} {
			f := use(id, 1)
			f.Possession.Key, f.Possession.Bind = key, true
			wants(t, "refreshing with "+key, second(w.RefreshGrant(ctx, f)), store.ErrMismatch)
		}
		f := use(id, 1)
		f.Possession = shown(t, w, "mine", true)
		refreshed(t, w, f, 2, false)
		w.move(t, time.Minute)
		old := use(id, 1)
		old.Possession.Key = "other"
		wants(t, "an old token in the hands of a thief", second(w.RefreshGrant(ctx, old)), store.ErrMismatch)
		f = use(id, 2)
		f.Possession = shown(t, w, "mine", true)
		refreshed(t, w, f, 3, false)

		t.Log("a confidential client: its code, and any key afterwards")
		id, r = issueFor("mine")
		r.Possession = shown(t, w, "mine", false)
		wants(t, "redeeming", second(w.RedeemCode(ctx, r)), nil)
		f = use(id, 1)
		f.Possession = shown(t, w, "other", false)
		refreshed(t, w, f, 2, false)

		t.Log("a family from before is bound at its first use")
		id, r = issueFor("")
		wants(t, "redeeming", second(w.RedeemCode(ctx, r)), nil)
		f = use(id, 1)
		f.Possession = shown(t, w, "mine", true)
		refreshed(t, w, f, 2, false)
		f = use(id, 2)
		f.Possession = shown(t, w, "other", true)
		wants(t, "another key", second(w.RefreshGrant(ctx, f)), store.ErrMismatch)
	})
}

// Of many requests with one proof one wins, on two processes, whatever they bring.
//
// attack: JW-16
func TestProofsRace(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() / 4 {
			p := proof(t, w)
			_, r := issue(t, w, offline)
			r.Possession = store.Possession{Key: "k", Proof: p}
			errs := together(30, func(i int) error {
				s := []store.Store{w.Store, w.other}[i%2]
				switch i % 3 {
				case 0:
					return second(s.StandingGrant(ctx, store.Standing{ID: newGrant(offline).Grant.ID, ClientID: "app", Audience: "http://f", Proof: p}))
				case 1:
					with := r
					with.Assertion = assertion(t, w)
					return second(s.RedeemCode(ctx, with))
				}
				return second(s.RedeemCode(ctx, r))
			})
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if !errors.Is(err, store.ErrProofReplayed) {
					t.Fatal(err)
				}
			}
			if won != 1 {
				t.Fatalf("%d won", won)
			}
		}
	})
}

// A proof costs no further message and no further commit, beside an assertion too;
// it is remembered over a restart, and forgotten after its end.
//
// spec: AT-13
// attack: E-01
func TestAProofIsOneRoundTripAndDurable(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			var trips atomic.Int64
			w := worldOf(t, engine)
			must(t, w.db.Close())
			w.Store, w.db = open(t, db.Config{URL: w.url, MovableClock: true, OnRoundTrip: func() { trips.Add(1) }})
			if engine == "sqlite" {
				w.other = w.Store
			}
			var last store.Redemption
			for n := range 2 { // the first time prepares
				_, r := issue(t, w, offline)
				f := use(redeemed(t, w, offline), 1)
				s := standing(nil)
				r.Possession, r.Assertion, f.Possession, s.Proof = shown(t, w, "k", true), assertion(t, w), shown(t, w, "k", true), proof(t, w)
				last = r
				for doing, do := range map[string]func() error{
					"redeeming": func() error { return second(w.RedeemCode(ctx, r)) }, "refreshing": func() error { return second(w.RefreshGrant(ctx, f)) },
					"a standing grant": func() error { return second(w.StandingGrant(ctx, s)) },
				} {
					trips.Store(0)
					if err := do(); err != nil || n > 0 && trips.Load() != 1 {
						t.Errorf("%s: %d round trips, %v", doing, trips.Load(), err)
					}
				}
			}
			must(t, w.db.Close())
			w.Store, w.db = open(t, db.Config{URL: w.url, MovableClock: true})
			last.Assertion = nil
			wants(t, "after a restart", second(w.RedeemCode(ctx, last)), store.ErrProofReplayed)
			w.move(t, 10*time.Minute)
			must(t, w.Sweep(ctx))
			var rows int
			must(t, w.db.QueryRow(ctx, `SELECT count(*) FROM used_proof`).Scan(&rows))
			if rows != 0 {
				t.Errorf("%d proofs are kept for ever", rows)
			}
		})
	}
}
