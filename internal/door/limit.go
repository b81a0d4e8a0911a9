package door

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Network is what a peer is counted by: its address, or the /64 of an IPv6 one, for
// a household has all of it.
func Network(peer netip.Addr) string {
	peer = peer.Unmap()
	if peer.Is6() {
		if prefix, err := peer.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return peer.String()
}

// PerNetwork bounds the connections that one network holds open at once; one more
// is closed before anything of it is read (E-37). Peers that exempt names are many
// behind one address, such as a proxy of ours, and are not counted. refused is told
// of each connection that was closed; both may be nil.
func PerNetwork(l net.Listener, most int, exempt func(netip.Addr) bool, refused func()) net.Listener {
	return &limited{Listener: l, most: most, exempt: exempt, refused: refused, open: map[string]int{}}
}

type limited struct {
	net.Listener
	most    int
	exempt  func(netip.Addr) bool
	refused func()

	mu   sync.Mutex
	open map[string]int // networks that hold a connection
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		network, counted := l.network(c)
		if !counted {
			return c, nil
		}
		if l.enter(network) {
			return &held{Conn: c, leave: sync.OnceFunc(func() { l.leave(network) })}, nil
		}
		if l.refused != nil { // Order: counted before the peer can know
			l.refused()
		}
		_ = c.Close()
	}
}

func (l *limited) network(c net.Conn) (string, bool) {
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil || l.exempt != nil && l.exempt(peer.Addr()) {
		return "", false
	}
	return Network(peer.Addr()), true
}

func (l *limited) enter(network string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network] >= l.most {
		return false
	}
	l.open[network]++
	return true
}

func (l *limited) leave(network string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network]--; l.open[network] == 0 {
		delete(l.open, network)
	}
}

// held gives its place back when it is closed.
type held struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *held) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// hurry gives a request less time than the server's limits: to send the body, and
// to take the answer. What is no connection, in tests, has neither.
func hurry(w http.ResponseWriter, read, write time.Duration) {
	control, now := http.NewResponseController(w), time.Now()
	if read > 0 {
		_ = control.SetReadDeadline(now.Add(read))
	}
	if write > 0 {
		_ = control.SetWriteDeadline(now.Add(write))
	}
}
