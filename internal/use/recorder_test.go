package use_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/use"
)

// kept is what was written, with how often.
type kept struct {
	mu     sync.Mutex
	last   map[store.GrantID]time.Time
	writes int
	rows   int
	err    error
}

func (k *kept) note(_ context.Context, uses []store.GrantUse) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes++
	k.rows += len(uses)
	for _, u := range uses {
		k.last[u.GrantID] = u.At
	}
	return k.err
}

func recorder(t testing.TB) (*use.Recorder, *kept) {
	t.Helper()
	k := &kept{last: map[store.GrantID]time.Time{}}
	r, err := use.New(use.Deps{NoteUses: k.note, Every: 30 * time.Second, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r, k
}

// However often a grant is used, it is written once in an interval, with the last time,
// and not at all when it was not used.
//
// spec: CONS-18
func TestUsesAreWrittenInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, k := recorder(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		for range 20 {
			r.Note("a")
			r.Note("b")
			time.Sleep(time.Second)
		}
		if k.writes != 0 {
			t.Errorf("%d writes before the interval was over", k.writes)
		}
		last := time.Now()
		r.Note("a")
		time.Sleep(time.Minute)
		synctest.Wait()
		if k.writes != 1 || k.rows != 2 || !k.last["a"].Equal(last.Truncate(time.Millisecond)) {
			t.Errorf("%d writes of %d rows, a at %v, want %v", k.writes, k.rows, k.last["a"], last)
		}
		r.Note("c")
		stop()
		if err := <-done; err != nil || k.last["c"].IsZero() {
			t.Errorf("the end: %v, %v", err, k.last)
		}
	})
}

// A database that is away costs the uses of an interval and nothing else.
func TestAFailedFlushGoesOn(t *testing.T) {
	r, k := recorder(t)
	k.err = errors.New("away")
	r.Note("a")
	if err := r.Flush(t.Context()); err == nil {
		t.Error("nobody was told")
	}
	k.err = nil
	r.Note("b")
	if err := r.Flush(t.Context()); err != nil || k.last["b"].IsZero() {
		t.Errorf("%v, %v", err, k.last)
	}
	if err := r.Flush(t.Context()); err != nil || k.writes != 2 {
		t.Errorf("nothing to write: %v, %d writes", err, k.writes)
	}
}

// What is remembered has an end, whatever comes.
//
// attack: LG-31
func TestMemoryIsBounded(t *testing.T) {
	r, k := recorder(t)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range use.MaxGrants {
				r.Note(store.GrantID(fmt.Sprintf("%d-%d", worker, i)))
			}
		})
	}
	all.Wait()
	if err := r.Flush(t.Context()); err != nil || k.rows < use.MaxGrants || k.rows > use.MaxGrants+4 {
		t.Errorf("%d rows, %v", k.rows, err)
	}
	r.Note("later")
	if err := r.Flush(t.Context()); err != nil || k.last["later"].IsZero() {
		t.Errorf("nothing is noted after it was full: %v", err)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := use.New(use.Deps{}); err == nil {
		t.Error("a recorder without parts was made")
	}
}

func BenchmarkNote(b *testing.B) {
	r, _ := recorder(b)
	ids := make([]store.GrantID, 1000)
	for i := range ids {
		ids[i] = store.GrantID(fmt.Sprintf("grant-%021d", i))
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			r.Note(ids[i%len(ids)])
		}
	})
}
