package db

import (
	"context"
	"errors"
	"sync"
)

// readers are the connections of a database that only read, opened when they are needed.
// A caller waits for one until its own time ends.
type readers struct {
	open   func() (*handle, error)
	places chan struct{} // one for each connection that is in use

	mu     sync.Mutex
	idle   []*handle // the one used last at the end
	closed bool
}

func newReaders(most int, open func() (*handle, error)) *readers {
	return &readers{open: open, places: make(chan struct{}, most)}
}

// take gives a connection to one caller, who gives it back.
func (r *readers) take(ctx context.Context) (*handle, error) {
	select {
	case r.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h, err := r.next()
	if err != nil {
		<-r.places
	}
	return h, err
}

func (r *readers) next() (*handle, error) {
	r.mu.Lock()
	closed, n := r.closed, len(r.idle)
	var h *handle
	if n > 0 {
		h = r.idle[n-1]
		r.idle = r.idle[:n-1]
	}
	r.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case h != nil:
		return h, nil
	}
	h, err := r.open()
	return h, sqliteError(err)
}

func (r *readers) giveBack(h *handle) {
	r.mu.Lock()
	closed := r.closed
	if !closed {
		r.idle = append(r.idle, h)
	}
	r.mu.Unlock()
	if closed {
		_ = h.close() // the database was closed meanwhile, and nobody waits
	}
	<-r.places
}

// query runs a statement on a connection of its own. interrupted: it breaks off when ctx
// ends.
func (r *readers) query(ctx context.Context, interrupted bool, text string, args []any) (Rows, error) {
	h, err := r.take(ctx)
	if err != nil {
		return nil, err
	}
	if !interrupted {
		ctx = context.WithoutCancel(ctx)
	}
	rows, err := h.query(ctx, text, args, sqliteError, func() { r.giveBack(h) })
	if err != nil {
		r.giveBack(h)
		return nil, err
	}
	return rows, nil
}

// close closes what nobody uses; what somebody does is closed when it is given back.
func (r *readers) close() error {
	r.mu.Lock()
	idle := r.idle
	r.idle, r.closed = nil, true
	r.mu.Unlock()
	var errs []error
	for _, h := range idle {
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}
