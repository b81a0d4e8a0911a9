package door_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
)

// What peers are counted by.
//
// attack: LG-30
func TestNetwork(t *testing.T) {
	for peer, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::": "2001:db8:1:2::/64", "::1": "::/64",
	} {
		if got := door.Network(netip.MustParseAddr(peer)); got != want {
			t.Errorf("%s is counted as %s, want %s", peer, got, want)
		}
	}
}

// accepted says whether a connection is served: a refused one is closed before
// anything of it is read.
func accepted(t *testing.T, address string) (net.Conn, bool) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"); err != nil {
		return c, false
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = c.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("neither served nor closed")
	}
	return c, err == nil
}

// One network holds no more than its share of connections; a place that is given
// back can be taken again, and a proxy of ours is not counted.
//
// attack: E-37
func TestConnectionsOfANetworkAreBounded(t *testing.T) {
	serve := func(exempt func(netip.Addr) bool) (address string, refused *atomic.Int32) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		refused = &atomic.Int32{}
		server := door.NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		ended := make(chan error, 1)
		tell := func() {
			time.Sleep(50 * time.Millisecond) // it is counted before the peer can know
			refused.Add(1)
		}
		go func() { ended <- server.Serve(door.PerNetwork(l, 2, exempt, tell)) }()
		t.Cleanup(func() {
			_ = server.Close()
			<-ended
		})
		return l.Addr().String(), refused
	}
	address, refused := serve(nil)
	first, one := accepted(t, address)
	_, two := accepted(t, address)
	_, three := accepted(t, address)
	if !one || !two || three || refused.Load() != 1 {
		t.Fatalf("served: %v %v %v, %d refused", one, two, three, refused.Load())
	}
	_ = first.Close()
	// The server learns of the end in its own time, which a busy machine makes long.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, again := accepted(t, address); again {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a place that was given back is not taken again")
		}
	}
	address, refused = serve(func(peer netip.Addr) bool { return peer.IsLoopback() })
	for range 5 {
		if _, ok := accepted(t, address); !ok || refused.Load() != 0 {
			t.Error("a connection of an exempt peer was refused")
		}
	}
}

// A route that asks for little is not held up for as long as one that asks for much.
//
// attack: E-37
func TestRoutesHaveTheirOwnPatience(t *testing.T) {
	failed := make(chan error, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/in", func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	mux.HandleFunc("/out", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for block := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(block)
		}
		failed <- err
	})
	log := slog.New(slog.DiscardHandler)
	h, err := door.Chain(door.Options{
		Hosts: []string{"example.org"}, Log: log, Unclean: http.NotFoundHandler(),
		Patience: func(*http.Request) (read, write time.Duration) { return 50 * time.Millisecond, 50 * time.Millisecond },
	}, mux)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := door.NewServer(h, log)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	for name, head := range map[string]string{
		"a body that does not come":   "POST /in HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\n",
		"an answer that nobody takes": "GET /out HTTP/1.1\r\nHost: example.org\r\n\r\n",
	} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-failed:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(20 * time.Second): // the server's own limits are 30 and 60 seconds
			t.Errorf("%s: the server waits", name)
		}
		_ = c.Close()
	}
}
