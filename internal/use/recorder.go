package use

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// MaxGrants is how many grants are remembered between two flushes.
const MaxGrants = 50_000

// flushTime ends a flush that hangs.
const flushTime = 10 * time.Second

// Deps are the parts that a Recorder needs; all are required.
type Deps struct {
	NoteUses func(ctx context.Context, uses []store.GrantUse) error
	Every    time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Recorder remembers. It is safe for concurrent use.
type Recorder struct {
	deps    Deps
	current atomic.Pointer[noted]
	flush   sync.Mutex // one at a time
}

// noted are the uses since a flush began.
type noted struct {
	last  sync.Map // store.GrantID → *atomic.Int64, Unix milliseconds
	count atomic.Int64
}

// New makes a Recorder; it refuses missing parts.
func New(deps Deps) (*Recorder, error) {
	if deps.NoteUses == nil || deps.Every <= 0 || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("use: a part is missing")
	}
	r := &Recorder{deps: deps}
	r.current.Store(&noted{})
	return r, nil
}

// Note remembers that a grant was used now.
func (r *Recorder) Note(grant store.GrantID) {
	n, now := r.current.Load(), r.deps.Now().UnixMilli()
	if known, ok := n.last.Load(grant); ok {
		known.(*atomic.Int64).Store(now) //nolint:forcetypeassert // nothing else is put in
		return
	}
	if n.count.Load() >= MaxGrants {
		return
	}
	at := new(atomic.Int64)
	at.Store(now)
	if _, known := n.last.LoadOrStore(grant, at); !known {
		n.count.Add(1)
	}
}

// Flush writes what was noted. What cannot be written is forgotten: it is known again
// with the next use.
func (r *Recorder) Flush(ctx context.Context) error {
	r.flush.Lock()
	defer r.flush.Unlock()
	n := r.current.Swap(&noted{})
	var uses []store.GrantUse
	n.last.Range(func(grant, at any) bool {
		uses = append(uses, store.GrantUse{
			GrantID: grant.(store.GrantID), At: time.UnixMilli(at.(*atomic.Int64).Load()).UTC(), //nolint:forcetypeassert // nothing else is put in
		})
		return true
	})
	if len(uses) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	return r.deps.NoteUses(ctx, uses)
}

// Run flushes until ctx ends, and then once more.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(r.deps.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.try(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			r.try(ctx)
		}
	}
}

func (r *Recorder) try(ctx context.Context) {
	if err := r.Flush(ctx); err != nil && ctx.Err() == nil {
		r.deps.Log.WarnContext(ctx, "when grants were last used could not be written", "error", err)
	}
}
