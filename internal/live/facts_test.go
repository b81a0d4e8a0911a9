package live_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/live"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	life = 20 * time.Minute
	poll = 200 * time.Millisecond
)

var ctx = context.Background()

// world is a store with a clock of its own.
type world struct {
	mu      sync.Mutex
	now     time.Time
	clients []store.Client
	feed    []store.Change // visible rows; At is judged by the clock
	grants  map[store.GrantID]time.Time
	tokens  []store.RevokedToken
	failure error
	reads   int
	keys    int    // times that the keys were read
	locked  error  // of reading the keys
	before  func() // called before each read of the feed
}

func newWorld() *world {
	return &world{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), grants: map[store.GrantID]time.Time{}}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(by time.Duration) { w.do(func() { w.now = w.now.Add(by) }) }

func (w *world) do(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) tell(seq int64, kind store.ChangeKind, id string) {
	w.do(func() { w.feed = append(w.feed, store.Change{Seq: seq, At: w.now, Kind: kind, ID: id}) })
}

func (w *world) ListClients(context.Context) ([]store.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]store.Client(nil), w.clients...), w.failure
}

func (w *world) Changes(_ context.Context, window time.Duration) ([]store.Change, error) {
	if w.before != nil {
		w.before()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	var rows []store.Change
	for _, c := range w.feed {
		if w.now.Sub(c.At) < window {
			rows = append(rows, c)
		}
	}
	return rows, w.failure
}

func (w *world) RevokedSince(_ context.Context, since time.Time) ([]store.GrantID, []store.RevokedToken, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []store.GrantID
	for id, at := range w.grants {
		if at.After(since) {
			ids = append(ids, id)
		}
	}
	return ids, w.tokens, w.failure
}

// readKeys stands for the ring.
func (w *world) readKeys(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys++
	return w.locked
}

func (w *world) deps() live.Deps {
	return live.Deps{Store: w, Keys: w.readKeys, AccessLife: life, Poll: poll, Now: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func facts(t *testing.T, w *world) *live.Facts {
	t.Helper()
	f, err := live.New(ctx, w.deps())
	must(t, err)
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPartsAreRequired(t *testing.T) {
	for name, remove := range map[string]func(*live.Deps){
		"store": func(d *live.Deps) { d.Store = nil },
		"keys":  func(d *live.Deps) { d.Keys = nil },
		"life":  func(d *live.Deps) { d.AccessLife = 0 },
		"poll":  func(d *live.Deps) { d.Poll = 0 },
		"now":   func(d *live.Deps) { d.Now = nil },
		"log":   func(d *live.Deps) { d.Log = nil },
	} {
		deps := newWorld().deps()
		remove(&deps)
		if _, err := live.New(ctx, deps); err == nil {
			t.Errorf("without %s: it was made", name)
		}
	}
	w := newWorld()
	w.failure = errors.New("away")
	if _, err := live.New(ctx, w.deps()); !errors.Is(err, w.failure) {
		t.Errorf("with a store that fails: %v", err)
	}
}

// spec: REVOKE-02, REVOKE-03, REVOKE-10
// attack: RT-20
func TestEndedIsKnownAfterRefresh(t *testing.T) {
	w := newWorld()
	w.grants["before"] = w.now.Add(-time.Minute)
	w.grants["long ago"] = w.now.Add(-time.Hour)
	w.tokens = []store.RevokedToken{{TokenID: "old token", ExpiresAt: w.now.Add(time.Minute)}}
	f := facts(t, w)
	want := func(grant store.GrantID, token string, ended bool) {
		t.Helper()
		if got := f.Ended(grant, token); got != ended {
			t.Errorf("Ended(%s, %s) = %v", grant, token, got)
		}
	}
	want("before", "", true)
	want("long ago", "", false)
	want("alive", "old token", true)
	want("g", "t", false)

	w.tell(1, store.ChangeTokenRevoked, "t")
	want("g", "t", false)
	must(t, f.Refresh(ctx))
	want("g", "t", true)
	want("g", "another token of it", false)

	w.tell(2, store.ChangeGrantRevoked, "g")
	must(t, f.Refresh(ctx))
	want("g", "another token of it", true)
	want("h", "h", false)
}

// Transactions commit in another order than they took their numbers.
func TestRowsMayComeLate(t *testing.T) {
	w := newWorld()
	f := facts(t, w)
	late := store.Change{Seq: 4, At: w.now, Kind: store.ChangeGrantRevoked, ID: "late"}
	w.tell(5, store.ChangeGrantRevoked, "early")
	must(t, f.Refresh(ctx))
	w.wait(10 * time.Second)
	w.do(func() { w.feed = append([]store.Change{late}, w.feed...) })
	must(t, f.Refresh(ctx))
	if !f.Ended("late", "") || !f.Ended("early", "") {
		t.Errorf("late %v, early %v", f.Ended("late", ""), f.Ended("early", ""))
	}
}

// A row is told once, though it is read many times.
func TestSubscribersHearEachChangeOnce(t *testing.T) {
	w := newWorld()
	f := facts(t, w)
	var heard []string
	f.Subscribe(func(c store.Change) { heard = append(heard, fmt.Sprint(c.Kind, " ", c.ID)) })
	for seq := range int64(3) {
		w.tell(seq, store.ChangeUser, fmt.Sprint("u", seq))
		for range 3 {
			w.wait(time.Second)
			must(t, f.Refresh(ctx))
		}
	}
	if diff := cmp.Diff([]string{"user u0", "user u1", "user u2"}, heard); diff != "" {
		t.Error(diff)
	}
}

// spec: F-44
func TestSilenceFailsClosed(t *testing.T) {
	w := newWorld()
	f := facts(t, w)
	if !f.Fresh() {
		t.Error("stale at the start")
	}
	w.do(func() { w.failure = errors.New("database away") })
	w.wait(4900 * time.Millisecond)
	if err := f.Refresh(ctx); !errors.Is(err, w.failure) {
		t.Errorf("Refresh: %v", err)
	}
	if !f.Fresh() {
		t.Error("stale after 4.9 s")
	}
	w.wait(100 * time.Millisecond)
	if f.Fresh() {
		t.Error("fresh after 5 s of silence")
	}
	w.do(func() { w.failure = nil })
	must(t, f.Refresh(ctx))
	if !f.Fresh() {
		t.Error("stale after a good read")
	}
	w.wait(-time.Hour) // a clock that is set back logs nobody out
	if !f.Fresh() {
		t.Error("stale after the clock was set back")
	}
}

// A frozen process wakes up when the rows of its sleep have left the window.
//
// spec: F-61
func TestAfterAGapEverythingIsReadAnew(t *testing.T) {
	w := newWorld()
	w.clients = []store.Client{{ID: "app"}}
	f := facts(t, w)
	heard := map[store.ChangeKind]int{}
	f.Subscribe(func(c store.Change) { heard[c.Kind]++ })
	w.tell(1, store.ChangeGrantRevoked, "g")
	w.do(func() { w.grants["g"], w.clients = w.now, []store.Client{{ID: "app", Disabled: true}} })
	w.wait(50 * time.Second)
	if f.Fresh() {
		t.Error("fresh in the first moment")
	}
	must(t, f.Refresh(ctx))
	if !f.Ended("g", "") {
		t.Error("a grant that ended meanwhile is alive")
	}
	if c, _ := f.Client("app"); !c.Disabled {
		t.Error("a client that was disabled meanwhile is enabled")
	}
	want := map[store.ChangeKind]int{store.ChangeClient: 1, store.ChangeUser: 1, store.ChangeKey: 1, store.ChangePatientPolicy: 1}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Error(diff)
	}
}

// A row that was never seen is made good within a minute.
func TestEveryMinuteEverythingIsReadAnew(t *testing.T) {
	w := newWorld()
	f := facts(t, w)
	w.do(func() { w.grants["unheard of"] = w.now })
	for range 59 {
		w.wait(time.Second)
		must(t, f.Refresh(ctx))
	}
	if f.Ended("unheard of", "") {
		t.Fatal("known early: this test proves nothing")
	}
	w.wait(time.Second)
	must(t, f.Refresh(ctx))
	if !f.Ended("unheard of", "") {
		t.Error("not known after a minute")
	}
}

// Memory is bounded by what can still be presented.
// A change of the keys is read with the feed, once; a process that cannot read the
// keys does not know which of them are gone, and vouches for nothing.
//
// attack: F-56
func TestKeysAreReadWithTheFeed(t *testing.T) {
	w := newWorld()
	f := facts(t, w)
	if w.keys != 1 {
		t.Errorf("read %d times at the start", w.keys)
	}
	w.tell(1, store.ChangeClient, "c")
	must(t, f.Refresh(ctx))
	w.tell(2, store.ChangeKey, "")
	must(t, f.Refresh(ctx))
	must(t, f.Refresh(ctx))
	if w.keys != 2 {
		t.Errorf("read %d times after one change", w.keys)
	}
	w.do(func() { w.locked = errors.New("sealed under another key") })
	w.tell(3, store.ChangeKey, "")
	w.wait(6 * time.Second)
	for range 2 {
		if err := f.Refresh(ctx); !errors.Is(err, w.locked) || f.Fresh() {
			t.Errorf("keys that cannot be read: %v, fresh %t", err, f.Fresh())
		}
	}
	w.do(func() { w.locked = nil })
	must(t, f.Refresh(ctx))
	if w.keys != 5 || !f.Fresh() {
		t.Errorf("read %d times, fresh %t", w.keys, f.Fresh())
	}
	w.wait(time.Minute)
	must(t, f.Refresh(ctx))
	if w.keys != 6 {
		t.Errorf("read %d times after a minute", w.keys)
	}
}

func TestEndedIsForgottenWhenItsTokensAreOver(t *testing.T) {
	w := newWorld()
	f := facts(t, w)
	w.tell(1, store.ChangeGrantRevoked, "g")
	w.tell(2, store.ChangeTokenRevoked, "t")
	must(t, f.Refresh(ctx))
	w.wait(life + 4*time.Minute)
	must(t, f.Refresh(ctx))
	if !f.Ended("g", "") || !f.Ended("", "t") {
		t.Error("forgotten early")
	}
	w.wait(2 * time.Minute)
	must(t, f.Refresh(ctx))
	if f.Ended("g", "") || f.Ended("", "t") {
		t.Error("remembered for ever")
	}
}

// Many callers who have just written need one more read, not one each.
func TestCallersShareAReadThatBeganAfterThem(t *testing.T) {
	w := newWorld()
	f := facts(t, w)
	entered, release := make(chan struct{}, 100), make(chan struct{})
	w.before = func() { entered <- struct{}{}; <-release }
	var done sync.WaitGroup
	done.Go(func() { must(t, f.Refresh(ctx)) })
	<-entered
	w.tell(1, store.ChangeGrantRevoked, "g") // the first read may have missed it
	for range 20 {
		done.Go(func() {
			must(t, f.Refresh(ctx))
			if !f.Ended("g", "") {
				t.Error("Refresh returned before the change was known")
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // they wait behind the first
	close(release)
	done.Wait()
	if w.reads > 4 {
		t.Errorf("%d reads for 21 callers", w.reads)
	}
}

func TestRunFollowsTheFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		deps := w.deps()
		deps.Now = time.Now
		w.now = time.Now()
		f, err := live.New(ctx, deps)
		must(t, err)
		running, stop := context.WithCancel(ctx)
		ended := make(chan error)
		go func() { ended <- f.Run(running) }()
		w.tell(1, store.ChangeGrantRevoked, "g")
		time.Sleep(poll + time.Millisecond)
		synctest.Wait()
		if !f.Ended("g", "") {
			t.Error("not known after a poll")
		}
		w.do(func() { w.failure = errors.New("away") })
		time.Sleep(6 * time.Second)
		if f.Fresh() {
			t.Error("fresh while the feed fails")
		}
		w.do(func() { w.failure = nil })
		time.Sleep(poll + time.Millisecond)
		synctest.Wait()
		if !f.Fresh() {
			t.Error("stale after the feed came back")
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// A read that hangs ends, so that callers who wait behind it do not hang too.
func TestAReadThatHangsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := hanging{newWorld()}
		deps := w.deps()
		f, err := live.New(ctx, deps)
		must(t, err)
		deps.Store = w
		g, err := live.New(ctx, deps)
		if !errors.Is(err, context.DeadlineExceeded) || g != nil {
			t.Errorf("New on a store that hangs: %v", err)
		}
		must(t, f.Refresh(ctx))
	})
}

type hanging struct{ *world }

func (h hanging) Changes(ctx context.Context, _ time.Duration) ([]store.Change, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Lookups go on while snapshots change (run with -race).
func TestLookupsDuringChanges(t *testing.T) {
	w := newWorld()
	w.clients = []store.Client{{ID: "app", Origins: []string{"https://app.example"}}}
	f := facts(t, w)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, ok := f.Client("app"); !ok || !f.AllowsOrigin("https://app.example") || len(f.Clients()) != 1 {
					t.Error("the client is gone")
					return
				}
				f.Ended("g", "t")
				f.Fresh()
			}
		})
	}
	for seq := range int64(200) {
		kind := store.ChangeGrantRevoked
		if seq%2 == 0 {
			kind = store.ChangeClient
		}
		w.tell(seq, kind, fmt.Sprint(seq))
		must(t, f.Refresh(ctx))
		if seq%2 == 1 && !f.Ended(store.GrantID(fmt.Sprint(seq)), "") {
			t.Errorf("%d is alive", seq)
		}
	}
	close(stop)
	readers.Wait()
}

func BenchmarkEnded(b *testing.B) {
	w := newWorld()
	for i := range 100_000 {
		w.grants[store.GrantID(fmt.Sprint("grant", i))] = w.now
	}
	f, err := live.New(ctx, w.deps())
	must(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if f.Ended("another grant", "token") || !f.Ended("grant77", "token") {
				b.Fail()
			}
		}
	})
}
