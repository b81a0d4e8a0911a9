package storetest_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// handle spreads callers over both handles.
func (w world) handle(i int) store.Store {
	if i%2 == 1 {
		return w.other
	}
	return w.Store
}

// winners counts the calls that succeeded; the others must have failed with one
// of the errors.
func winners(t *testing.T, errs []error, others ...error) int {
	t.Helper()
	n := 0
next:
	for _, err := range errs {
		if err == nil {
			n++
			continue
		}
		for _, other := range others {
			if errors.Is(err, other) {
				continue next
			}
		}
		t.Errorf("one of the losers: %v, want %v", err, others)
	}
	return n
}

// Fifty callers, two handles, one code: exactly one success, and the reuse ends
// the grant.
//
// spec: AUTHZ-24, AUTHZ-25
// attack: TK-02, TK-03
func TestOneRedemptionOfFifty(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			id, r := issue(t, w, offline)
			errs := together(50, func(i int) error {
				_, err := w.handle(i).RedeemCode(ctx, r)
				return err
			})
			if n := winners(t, errs, store.ErrConsumed); n != 1 {
				t.Fatalf("%d successes", n)
			}
			if g, err := w.Grant(ctx, id); err != nil || g.RevokedAt.IsZero() || g.RevokedFor != "code replayed" {
				t.Fatalf("the grant after a replay: %+v, %v", g, err)
			}
			if _, err := w.RefreshGrant(ctx, use(id, 1)); !errors.Is(err, store.ErrRevoked) {
				t.Fatalf("its refresh token: %v", err)
			}
		}
	})
}

// Fifty refreshes of one token: one successor for all, and the family lives.
//
// spec: RT-23, RT-24
// attack: RT-02, RT-03, RT-04
func TestOneSuccessorForFifty(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			id := redeemed(t, w, offline)
			var mu sync.Mutex
			moved, retried := 0, 0
			errs := together(50, func(i int) error {
				got, err := w.handle(i).RefreshGrant(ctx, use(id, 1))
				mu.Lock()
				defer mu.Unlock()
				if got.Retried {
					retried++
				} else {
					moved++
				}
				if err == nil && got.Grant.Generation != 2 {
					err = fmt.Errorf("answered with generation %d", got.Grant.Generation)
				}
				return err
			})
			if n := winners(t, errs); n != 50 || moved != 1 || retried != 49 {
				t.Fatalf("%d answers, %d moved it, %d repeated it", n, moved, retried)
			}
			if got, err := w.RefreshGrant(ctx, use(id, 2)); err != nil || got.Grant.Generation != 3 {
				t.Fatalf("the successor: %d, %v", got.Grant.Generation, err)
			}
		}
	})
}

// A chain of tokens used by several at once, each always with the newest it
// knows: there is never a second live one.
//
// spec: RT-24
// attack: RT-03
func TestAChainNeverForks(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id := redeemed(t, w, offline)
		var mu sync.Mutex
		successors := map[uint32]map[uint32]bool{} // used → answered
		errs := together(8, func(i int) error {
			for generation := uint32(1); generation <= uint32(rounds()); {
				got, err := w.handle(i).RefreshGrant(ctx, use(id, generation))
				if errors.Is(err, store.ErrConsumed) || errors.Is(err, store.ErrRevoked) {
					return nil // fell behind by two, which ends the family
				}
				if err != nil {
					return err
				}
				mu.Lock()
				if successors[generation] == nil {
					successors[generation] = map[uint32]bool{}
				}
				successors[generation][got.Grant.Generation] = true
				mu.Unlock()
				generation = got.Grant.Generation
			}
			return nil
		})
		winners(t, errs)
		for used, answers := range successors {
			if len(answers) != 1 || !answers[used+1] {
				t.Errorf("generation %d was answered with %v", used, answers)
			}
		}
	})
}

// One request under way gives one code, however often it is approved.
//
// spec: AUTHZ-30
func TestOneAnswerForARequest(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			q := request(t, w)
			var mu sync.Mutex
			issued := map[store.GrantID]bool{}
			errs := together(20, func(n int) error {
				if n%4 == 3 {
					return w.handle(n).AnswerRequest(ctx, q.HandleHash, nil)
				}
				i := newGrant(offline)
				i.RequestHandleHash = q.HandleHash
				err := w.handle(n).IssueCode(ctx, i)
				mu.Lock()
				defer mu.Unlock()
				issued[i.Grant.ID] = err == nil
				return err
			})
			if n := winners(t, errs, store.ErrConsumed); n != 1 {
				t.Fatalf("answered %d times", n)
			}
			for id, ok := range issued {
				if _, err := w.Grant(ctx, id); (err == nil) != ok {
					t.Errorf("issued %v, stored %v", ok, err == nil)
				}
			}
		}
	})
}

// What is issued while its client or its user is being disabled does not outlive it.
//
// spec: RT-27, REVOKE-14, F-55
// attack: TK-27, RT-11
func TestDisabledDuringIssue(t *testing.T) {
	for name, disable := range map[string]func(w world) error{
		"client": func(w world) error {
			return w.other.PutClient(ctx, store.Client{ID: "app", Disabled: true})
		},
		"user": func(w world) error {
			return w.other.PutUser(ctx, store.User{ID: "u", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/p", Disabled: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				for range rounds() / 5 {
					disableDuringIssue(t, w, disable)
				}
			})
		})
	}
}

func disableDuringIssue(t *testing.T, w world, disable func(world) error) {
	t.Helper()
	var mu sync.Mutex
	var live []store.GrantID
	errs := together(9, func(n int) error {
		if n == 8 {
			time.Sleep(2 * time.Millisecond)
			return disable(w)
		}
		for range 20 {
			i := newGrant(offline)
			if err := w.IssueCode(ctx, i); err != nil {
				return err
			}
			switch _, err := w.RedeemCode(ctx, redemption(i)); {
			case errors.Is(err, store.ErrRevoked):
				return nil
			case err != nil:
				return err
			}
			mu.Lock()
			live = append(live, i.Grant.ID)
			mu.Unlock()
		}
		return nil
	})
	winners(t, errs)
	for _, id := range live {
		if g, err := w.Grant(ctx, id); err != nil || g.RevokedAt.IsZero() {
			t.Errorf("a grant outlived it: %v", err)
		}
	}
	must(t, w.PutClient(ctx, store.Client{ID: "app"}))
	must(t, w.PutUser(ctx, store.User{ID: "u", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/p"}))
}

// Tries are counted before anybody looks, over all handles.
//
// spec: F-54
func TestTriesAreCountedExactly(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		var mu sync.Mutex
		counts := map[int]int{}
		errs := together(50, func(i int) error {
			n, _, err := w.handle(i).Count(ctx, "login:alice", time.Minute)
			mu.Lock()
			defer mu.Unlock()
			counts[n]++
			return err
		})
		winners(t, errs)
		for n := 1; n <= 50; n++ {
			if counts[n] != 1 {
				t.Errorf("%d callers were told that they are number %d", counts[n], n)
			}
		}
		code := random(32)
		must(t, w.CreateInvitation(ctx, store.Invitation{CodeHash: code, Patient: "n", CreatedAt: w.now(t), ExpiresAt: w.now(t).Add(time.Hour)}))
		errs = together(50, func(i int) error {
			_, err := w.handle(i).TryInvitation(ctx, code, 5)
			return err
		})
		if n := winners(t, errs, store.ErrNotFound); n != 5 {
			t.Errorf("%d tries of an invitation, want 5", n)
		}
	})
}

// One account for a patient, whoever asks.
//
// spec: LOGIN-06, LOGIN-07, F-50, F-57
func TestOneEnrolment(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for round := range rounds() {
			patient := fmt.Sprint("Patient/n", round)
			codes := [][]byte{random(32), random(32)}
			for _, code := range codes {
				must(t, w.CreateInvitation(ctx, store.Invitation{CodeHash: code, Patient: patient, CreatedAt: w.now(t), ExpiresAt: w.now(t).Add(time.Hour)}))
			}
			errs := together(10, func(i int) error {
				key := fmt.Sprint("n", round, "-", i)
				return w.handle(i).Enrol(ctx, codes[i%3%2], store.User{ID: store.UserID(key), UsernameKey: key, Role: store.RolePatient, FHIRUser: patient})
			})
			if n := winners(t, errs, store.ErrConsumed, store.ErrConflict); n != 1 {
				t.Fatalf("enrolled %d times", n)
			}
		}
	})
}

// Two servers that start together sign with the same keys.
//
// spec: F-42
func TestOneSetOfKeys(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		sets, secrets := make([][]store.SigningKey, 8), make([]store.ServerSecret, 8)
		errs := together(8, func(i int) error {
			var err error
			key := store.SigningKey{ID: fmt.Sprint("kid", i), Algorithm: "ES256", PublicJWK: []byte("{}"), Sealed: random(8)}
			if sets[i], err = w.handle(i).CreateKeysOnce(ctx, []store.SigningKey{key}); err != nil {
				return err
			}
			secrets[i], err = w.handle(i).CreateSecretOnce(ctx, store.ServerSecret{Name: "mac", Sealed: random(8)})
			return err
		})
		winners(t, errs)
		for i := range sets {
			same(t, sets[0], sets[i])
			same(t, secrets[0], secrets[i])
		}
		if len(sets[0]) != 1 {
			t.Errorf("%d keys", len(sets[0]))
		}
	})
}
