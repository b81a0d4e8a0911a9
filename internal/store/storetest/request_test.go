package storetest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// request stores a request that lives ten minutes.
func request(t testing.TB, w world) store.AuthorizationRequest {
	t.Helper()
	q := store.AuthorizationRequest{
		HandleHash: random(32), BrowserHash: random(32), ClientID: "app", Scopes: []string{"a"}, CreatedAt: w.now(t), ExpiresAt: w.now(t).Add(10 * time.Minute),
	}
	must(t, w.CreateRequest(ctx, q))
	return q
}

func TestRequestsComeBackWhole(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		q := filled[store.AuthorizationRequest]("request")
		must(t, w.CreateRequest(ctx, q))
		got, err := w.Request(ctx, q.HandleHash, q.BrowserHash)
		must(t, err)
		q.Version, q.AnsweredAt = 1, time.Time{}
		same(t, q, got)
	})
}

// Facts are added by compare-and-set and widen nothing.
//
// spec: AUTHZ-27
func TestOnlyFactsAreSaved(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		q := request(t, w)
		changed := filled[store.AuthorizationRequest]("changed")
		changed.HandleHash, changed.BrowserHash, changed.Version = q.HandleHash, q.BrowserHash, 1
		must(t, w.SaveFacts(ctx, changed))
		got, err := w.Request(ctx, q.HandleHash, q.BrowserHash)
		must(t, err)
		want := q
		want.Version = 2
		want.UserID, want.SessionHash, want.AuthTime, want.AMR = changed.UserID, changed.SessionHash, changed.AuthTime, changed.AMR
		want.EnrolPatient, want.EnrolCodeHash = changed.EnrolPatient, changed.EnrolCodeHash
		want.Patient, want.Sought, want.Encounter, want.EncounterSet = changed.Patient, changed.Sought, changed.Encounter, changed.EncounterSet
		want.Approved, want.ApprovedSet, want.Remember = changed.Approved, changed.ApprovedSet, changed.Remember
		want.RefreshLife, want.ConsentTicket, want.Refused = changed.RefreshLife, changed.ConsentTicket, changed.Refused
		same(t, want, got)
		if err := w.SaveFacts(ctx, changed); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an old version: %v", err)
		}
		stranger := got
		stranger.BrowserHash = random(32)
		if err := w.SaveFacts(ctx, stranger); !errors.Is(err, store.ErrConflict) {
			t.Errorf("another browser: %v", err)
		}
		errs := together(20, func(i int) error {
			mine := got
			mine.Patient = fmt.Sprint("p", i)
			return w.handle(i).SaveFacts(ctx, mine)
		})
		if n := winners(t, errs, store.ErrConflict); n != 1 {
			t.Errorf("%d writers of one version", n)
		}
		must(t, w.AnswerRequest(ctx, q.HandleHash, nil))
		got.Version = 3
		if err := w.SaveFacts(ctx, got); !errors.Is(err, store.ErrConflict) {
			t.Errorf("after the answer: %v", err)
		}
	})
}

// spec: AUTHZ-29
// attack: AZ-27, AZ-37, AZ-38
func TestRequestsOfOthersAndOldOnes(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		q := request(t, w)
		near := append([]byte(nil), q.HandleHash...)
		near[31] ^= 1
		for name, hashes := range map[string][2][]byte{
			"another browser": {q.HandleHash, random(32)}, "no browser": {q.HandleHash, nil}, "one bit": {near, q.BrowserHash},
			"cut": {q.HandleHash[:31], q.BrowserHash}, "swapped": {q.BrowserHash, q.HandleHash},
		} {
			if _, err := w.Request(ctx, hashes[0], hashes[1]); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		answered := request(t, w)
		must(t, w.AnswerRequest(ctx, answered.HandleHash, nil))
		w.move(t, 10*time.Minute+time.Second)
		if _, err := w.Request(ctx, q.HandleHash, q.BrowserHash); !errors.Is(err, store.ErrExpired) {
			t.Errorf("too late: %v", err)
		}
		if err := w.SaveFacts(ctx, q); !errors.Is(err, store.ErrConflict) {
			t.Errorf("facts too late: %v", err)
		}
		i := newGrant(offline)
		i.RequestHandleHash = q.HandleHash
		if err := w.IssueCode(ctx, i); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("a code too late: %v", err)
		}
		if _, err := w.Grant(ctx, i.Grant.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("its grant: %v", err)
		}
		if got, err := w.Request(ctx, answered.HandleHash, answered.BrowserHash); err != nil || got.AnsweredAt.IsZero() {
			t.Errorf("answered, then too late: %+v, %v", got, err)
		}
	})
}

// A request without a browser goes to the first that comes for it.
//
// spec: AUTHZ-03
func TestARequestIsClaimedOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		q := request(t, w)
		browsers := make([][]byte, 20)
		errs := together(20, func(i int) error {
			browsers[i] = random(32)
			return w.handle(i).ClaimRequest(ctx, q.HandleHash, q.BrowserHash, browsers[i])
		})
		if n := winners(t, errs, store.ErrNotFound); n != 1 {
			t.Errorf("%d browsers have it", n)
		}
		for i, b := range browsers {
			if _, err := w.Request(ctx, q.HandleHash, b); (err == nil) != (errs[i] == nil) {
				t.Errorf("claimed with %v, and found with %v", errs[i], err)
			}
		}
		if _, err := w.Request(ctx, q.HandleHash, q.BrowserHash); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it is unclaimed still: %v", err)
		}
		late := request(t, w)
		w.move(t, 10*time.Minute+time.Second)
		if err := w.ClaimRequest(ctx, late.HandleHash, late.BrowserHash, random(32)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("too late: %v", err)
		}
	})
}

// A code leaves with everything that belongs to it, or not at all.
func TestIssueIsAllOrNothing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		first := newGrant(offline)
		must(t, w.IssueCode(ctx, first))
		q := request(t, w)
		d, r := filled[store.ConsentDecision]("decision"), filled[store.RememberedConsent]("remembered")
		twin := newGrant(offline)
		twin.Code.Hash = first.Code.Hash
		twin.RequestHandleHash, twin.Decision, twin.Remember = q.HandleHash, &d, &r
		if err := w.IssueCode(ctx, twin); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("the code of another grant: %v", err)
		}
		if got, err := w.Request(ctx, q.HandleHash, q.BrowserHash); err != nil || !got.AnsweredAt.IsZero() {
			t.Errorf("the request was answered: %+v, %v", got, err)
		}
		if all, err := w.ListDecisions(ctx, d.UserID); err != nil || len(all) != 0 {
			t.Errorf("decisions: %v, %v", all, err)
		}
		if _, err := w.Remembered(ctx, r.UserID, r.ClientID, r.Patient); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("remembered: %v", err)
		}
		twin.Code.Hash = random(32)
		must(t, w.IssueCode(ctx, twin))
		if got, err := w.Request(ctx, q.HandleHash, q.BrowserHash); err != nil || got.AnsweredAt.IsZero() {
			t.Errorf("the request was not answered: %+v, %v", got, err)
		}
	})
}

// Anonymous requests are bounded; those of people who have logged in stay.
//
// attack: AZ-36
func TestPendingRequestsAreBounded(t *testing.T) {
	if !long() {
		t.Skip("needs ten thousand rows: set EMBERLATCH_LONG")
	}
	both(t, func(t *testing.T, w world) {
		const limit, extra = 10_000, 500
		oldest, personal := request(t, w), request(t, w)
		personal.Version, personal.UserID = 1, "u"
		must(t, w.SaveFacts(ctx, personal))
		now := w.now(t)
		errs := together(32, func(caller int) error {
			for i := caller; i < limit+extra; i += 32 {
				q := store.AuthorizationRequest{HandleHash: random(32), BrowserHash: []byte("b"), CreatedAt: now.Add(time.Duration(i) * time.Millisecond), ExpiresAt: now.Add(time.Hour)}
				if err := w.handle(caller).CreateRequest(ctx, q); err != nil {
					return err
				}
				if i%2 == 1 { // cancelled: no less anonymous for that
					if err := w.handle(caller).AnswerRequest(ctx, q.HandleHash, nil); err != nil && !errors.Is(err, store.ErrConsumed) {
						return err
					}
				}
			}
			return nil
		})
		winners(t, errs)
		var anonymous int
		must(t, w.db.QueryRow(ctx, `SELECT count(*) FROM authorization_request WHERE anonymous = 1`).Scan(&anonymous))
		if anonymous > limit+2*64 || anonymous < limit {
			t.Errorf("%d anonymous requests are kept, want about %d", anonymous, limit)
		}
		if _, err := w.Request(ctx, oldest.HandleHash, oldest.BrowserHash); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the oldest: %v", err)
		}
		if _, err := w.Request(ctx, personal.HandleHash, personal.BrowserHash); err != nil {
			t.Errorf("of somebody who has logged in: %v", err)
		}
	})
}

// The requests of one person are bounded too, whether they began with that person
// or found them on the way; those of others stay, and so does the one in hand.
//
// attack: AZ-36
func TestRequestsOfAPersonAreBounded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		const limit, extra = 100, 30
		began := w.now(t)
		personal := func(user store.UserID, at int) store.AuthorizationRequest {
			q := store.AuthorizationRequest{
				HandleHash: random(32), BrowserHash: random(32), UserID: user,
				CreatedAt: began.Add(time.Duration(at) * time.Second), ExpiresAt: began.Add(time.Hour),
			}
			must(t, w.CreateRequest(ctx, q))
			q.Version = 1
			return q
		}
		kept := func(list ...store.AuthorizationRequest) (n int) {
			for _, q := range list {
				if _, err := w.Request(ctx, q.HandleHash, q.BrowserHash); err == nil {
					n++
				} else if !errors.Is(err, store.ErrNotFound) {
					t.Fatal(err)
				}
			}
			return n
		}
		anonymous, others := request(t, w), personal("other", 0)
		var own []store.AuthorizationRequest
		for i := range limit + extra {
			if i%2 == 0 {
				own = append(own, personal("u", i))
				continue
			}
			q := personal("", i)
			q.UserID = "u"
			must(t, w.SaveFacts(ctx, q))
			q.Version++
			own = append(own, q)
		}
		if got := kept(own...); got != limit {
			t.Errorf("%d requests of one person are kept, want %d", got, limit)
		}
		if got := kept(own[:extra]...); got != 0 {
			t.Errorf("%d of the oldest stayed", got)
		}
		if kept(anonymous) != 1 || kept(others) != 1 {
			t.Error("a request of somebody else made room")
		}
		// The oldest of all, in which the person signs in last.
		late := store.AuthorizationRequest{HandleHash: random(32), BrowserHash: random(32), CreatedAt: began.Add(-time.Hour), ExpiresAt: began.Add(time.Hour)}
		must(t, w.CreateRequest(ctx, late))
		late.Version, late.UserID = 1, "u"
		must(t, w.SaveFacts(ctx, late))
		if kept(late) != 1 || kept(own...) != limit-1 {
			t.Errorf("the one in hand: %d kept; of the others %d", kept(late), kept(own...))
		}
	})
}
