package trail_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// kept is what was written.
type kept struct {
	mu     sync.Mutex
	sheets []store.Sheet
	err    error
	hangs  chan struct{}
}

func (k *kept) append(_ context.Context, sheets []store.Sheet) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hangs != nil {
		<-k.hangs
	}
	if k.err == nil {
		k.sheets = append(k.sheets, sheets...)
	}
	return k.err
}

func (k *kept) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

func (k *kept) read(t testing.TB) (list []trail.Entry) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.sheets {
		part, err := trail.Read(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, part...)
	}
	return list
}

func recorder(t testing.TB, k *kept) *trail.Recorder {
	t.Helper()
	r, err := trail.New(trail.Deps{Append: k.append, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r.Start()
	return r
}

var who = trail.Who{Client: "app", Grant: "g1", User: "u1", FHIRUser: fhir.Reference{Type: "Patient", ID: "maria"}, TokenID: "jti-1", Address: "192.0.2.7"}

func access(patients ...string) trail.Entry {
	return trail.Entry{Who: who, Code: "search-type", Target: fhir.Reference{Type: "Observation"}, Query: "code=1&patient=maria", Patients: patients, Status: 200, Reason: "scope.patient", Request: "r-1"}
}

// Entries are written together after a moment, whole, and found under each patient.
//
// spec: AUD-01, AUD-02, AUD-04, AUD-12
func TestEntriesAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		r := recorder(t, k)
		defer r.Close()
		at := time.Now()
		for range 3 {
			if err := r.Put(access("maria", "leo", "maria")); err != nil {
				t.Fatal(err)
			}
		}
		if len(k.read(t)) != 0 {
			t.Error("a request waited for the database")
		}
		time.Sleep(150 * time.Millisecond)
		synctest.Wait()
		list := k.read(t)
		if len(k.sheets) != 1 || len(list) != 3 || strings.Join(k.sheets[0].Patients, " ") != "leo maria" {
			t.Fatalf("%d sheets, %d entries, %v", len(k.sheets), len(list), k.sheets)
		}
		want := access("leo", "maria")
		got := list[0]
		if !got.At.Equal(at.Truncate(time.Millisecond)) || got.At.Location() != time.UTC || got.Who != who || got.Query != want.Query || got.Target != want.Target || got.Request != want.Request || got.Reason != want.Reason || strings.Join(got.Patients, " ") != "leo maria" {
			t.Errorf("%+v", got)
		}
		if n := strings.Count(string(k.sheets[0].Body), "jti-1"); n != 1 {
			t.Errorf("who asks stands there %d times", n)
		}
	})
}

// What cannot be written waits, in order; when that lasts, nothing more is let through,
// until it can be written again. Nothing that was accepted is lost.
//
// spec: AUD-14
// attack: LO-05, F-80
func TestNothingIsLetThroughThatCannotBeRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{err: errors.New("the disk is full")}
		r := recorder(t, k)
		defer r.Close()
		accepted := 0
		for range 40 {
			if r.Put(access("maria")) == nil {
				accepted++
			}
			time.Sleep(200 * time.Millisecond)
		}
		if accepted < 25 || accepted > 28 {
			t.Errorf("%d accepted: five seconds are borne, and not eight", accepted)
		}
		if err := r.Ready(); !errors.Is(err, trail.ErrFull) {
			t.Errorf("ready: %v", err)
		}
		if err := r.Sync(t.Context()); !errors.Is(err, trail.ErrFull) {
			t.Errorf("sync: %v", err)
		}
		k.fail(nil)
		time.Sleep(200 * time.Millisecond)
		if err := r.Ready(); err != nil {
			t.Error(err)
		}
		if err := r.Sync(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(k.read(t)); n != accepted {
			t.Errorf("%d of %d entries were written", n, accepted)
		}
	})
}

// Memory is bounded while a writing hangs; what was done already is recorded all the same.
//
// attack: LO-05, LG-31
func TestWhatWaitsIsBounded(t *testing.T) {
	k := &kept{hangs: make(chan struct{})}
	r := recorder(t, k)
	var n int
	for r.Put(access("maria")) == nil {
		if n++; n > 30_000 {
			t.Fatal("no bound")
		}
	}
	r.PutMade(access("maria"))
	close(k.hangs)
	r.Close()
	if got := len(k.read(t)); got != n+1 {
		t.Errorf("%d of %d written", got, n+1)
	}
}

// An end writes what waits: nothing is lost on restart.
//
// spec: AUD-14
func TestAnEndWritesWhatWaits(t *testing.T) {
	k := &kept{}
	r := recorder(t, k)
	for range 1234 {
		if err := r.Put(access("maria")); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	r.Close()
	if n := len(k.read(t)); n != 1234 || r.Waiting() != 0 {
		t.Errorf("%d written, %d wait", n, r.Waiting())
	}
	for _, p := range k.sheets {
		if part, err := trail.Read(p.Body); err != nil || len(part) > 500 {
			t.Errorf("%d entries in one event: %v", len(part), err)
		}
	}
}

// Sync returns when what was put is written, without waiting for the next time.
func TestSyncIsPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		r := recorder(t, k)
		defer r.Close()
		began := time.Now()
		for range 5 {
			r.PutMade(access("maria"))
			if err := r.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(k.read(t)); n != 5 || time.Since(began) >= 100*time.Millisecond {
			t.Errorf("%d written after %v", n, time.Since(began))
		}
		gone, stop := context.WithCancel(t.Context())
		stop()
		k.fail(errors.New("away"))
		r.PutMade(access("maria"))
		if err := r.Sync(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
		k.fail(nil)
	})
}

// Requests without a good token are told apart up to a bound; beyond it they are counted.
//
// spec: AUD-13
// attack: LO-05
func TestStrangersAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		r := recorder(t, k)
		defer r.Close()
		for range 5000 {
			if err := r.Put(trail.Entry{Who: trail.Who{Address: "192.0.2.1"}, Status: 401, Reason: "invalid_token"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		list := k.read(t)
		all := 0
		for _, a := range list {
			all += max(1, a.More)
		}
		if len(list) != 51 || all != 5000 {
			t.Errorf("%d entries tell of %d", len(list), all)
		}
	})
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := trail.New(trail.Deps{}); err == nil {
		t.Error("a recorder without parts was made")
	}
}

func BenchmarkPut(b *testing.B) {
	k := &kept{}
	r, err := trail.New(trail.Deps{Append: func(context.Context, []store.Sheet) error { return nil }, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err, k)
	}
	r.Start()
	defer r.Close()
	a := access("maria")
	b.ReportAllocs()
	for b.Loop() {
		for r.Put(a) != nil {
			_ = r.Sync(context.Background())
		}
	}
}
