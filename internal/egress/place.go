package egress

import (
	"context"
	"net"
	"sync"
	"time"
)

// Connections in all are bounded in three rooms, so that hosts which do not answer
// hold up each other and nobody else (E-23).
const (
	inPrompt, inFresh, inSlow = 16, 16, 16
	// patience is how long a connection may be held before its host is slow.
	patience = time.Second
	// slowFor is how long a host is slow, whatever it does meanwhile.
	slowFor = 5 * time.Minute
	// maxHosts bounds the memory of hosts.
	maxHosts = 10_000
)

// room holds so many connections at once.
type room chan struct{}

// places are the rooms: of hosts that answered promptly before, of those that were not
// asked before, and of the slow ones. Order: a place is taken when a connection is
// made, after the bound of its host; callers that wait for a host which does not
// answer hold none. A connection that is held longer than patience gives its place
// back and needs one among the slow.
type places struct {
	dial                func(ctx context.Context, network, address string) (net.Conn, error)
	prompt, fresh, slow room

	mu    sync.Mutex
	hosts map[string]time.Time // by name and port: until when it is slow
}

func newPlaces(dial func(ctx context.Context, network, address string) (net.Conn, error)) *places {
	return &places{
		dial: dial, prompt: make(room, inPrompt), fresh: make(room, inFresh), slow: make(room, inSlow), hosts: map[string]time.Time{},
	}
}

// of is the room of a host.
func (p *places) of(host string) room {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, asked := p.hosts[host]
	switch {
	case !asked:
		return p.fresh
	case time.Now().Before(until):
		return p.slow
	}
	return p.prompt
}

// note remembers how a host was; one that is slow stays so until its time is over.
func (p *places) note(host string, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, asked := p.hosts[host]
	switch {
	case slow:
		until = time.Now().Add(slowFor)
	case asked:
		return
	}
	if !asked && len(p.hosts) >= maxHosts {
		clear(p.hosts)
	}
	p.hosts[host] = until
}

// enter takes a place in the host's room. A host that has become slow meanwhile gives
// it back and waits among the slow.
func (p *places) enter(ctx context.Context, host string) (room, error) {
	for {
		in := p.of(host)
		select {
		case in <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if in == p.slow || p.of(host) != p.slow {
			return in, nil
		}
		<-in
	}
}

// connect makes a connection in a place of its host's room.
func (p *places) connect(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	in, err := p.enter(ctx, address)
	if err != nil {
		return nil, err
	}
	h := &hold{places: p, host: address, in: in, end: cancel} // ended while it is being made
	h.start()
	conn, err := p.dial(ctx, network, address)
	if err != nil {
		h.leave()
		return nil, err
	}
	return h.keep(conn), nil
}

// hold is one place while it is held.
type hold struct {
	places *places
	host   string
	timer  *time.Timer

	mu   sync.Mutex
	in   room   // nil when the place was given back
	end  func() // ends what holds the place
	late bool
}

func (h *hold) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer = time.AfterFunc(patience, h.overstay)
}

// overstay moves the place to the slow ones, or ends what holds it.
func (h *hold) overstay() {
	h.places.note(h.host, true)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.late = true; h.in == nil || h.in == h.places.slow {
		return
	}
	select {
	case h.places.slow <- struct{}{}:
		<-h.in
		h.in = h.places.slow
	default:
		h.end()
		<-h.in
		h.in = nil
	}
}

// leave gives the place back, once.
func (h *hold) leave() {
	h.timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.in == nil {
		return
	}
	<-h.in
	h.in = nil
	if !h.late {
		h.places.note(h.host, false)
	}
}

// keep ties the place to the connection that was made.
func (h *hold) keep(conn net.Conn) net.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end = func() { _ = conn.Close() } // its reader sees that and closes what is placed
	return &placed{Conn: conn, hold: h}
}

// placed is a connection that gives its place back when it is closed.
type placed struct {
	net.Conn
	hold *hold
}

// Close gives the place back, once.
func (c *placed) Close() error {
	defer c.hold.leave()
	return c.Conn.Close()
}
