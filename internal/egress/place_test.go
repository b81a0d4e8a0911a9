package egress_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emberlatch/emberlatch/internal/egress"
)

// However many silent hosts somebody has registered, a host that answers is asked: one
// that has answered before at once, and a new one as soon as patience with new ones
// is over.
//
// attack: E-23
func TestSilentHostsHoldUpNobodyElse(t *testing.T) {
	release := make(chan struct{})
	answering, roots := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) })
	another, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) })
	roots.AddCert(another.Certificate())
	c := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots})
	if _, err := get(t, c, answering.URL); err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	for range 16 {
		silent, _ := server(t, func(http.ResponseWriter, *http.Request) { <-release })
		roots.AddCert(silent.Certificate())
		for range 4 {
			waiting.Go(func() { _, _ = c.Get(context.Background(), silent.URL, limit) })
		}
	}
	t.Cleanup(func() { close(release); waiting.Wait() })
	time.Sleep(200 * time.Millisecond) // all of them wait
	for name, s := range map[string]string{"that has answered before": answering.URL, "that is new": another.URL} {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // the silent ones would be given up after five
		defer cancel()
		if got, err := c.Get(ctx, s, limit); err != nil || string(got.Body) != "x" {
			t.Errorf("a host %s: %q, %v", name, got.Body, err)
		}
	}
}

// network is one whose hosts are reached at once, or never, and whose connections are
// held until they are closed.
type network struct{ closed chan struct{} }

func (n network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	if address == "blackhole:443" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	here, there := net.Pipe()
	go func() { // the other end sees that it was closed
		_, _ = there.Read(make([]byte, 1))
		n.closed <- struct{}{}
	}()
	return here, nil
}

// A connection that is held too long gives its place to others: it goes on among the
// slow while there is room, and is ended when there is none.
func TestWhoOverstaysMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network{make(chan struct{}, 100)}
		p := egress.NewPlaces(n.dial)
		began := time.Now()
		var held []net.Conn
		for i := range 48 { // sixteen at once are new
			conn, err := p(t.Context(), "tcp", fmt.Sprintf("silent%d:443", i))
			if err != nil {
				t.Fatalf("%d: %v after %v", i, err, time.Since(began))
			}
			held = append(held, conn)
		}
		synctest.Wait()
		if took := time.Since(began); took != 2*time.Second || len(n.closed) != 16 {
			t.Errorf("%d were ended in %v", len(n.closed), took) // 32 are late, 16 of them are waited for
		}
		t.Log("whoever was slow waits among the slow; whoever is new does not")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := p(ctx, "tcp", "silent0:443"); err == nil {
			t.Error("a slow host got a place of others")
		}
		conn, err := p(t.Context(), "tcp", "new:443")
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		t.Log("who was prompt once has a room without new ones, and loses it by being slow")
		if conn, err = p(t.Context(), "tcp", "new:443"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond)
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := p(ctx, "tcp", "new:443"); err == nil {
			t.Error("a host that is slow now got a place of others")
		}
		for _, c := range append(held, conn) {
			_ = c.Close()
			_ = c.Close()
		}
		t.Log("a host that cannot be reached holds a place no longer either")
		for range 30 {
			if _, err := p(t.Context(), "tcp", "blackhole:443"); err == nil {
				t.Error("reached")
			}
		}
		time.Sleep(6 * time.Minute)
		for i := range 12 {
			if conn, err := p(t.Context(), "tcp", fmt.Sprintf("silent%d:443", i)); err != nil {
				t.Errorf("after its time: %v", err)
			} else {
				_ = conn.Close()
			}
		}
	})
}
