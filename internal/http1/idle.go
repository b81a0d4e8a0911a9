package http1

import (
	"sync"
	"time"
)

// idle are the connections that nobody uses, the one used last at the end.
type idle struct {
	longest time.Duration

	mu    sync.Mutex
	conns []*conn
	sweep *time.Timer // nil: there is none to close later
}

// take gives the connection that was used last, if it is alive; nil: there is none.
func (i *idle) take() *conn {
	for {
		c := i.pop()
		if c == nil || c.alive() {
			return c
		}
		_ = c.Close() // the server did, or it speaks out of turn
	}
}

func (i *idle) pop() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := len(i.conns)
	if n == 0 {
		return nil
	}
	c := i.conns[n-1]
	i.conns[n-1] = nil
	i.conns = i.conns[:n-1]
	return c
}

// put keeps a connection for the next call.
func (i *idle) put(c *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	c.since = time.Now()
	i.conns = append(i.conns, c)
	if i.sweep == nil {
		i.sweep = time.AfterFunc(i.longest, i.closeOld)
	}
}

// closeOld closes what was not used for the longest time, and comes again while any is
// left.
func (i *idle) closeOld() {
	i.mu.Lock()
	defer i.mu.Unlock()
	keep := time.Now().Add(-i.longest)
	n := 0
	for n < len(i.conns) && !i.conns[n].since.After(keep) {
		_ = i.conns[n].Close() // nobody waits for it
		n++
	}
	i.conns = append([]*conn(nil), i.conns[n:]...)
	if len(i.conns) == 0 {
		i.sweep = nil
		return
	}
	i.sweep.Reset(i.conns[0].since.Sub(keep) + time.Millisecond)
}

// closeAll closes all of them.
func (i *idle) closeAll() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, c := range i.conns {
		_ = c.Close() // nobody waits for it
	}
	i.conns = nil
	if i.sweep != nil {
		i.sweep.Stop()
		i.sweep = nil
	}
}
