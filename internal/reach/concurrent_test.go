package reach_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/reach"
)

// An answer that was being found when policy sources changed is not remembered
// after Forget.
//
// attack: B.112
func TestForgetWhileResolving(t *testing.T) {
	in := team("t", "active", "Patient/a", member("Practitioner/p1", ""), "")
	out := team("t", "active", "Patient/a", member("Practitioner/p2", ""), "")
	c := open(t, in)
	c.backend.answered = func(q search.Query) {
		if q.Type == "CareTeam" { // it has been read; now it changes
			c.backend.answered = nil
			c.load(t, out)
			c.Forget()
		}
	}
	if got := c.reaches(t, doctor()); !slices.Equal(got, []string{"a"}) {
		t.Fatal(got)
	}
	if got := c.reaches(t, doctor()); len(got) > 0 {
		t.Errorf("the old answer came back: %v", got)
	}
}

// slow is a backend that takes a second for each question.
type slow struct {
	crowd
	mu     sync.Mutex
	calls  int
	broken any // what it panics with
}

func (b *slow) Search(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	b.mu.Lock()
	b.calls++
	b.mu.Unlock()
	if b.broken != nil {
		panic(b.broken)
	}
	time.Sleep(100 * time.Millisecond)
	if err := ctx.Err(); err != nil {
		return fhirstore.Page{}, err
	}
	return b.crowd.Search(ctx, d, q)
}

func slowly(t *testing.T, b *slow) *reach.Resolver {
	t.Helper()
	r, err := reach.New(reach.Deps{Backend: b, Now: time.Now, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Requests of one user at once find out once; one that gives up does not take the
// others with it.
func TestConcurrentRequestsResolveOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alone := &slow{crowd: 3}
		if set, err := slowly(t, alone).Reach(t.Context(), doctor()); err != nil || set.Patients().Len() != 3 {
			t.Fatal(set, err)
		}
		b := &slow{crowd: 3}
		r := slowly(t, b)
		first, giveUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := r.Reach(first, doctor()); !errors.Is(err, context.Canceled) {
				t.Errorf("who gave up: %v", err)
			}
		})
		synctest.Wait()
		for range 20 {
			all.Go(func() {
				if set, err := r.Reach(t.Context(), doctor()); err != nil || set.Patients().Len() != 3 {
					t.Errorf("%v %v", set, err)
				}
			})
		}
		synctest.Wait()
		giveUp()
		all.Wait()
		if b.calls != alone.calls {
			t.Errorf("%d questions, one request alone asks %d", b.calls, alone.calls)
		}
	})
}

// Who comes while an answer is being found takes it only when it is as fresh as a
// remembered one; after Forget nobody waits for an older one.
//
// attack: B.112
func TestLateRequestsResolveAnew(t *testing.T) {
	for name, meanwhile := range map[string]func(*reach.Resolver){
		"two seconds": func(*reach.Resolver) { time.Sleep(2 * time.Second) },
		"Forget":      func(r *reach.Resolver) { time.Sleep(time.Millisecond); r.Forget() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &slow{crowd: 40_000} // forty pages take four seconds
				r := slowly(t, b)
				var all sync.WaitGroup
				all.Go(func() { _, _ = r.Reach(t.Context(), doctor()) })
				meanwhile(r)
				late := time.Now()
				if _, until, err := r.ReachUntil(t.Context(), doctor()); err != nil || until.Before(late.Add(2*time.Second)) {
					t.Errorf("%v %v: the answer is from %v before", until, err, late.Add(2*time.Second).Sub(until))
				}
				all.Wait()
			})
		})
	}
}

// A fault of ours while an answer is found is an error for those who wait.
func TestPanicIsAnError(t *testing.T) {
	if set, err := slowly(t, &slow{broken: "a bug"}).Reach(t.Context(), doctor()); err == nil || set.Patients().Len() > 0 {
		t.Errorf("%v %v", set, err)
	}
}
