package db

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// groupLimit bounds how many callers share one commit, so that the first one
// does not wait for an endless stream of others.
const groupLimit = 256

// job is one caller's write: a function, or a single statement.
type job struct {
	ctx     context.Context
	fn      func(context.Context, *Tx) error
	stmt    Statement
	dest    []any
	wantRow bool

	changed int64
	taken   atomic.Bool // by the writer, or by the caller who gave up
	err     error       // its own outcome, before the commit
	done    chan error
}

// writer owns the only writing connection. One goroutine takes the jobs that
// wait, runs them in one transaction and commits; a second one makes the commit
// durable and answers all of them, while the first runs the next jobs.
type writer struct {
	conn     *sqliteConn
	limit    int
	onBegin  func()
	log      *syncedLog
	commits  chan commit     // at most one, whose log is being synced
	synced   <-chan struct{} // of the last commit; closed when it is durable
	failed   chan struct{}
	failOnce sync.Once
	ended    chan struct{}

	mu     sync.Mutex
	queue  []*job
	wake   chan struct{} // holds one token when queue may be non-empty
	closed bool

	transactions, writes atomic.Int64
	lastGroup            int
}

func newWriter(h *handle, limit int, onBegin func(), log *syncedLog) *writer {
	nothing := make(chan struct{})
	close(nothing)
	w := &writer{
		conn:  &sqliteConn{handle: h},
		limit: limit, onBegin: onBegin, log: log, commits: make(chan commit), synced: nothing,
		failed: make(chan struct{}), ended: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	go w.run()
	go w.syncCommits()
	return w
}

// do queues a job and waits for its outcome.
func (w *writer) do(j *job) error {
	j.done = make(chan error, 1)
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		return ErrClosed
	case w.hasFailed():
		w.mu.Unlock()
		return ErrFailed
	case len(w.queue) >= w.limit:
		w.mu.Unlock()
		return fmt.Errorf("%w: too many writes are waiting", ErrUnavailable)
	}
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	w.signal()
	select {
	case err := <-j.done:
		return err
	case <-j.ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return j.ctx.Err()
		}
		return <-j.done // it has begun; its real outcome is near
	}
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take removes up to n jobs from the queue, leaving out withdrawn ones.
func (w *writer) take(n int) []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	var group []*job
	i := 0
	for ; i < len(w.queue) && len(group) < n; i++ {
		if j := w.queue[i]; j.taken.CompareAndSwap(false, true) {
			group = append(group, j)
		}
	}
	rest := copy(w.queue, w.queue[i:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
	return group
}

func (w *writer) run() {
	for range w.wake {
		for {
			group := w.take(groupLimit)
			if len(group) == 0 {
				break
			}
			w.commitGroup(group)
		}
		w.mu.Lock()
		end := w.closed && len(w.queue) == 0
		w.mu.Unlock()
		if end {
			close(w.commits)
			return
		}
	}
}

// commitGroup runs the jobs, and those that arrive meanwhile, in one transaction.
func (w *writer) commitGroup(group []*job) {
	finished := false
	defer func() {
		if finished {
			return
		}
		// A function ended its goroutine (runtime.Goexit). Undo, answer, and let a
		// new goroutine go on.
		w.abandon(group, errors.New("db: a write ended its goroutine"))
		go func() { w.signal(); w.run() }()
	}()
	if err := w.begin(); err != nil {
		w.answer(group, err)
		finished = true
		return
	}
	for next := 0; next < len(group) && !w.conn.lost; {
		w.runJob(group[next])
		if next++; next == len(group) {
			group = append(group, w.join(len(group))...)
		}
	}
	w.lastGroup = len(group)
	switch {
	case w.conn.lost:
		w.abandon(group, fmt.Errorf("%w: the shared transaction was rolled back", ErrUnavailable))
	default:
		if err := w.commit(); err != nil {
			w.abandon(group, err)
		} else {
			w.handOver(group)
		}
	}
	finished = true
}

// join takes the jobs that have arrived, and those that arrive while the commit
// before is still on its way to the disk.
func (w *writer) join(size int) []*job {
	for size < groupLimit {
		if more := w.take(groupLimit - size); len(more) > 0 {
			return more
		}
		select {
		case <-w.synced:
			return w.lateJobs(size)
		case <-w.wake:
		}
	}
	<-w.synced
	return nil
}

// lateJobs are those of callers who are probably on their way back, since the
// group before was larger: let them run before the commit.
func (w *writer) lateJobs(size int) []*job {
	more := w.take(groupLimit - size)
	for yields := 0; len(more) == 0 && size < w.lastGroup && yields < 3; yields++ {
		runtime.Gosched()
		more = w.take(groupLimit - size)
	}
	return more
}

// runJob runs one job. A single statement undoes itself when it fails; a
// function gets a savepoint.
func (w *writer) runJob(j *job) {
	if j.err = j.ctx.Err(); j.err != nil {
		return
	}
	if j.fn == nil {
		j.err = w.runStatement(j)
		return
	}
	if _, j.err = w.conn.exec(j.ctx, "SAVEPOINT job", nil); j.err != nil {
		return
	}
	j.err = w.runFunction(j)
	end := []string{"RELEASE job"}
	if j.err != nil {
		end = []string{"ROLLBACK TO job", "RELEASE job"}
	}
	for _, stmt := range end {
		if w.conn.lost {
			return
		}
		if _, err := w.conn.exec(j.ctx, stmt, nil); err != nil {
			w.conn.lost = true
			j.err = errors.Join(j.err, err)
		}
	}
}

func (w *writer) runStatement(j *job) error {
	if !j.wantRow {
		var err error
		j.changed, err = w.conn.exec(j.ctx, j.stmt.Text, j.stmt.Args)
		return err
	}
	rows, err := w.conn.query(j.ctx, j.stmt.Text, j.stmt.Args)
	if err != nil {
		return err
	}
	if err = scanOne(rows, j.dest); err != nil && !errors.Is(err, ErrNoRow) && !sparesTransaction(err) {
		w.conn.lost = true
	}
	return err
}

func (w *writer) runFunction(j *job) (err error) {
	returned := false
	tx := &Tx{conn: w.conn}
	defer func() {
		tx.failed = errors.New("db: transaction is over")
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	err = j.fn(context.WithValue(j.ctx, insideWrite{}, true), tx)
	returned = true
	if err == nil {
		err = tx.failed
	}
	return err
}

func (w *writer) fail() { w.failOnce.Do(func() { close(w.failed) }) }

func (w *writer) hasFailed() bool {
	select {
	case <-w.failed:
		return true
	default:
		return false
	}
}

func (w *writer) stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Stats{Transactions: w.transactions.Load(), Writes: w.writes.Load(), Waiting: len(w.queue)}
}

// close lets the queue run empty, then ends the goroutine and the connection.
func (w *writer) close() error {
	w.mu.Lock()
	already := w.closed
	w.closed = true
	w.mu.Unlock()
	if already {
		return nil
	}
	w.signal()
	<-w.ended
	return errors.Join(w.conn.handle.close(), w.log.close())
}
