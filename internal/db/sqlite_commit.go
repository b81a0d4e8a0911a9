package db

import (
	"context"
	"errors"
	"fmt"
)

// commit is a group whose transaction is in the log, and not yet known to be on disk.
type commit struct {
	group []*job
	done  chan struct{}
}

func (w *writer) begin() error {
	if w.hasFailed() {
		return ErrFailed
	}
	w.conn.lost = false
	if w.onBegin != nil {
		w.onBegin()
	}
	_, err := w.conn.exec(context.Background(), "BEGIN IMMEDIATE", nil)
	return err
}

// commit writes the transaction into the log.
func (w *writer) commit() error {
	<-w.synced // it is, but where the transaction was lost
	if w.hasFailed() {
		return ErrFailed
	}
	if _, err := w.conn.exec(context.Background(), "COMMIT", nil); err != nil {
		if errors.Is(err, ErrFailed) {
			w.fail()
		}
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// handOver leaves the rest of a commit to syncCommits.
func (w *writer) handOver(group []*job) {
	c := commit{group, make(chan struct{})}
	w.synced = c.done
	w.commits <- c
}

// syncCommits makes each commit durable, and then answers its callers.
func (w *writer) syncCommits() {
	for c := range w.commits {
		err := w.log.sync()
		if err != nil {
			w.fail()
		} else {
			w.transactions.Add(1)
		}
		close(c.done) // Order: the next commit need not wait for the answers to this one.
		w.answer(c.group, err)
	}
	close(w.ended)
}

// abandon rolls the transaction back and answers everyone: with their own error
// where they have one, else with err.
func (w *writer) abandon(group []*job, err error) {
	_, _ = w.conn.exec(context.Background(), "ROLLBACK", nil) // fails when SQLite has done it already
	for _, j := range group {
		if errors.Is(j.err, ErrFailed) {
			w.fail()
		}
	}
	w.answer(group, err)
}

func (w *writer) answer(group []*job, err error) {
	for _, j := range group {
		if j.err == nil || errors.Is(j.err, ErrNoRow) && err != nil {
			j.err = err
		}
		if j.err == nil {
			w.writes.Add(1)
		}
		j.done <- j.err
	}
}
