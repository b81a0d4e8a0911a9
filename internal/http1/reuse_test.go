package http1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/http1"
)

// Of what comes beside an answer nothing is taken for the next one: the connection is
// given up.
//
// attack: B.114
func TestNothingIsTakenForAnotherAnswer(t *testing.T) {
	read, sent := make(chan struct{}), make(chan struct{})
	for name, answer := range map[string]func(net.Conn){
		"at once": func(c net.Conn) { _, _ = io.WriteString(c, ok+forged) },
		"late": func(c net.Conn) {
			_, _ = io.WriteString(c, ok)
			<-read
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
					sent <- struct{}{}
				}
			})
			tr := newTransport(t, up.url)
			for range 3 {
				if _, got, err := get(t, tr, up.url); err != nil || got != "ok" {
					t.Errorf("%q %v", got, err)
				}
				if name == "late" {
					read <- struct{}{}
				}
				<-sent // over loopback: written is arrived
			}
			if n := up.connections.Load(); n != 3 {
				t.Errorf("%d connections, want 3", n)
			}
		})
	}
}

const forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"

// With TLS, what came in the same segment as an answer is not on the socket any longer
// when somebody looks there: it waits in a record of its own.
//
// attack: B.114
func TestNothingIsTakenForAnotherAnswerOverTLS(t *testing.T) {
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	pool := x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	up := scripted(t, func(conn net.Conn, _ func() *http.Request) {
		segment := &atOnce{Conn: conn}
		secure := tls.Server(segment, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certified.TLS.Certificates})
		for r := bufio.NewReader(secure); ; {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			segment.held = []byte{}
			_, _ = io.WriteString(secure, ok)
			_, _ = io.WriteString(secure, forged)
			segment.send()
		}
	})
	tr := newTransport(t, "https"+strings.TrimPrefix(up.url, "http"), trusting(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}))
	for range 3 {
		if _, got, err := get(t, tr, "https"+strings.TrimPrefix(up.url, "http")); err != nil || got != "ok" {
			t.Errorf("%q %v", got, err)
		}
	}
	if n := up.connections.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

// atOnce holds what is written, and sends it as one.
type atOnce struct {
	net.Conn
	held []byte // nil: nothing is held back
}

func (a *atOnce) Write(p []byte) (int, error) {
	if a.held == nil {
		return a.Conn.Write(p)
	}
	a.held = append(a.held, p...)
	return len(p), nil
}

func (a *atOnce) send() {
	_, _ = a.Conn.Write(a.held)
	a.held = nil
}

// An answer that was not read to its end takes its connection along.
func TestAnAnswerLeftUnread(t *testing.T) {
	left := make(chan struct{})
	up := scripted(t, func(conn net.Conn, next func() *http.Request) {
		for next() != nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\none")
			<-left
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
		left <- struct{}{}
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
	closed := make(chan struct{})
	up := scripted(t, func(conn net.Conn, next func() *http.Request) {
		if next() != nil {
			_, _ = io.WriteString(conn, ok)
		}
		_ = conn.Close()
		closed <- struct{}{}
	})
	tr := newTransport(t, up.url)
	for range 3 {
		if _, got, err := finish(tr.RoundTrip(request(t, t.Context(), http.MethodPut, up.url, strings.NewReader("change")))); err != nil || got != "ok" {
			t.Errorf("%q %v", got, err)
		}
		<-closed
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

// A server may refuse a large body before it has read it; its answer counts, and the
// connection, with half a request on it, is given up.
func TestAnAnswerBeforeTheRequestIsRead(t *testing.T) {
	up := scripted(t, func(conn net.Conn, _ func() *http.Request) {
		if _, err := io.ReadFull(conn, make([]byte, 100)); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge")
		}
		_, _ = io.Copy(io.Discard, conn)
	})
	tr := newTransport(t, up.url)
	tr.ConnectBy(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &impatient{TCPConn: conn.(*net.TCPConn)}, nil //nolint:forcetypeassert // TCP was asked for
	})
	for range 3 {
		status, got, err := finish(tr.RoundTrip(request(t, t.Context(), http.MethodPut, up.url, strings.NewReader(strings.Repeat("x", 1<<20)))))
		if err != nil || status != http.StatusRequestEntityTooLarge || got != "large" {
			t.Errorf("%d %q %v", status, got, err)
		}
	}
	if n := up.connections.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

// impatient is a connection that takes one piece of a request and no more.
type impatient struct {
	*net.TCPConn
	began bool
}

func (i *impatient) Write(p []byte) (int, error) {
	if i.began {
		return 0, syscall.EPIPE
	}
	i.began = true
	return i.TCPConn.Write(p)
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
	tr := newTransport(t, up.url, func(c *http1.Config) { c.IdleTime = time.Second })
	for range 12 { // longer in all than any may be idle
		if _, _, err := get(t, tr, up.url); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if n := up.connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("it is still open")
	}
	if _, got, err := get(t, tr, up.url); err != nil || got != "ok" {
		t.Errorf("%q %v", got, err)
	}
}
