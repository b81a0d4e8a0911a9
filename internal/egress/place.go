package egress

import (
	"context"
	"net"
	"sync"
)

// places bounds the connections in all. Order: one is taken when a connection is
// made, after the bound of its host; callers that wait for a host which does not
// answer hold none, so that they hold up nobody else.
type places struct {
	dialer *net.Dialer
	taken  chan struct{}
}

func (p places) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case p.taken <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := p.dialer.DialContext(ctx, network, address)
	if err != nil {
		<-p.taken
		return nil, err
	}
	return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-p.taken })}, nil
}

// placed is a connection that gives its place back when it is closed.
type placed struct {
	net.Conn
	leave func()
}

// Close gives the place back, once.
func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
