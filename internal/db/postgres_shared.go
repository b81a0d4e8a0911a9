package db

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// lanes is how many single statements are on their way, each in a commit of its own,
	// before those that come later share one.
	lanes = 3
	// maxShared bounds how many share a commit.
	maxShared = 64
	// shareWait is how long those who share wait for a connection.
	shareWait = 5 * time.Second
)

// sharing is a statement that may share its commit with others.
type sharing struct {
	ctx  context.Context //nolint:containedctx // of the one call that waits
	stmt string
	args []any
	read func(rows pgx.Rows) error // reads its result, to the end

	turn chan turn // of one that waits
	err  error
}

// turn is what becomes of a statement that has waited.
type turn int

const (
	answered turn = iota // err says how
	alone                // nothing of it was done: it runs by itself
	leads                // it runs, with those that it is given
)

// sharer puts statements that wait into common commits. Statements alone in their
// transaction, of callers who do not know of each other, cost PostgreSQL and this process
// a commit and a message each; while some of them are on their way, those that wait form
// the next message, which is one transaction. When anything fails in it, PostgreSQL has
// kept nothing, and each statement of it runs by itself.
type sharer struct {
	mu      sync.Mutex
	busy    int
	waiting []*sharing
	behind  map[*sharing][]*sharing // whom one that leads takes along
}

// enter returns how s runs; it waits for its turn. An error: the caller went away before
// anything was done.
func (l *sharer) enter(s *sharing) (turn, []*sharing, error) {
	l.mu.Lock()
	if l.busy < lanes {
		l.busy++
		l.mu.Unlock()
		return leads, nil, nil
	}
	s.turn = make(chan turn, 1)
	l.waiting = append(l.waiting, s)
	l.mu.Unlock()
	var got turn
	select {
	case got = <-s.turn:
	case <-s.ctx.Done():
		if l.withdraw(s) {
			return alone, nil, s.ctx.Err()
		}
		got = <-s.turn // it is on its way
	}
	return got, l.taken(s), nil
}

// count is how many wait.
func (l *sharer) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// withdraw takes back what has not begun.
func (l *sharer) withdraw(s *sharing) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, s)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	return i >= 0
}

// taken are those whom one that leads takes along.
func (l *sharer) taken(s *sharing) []*sharing {
	l.mu.Lock()
	defer l.mu.Unlock()
	with := l.behind[s]
	delete(l.behind, s)
	return with
}

// leave gives the lane to those who wait; the first of them leads.
func (l *sharer) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), maxShared)
	if n == 0 {
		l.busy--
		return
	}
	first := l.waiting[0]
	if n > 1 {
		if l.behind == nil {
			l.behind = map[*sharing][]*sharing{}
		}
		l.behind[first] = slices.Clone(l.waiting[1:n])
	}
	l.waiting = slices.Delete(l.waiting, 0, n)
	first.turn <- leads
}

// share runs a statement, in a commit with others or by itself, which is run.
func (e *postgresEngine) share(s *sharing, run func() error) error {
	got, with, err := e.sharer.enter(s)
	switch {
	case err != nil:
		return err
	case got == answered:
		return postgresError(s.err)
	case got == alone:
		return run()
	}
	defer e.sharer.leave()
	if len(with) == 0 {
		return run()
	}
	next := alone
	if e.together(slices.Concat(with, []*sharing{s})) {
		next = answered
	}
	for _, other := range with {
		other.turn <- next
	}
	if next == alone {
		return run()
	}
	return postgresError(s.err)
}

// together runs statements as one message and one transaction. False: PostgreSQL has kept
// nothing of it. Order: by statement and first value, so that two such transactions do not
// wait for each other in a ring.
func (e *postgresEngine) together(all []*sharing) bool {
	slices.SortStableFunc(all, func(a, b *sharing) int {
		return cmp.Or(strings.Compare(a.stmt, b.stmt), compareFirst(a.args, b.args))
	})
	ctx, cancel := context.WithTimeout(context.Background(), shareWait)
	defer cancel()
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return false
	}
	defer conn.Release()
	var b pgx.Batch
	for _, s := range all {
		b.Queue(s.stmt, s.args...)
	}
	err = receive(conn.SendBatch(context.Background(), &b), all)
	if err == nil {
		e.transactions.Add(1)
		e.writes.Add(int64(len(all)))
		return true
	}
	if err = sent(conn, err); !errors.Is(err, ErrOutcomeUnknown) {
		return false
	}
	for _, s := range all {
		s.err = err
	}
	return true
}

// receive reads every result, and whether the transaction was committed.
func receive(results pgx.BatchResults, all []*sharing) error {
	for _, s := range all {
		rows, err := results.Query()
		if err == nil {
			err = s.read(rows)
		}
		s.err = err
	}
	return results.Close()
}

// compareFirst compares the values that name the row.
func compareFirst(a, b []any) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(a), len(b))
	}
	switch x := a[0].(type) {
	case string:
		if y, ok := b[0].(string); ok {
			return strings.Compare(x, y)
		}
	case []byte:
		if y, ok := b[0].([]byte); ok {
			return bytes.Compare(x, y)
		}
	}
	return 0
}
