package http1_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/http1"
)

// Of what comes beside an answer nothing is taken for the next one: the connection is
// given up.
//
// attack: B.114
func TestNothingIsTakenForAnotherAnswer(t *testing.T) {
	forged := "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
	for name, answer := range map[string]func(net.Conn){
		"at once": func(c net.Conn) { _, _ = io.WriteString(c, ok+forged) },
		"a little late": func(c net.Conn) {
			_, _ = io.WriteString(c, ok)
			time.Sleep(30 * time.Millisecond)
			_, _ = io.WriteString(c, forged)
		},
		"closes": func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"+forged)
		},
		"old": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"+forged) },
	} {
		t.Run(name, func(t *testing.T) {
			up := scripted(t, func(conn net.Conn, next func() *http.Request) {
				for next() != nil {
					answer(conn)
				}
			})
			tr := newTransport(t, up.url)
			for range 3 {
				if _, got, err := get(t, tr, up.url); err != nil || got != "ok" {
					t.Errorf("%q %v", got, err)
				}
				time.Sleep(60 * time.Millisecond)
			}
			if n := up.connections.Load(); n != 3 {
				t.Errorf("%d connections, want 3", n)
			}
		})
	}
}

// An answer that was not read to its end takes its connection along.
func TestAnAnswerLeftUnread(t *testing.T) {
	up := scripted(t, func(conn net.Conn, next func() *http.Request) {
		for next() != nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\none")
			time.Sleep(20 * time.Millisecond)
			_, _ = io.WriteString(conn, "other")
		}
	})
	tr := newTransport(t, up.url)
	for range 3 {
		resp, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, up.url, nil))
		if err != nil {
			t.Fatal(err)
		}
		part := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, part); err != nil || string(part) != "one" {
			t.Errorf("%q %v", part, err)
		}
		_ = resp.Body.Close()
		if n, err := resp.Body.Read(part); n != 0 || err == nil {
			t.Errorf("read %d bytes of a closed body: %v", n, err)
		}
	}
	if n := up.connections.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

// A server closes an idle connection whenever it likes. Reading is asked for again; what
// may change something is sent once, and over a connection known to be closed not at all.
func TestConnectionsThatBreakWhileIdle(t *testing.T) {
	once := func(conn net.Conn, next func() *http.Request) {
		if next() != nil {
			_, _ = io.WriteString(conn, ok)
		}
		next() // reads the second, and breaks
	}
	call := func(method string, body string) (requests, connections int32, err error) {
		up := scripted(t, once)
		tr := newTransport(t, up.url)
		if _, _, err := get(t, tr, up.url); err != nil {
			t.Fatal(err)
		}
		_, _, err = finish(tr.RoundTrip(request(t, t.Context(), method, up.url, strings.NewReader(body))))
		return up.requests.Load(), up.connections.Load(), err
	}
	if requests, connections, err := call(http.MethodGet, ""); err != nil || requests != 3 || connections != 2 {
		t.Errorf("GET: %d requests over %d connections: %v", requests, connections, err)
	}
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodPatch} {
		if requests, _, err := call(method, "change"); err == nil || requests != 2 {
			t.Errorf("%s was sent %d times in two calls: %v", method, requests, err)
		}
	}
	if requests, _, err := call(http.MethodDelete, ""); err == nil || requests != 2 {
		t.Errorf("DELETE without a body was sent %d times in two calls: %v", requests, err)
	}
	// closed before: nobody could have read it, and it is sent over a new one
	up := scripted(t, func(conn net.Conn, next func() *http.Request) {
		if next() != nil {
			_, _ = io.WriteString(conn, ok)
		}
	})
	tr := newTransport(t, up.url)
	for range 3 {
		if _, got, err := finish(tr.RoundTrip(request(t, t.Context(), http.MethodPut, up.url, strings.NewReader("change")))); err != nil || got != "ok" {
			t.Errorf("%q %v", got, err)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// A GET that a new connection does not answer either is not asked for a third time.
func TestAServerThatNeverAnswers(t *testing.T) {
	up := scripted(t, func(_ net.Conn, next func() *http.Request) { next() })
	tr := newTransport(t, up.url)
	if _, _, err := get(t, tr, up.url); err == nil || up.requests.Load() != 1 {
		t.Errorf("%d requests: %v", up.requests.Load(), err)
	}
}

// A server may refuse a large body before it has read it; its answer counts.
func TestAnAnswerBeforeTheRequestIsRead(t *testing.T) {
	up := scripted(t, func(conn net.Conn, _ func() *http.Request) {
		_, _ = io.ReadFull(conn, make([]byte, 100))
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.CopyN(io.Discard, conn, 1<<20)
	})
	tr := newTransport(t, up.url)
	for range 3 {
		status, got, err := finish(tr.RoundTrip(request(t, t.Context(), http.MethodPut, up.url, strings.NewReader(strings.Repeat("x", 8<<20)))))
		if status != http.StatusRequestEntityTooLarge && err == nil || err == nil && got != "large" {
			t.Errorf("%d %q %v", status, got, err)
		}
	}
	if n := up.connections.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

// A request whose body breaks off is not waited for.
func TestARequestThatIsNotWhole(t *testing.T) {
	up := scripted(t, func(conn net.Conn, next func() *http.Request) { next() })
	tr := newTransport(t, up.url)
	req := request(t, t.Context(), http.MethodPut, up.url, io.MultiReader(strings.NewReader("half"), broken{}))
	began := time.Now()
	if _, _, err := finish(tr.RoundTrip(req)); err == nil || !strings.Contains(err.Error(), "broke off") || time.Since(began) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("it broke off") }

// Connections that nobody uses are closed after a while, and those in use are not.
func TestIdleConnectionsAreClosed(t *testing.T) {
	closed := make(chan struct{}, 10)
	up := scripted(t, func(conn net.Conn, next func() *http.Request) {
		for next() != nil {
			_, _ = io.WriteString(conn, ok)
		}
		closed <- struct{}{}
	})
	tr := newTransport(t, up.url, func(c *http1.Config) { c.IdleTime = 100 * time.Millisecond })
	for range 10 { // longer in all than any may be idle
		if _, _, err := get(t, tr, up.url); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if n := up.connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Error("it is still open")
	}
	if _, got, err := get(t, tr, up.url); err != nil || got != "ok" {
		t.Errorf("%q %v", got, err)
	}
}
