package trail

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	every     = 100 * time.Millisecond // how often is written
	crowd     = 1000                   // so many do not wait for that
	maxWaits  = 20_000                 // entries in memory
	patience  = 5 * time.Second        // how long entries may fail to be written
	strangers = 50                     // told apart in one writing
	writeTime = 10 * time.Second       // ends a writing that hangs
)

// ErrFull: the access could not be recorded, and must not be answered.
var ErrFull error = full{}

type full struct{}

func (full) Error() string   { return "trail: accesses cannot be recorded at present" }
func (full) Temporary() bool { return true }

// Deps are the parts that a Recorder needs; all are required.
type Deps struct {
	Append func(ctx context.Context, sheets []store.Sheet) error
	Now    func() time.Time
	Log    *slog.Logger
}

// Recorder records. It is safe for concurrent use.
type Recorder struct {
	deps Deps

	mu       sync.Mutex
	waiting  []Entry
	writing  int // entries that are being written
	unknown  int // strangers among those that wait
	left     int // strangers who were counted only
	accepted uint64
	written  uint64
	syncing  int           // who wait until entries are written
	failing  time.Time     // since when writing fails; zero: it does not
	moved    chan struct{} // closed when written grows, or writing fails

	wake              chan struct{}
	stop              chan struct{}
	stopped           chan struct{}
	starting, closing sync.Once
}

// New makes a Recorder, which takes entries and writes them from Start to Close; it
// refuses missing parts.
func New(deps Deps) (*Recorder, error) {
	if deps.Append == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("trail: a part is missing")
	}
	r := &Recorder{deps: deps, moved: make(chan struct{}), wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{})}
	return r, nil
}

// Start begins to write.
func (r *Recorder) Start() { r.starting.Do(func() { go r.run() }) }

// Put takes an entry, whose time it sets. ErrFull: what it tells of must not be answered.
func (r *Recorder) Put(a Entry) error { return r.put(a, false) }

// PutMade takes an entry about what was done already, and cannot be undone.
func (r *Recorder) PutMade(a Entry) { _ = r.put(a, true) }

// Ready reports whether an entry would be taken now; ask before what cannot be undone.
func (r *Recorder) Ready() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready(r.deps.Now())
}

func (r *Recorder) ready(now time.Time) error {
	if len(r.waiting)+r.writing >= maxWaits || !r.failing.IsZero() && now.Sub(r.failing) > patience {
		return ErrFull
	}
	return nil
}

func (r *Recorder) put(a Entry, made bool) error {
	a.At = r.deps.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.ready(a.At); err != nil && !made {
		return err
	}
	if a.stranger() {
		if r.unknown++; r.unknown > strangers {
			r.left++
			return nil
		}
	}
	r.waiting = append(r.waiting, a)
	r.accepted++
	if len(r.waiting) == crowd {
		r.hurry()
	}
	return nil
}

// hurry has the waiting entries written soon.
func (r *Recorder) hurry() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Sync returns when every entry that was put before is in the database; ErrFull when
// that fails for too long.
func (r *Recorder) Sync(ctx context.Context) error {
	r.mu.Lock()
	target := r.accepted
	r.syncing++
	r.mu.Unlock()
	defer r.synced()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	r.hurry()
	for {
		r.mu.Lock()
		done, moved := r.written >= target, r.moved
		r.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved: // what fails is tried again by itself
		case <-limit.C:
			return ErrFull
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *Recorder) synced() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.syncing--
}

// run writes; what failed is tried again, before anything that came later.
func (r *Recorder) run() {
	defer close(r.stopped)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var pending []Entry
	for {
		select {
		case <-r.stop:
			if pending = r.write(pending); pending == nil {
				pending = r.write(nil) // what came while that was written
			}
			if n := len(pending); n > 0 {
				r.deps.Log.Error("accesses were not recorded before the end", "count", n)
			}
			return
		case <-r.wake:
		case <-tick.C:
		}
		pending = r.write(pending)
	}
}

// write writes what failed before, or else what waits. It returns what could not be
// written.
func (r *Recorder) write(pending []Entry) []Entry {
	if pending == nil {
		pending = r.take()
	}
	if len(pending) == 0 {
		return nil
	}
	err := r.append(pending)
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.moved)
	r.moved = make(chan struct{})
	if err != nil {
		if r.failing.IsZero() {
			r.failing = r.deps.Now()
			r.deps.Log.Error("accesses cannot be recorded; it is tried again", "error", err)
		}
		return pending
	}
	r.failing, r.writing, r.written = time.Time{}, 0, r.written+uint64(len(pending))
	if r.syncing > 0 && len(r.waiting) > 0 {
		r.hurry()
	}
	return nil
}

func (r *Recorder) append(list []Entry) error {
	written, err := Sheets(list)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	return r.deps.Append(ctx, written)
}

// take takes what waits, with one entry for the strangers who were counted only.
func (r *Recorder) take() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left > 0 {
		r.waiting = append(r.waiting, Entry{At: r.deps.Now(), Status: 401, Reason: "strangers", More: r.left})
		r.accepted++
	}
	list := r.waiting
	if len(list) == 0 {
		return nil
	}
	r.waiting, r.writing, r.unknown, r.left = make([]Entry, 0, min(len(list), crowd)), len(list), 0, 0
	return list
}

// Close writes what waits and ends.
func (r *Recorder) Close() {
	r.Start() // or nobody would
	r.closing.Do(func() { close(r.stop) })
	<-r.stopped
}

// Waiting is how many entries are not in the database yet.
func (r *Recorder) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) + r.writing
}
