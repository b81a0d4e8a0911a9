package http1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/emberlatch/emberlatch/internal/http1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTransport speaks to a server; connections that are left over are closed at the end.
func newTransport(tb testing.TB, server string, change ...func(*http1.Config)) *http1.Transport {
	tb.Helper()
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	cfg := http1.Config{Server: u, DialTimeout: 5 * time.Second, IdleTime: time.Minute, MaxConnections: 64, MaxHeaders: 16 << 10, ReadBuffer: 4 << 10}
	for _, f := range change {
		f(&cfg)
	}
	t, err := http1.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(t.CloseIdle)
	return t
}

func trusting(pool *tls.Config) func(*http1.Config) {
	return func(c *http1.Config) { c.TLS = pool }
}

// script is a server that speaks TCP: it does with each connection what the test says.
type script struct {
	url         string
	connections atomic.Int32
	requests    atomic.Int32
}

// scripted serves each connection by one call of answer, which gets every request that
// comes; the connection ends with it.
func scripted(tb testing.TB, answer func(conn net.Conn, next func() *http.Request)) *script {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &script{url: "http://" + l.Addr().String()}
	done := make(chan struct{})
	tb.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			go s.serve(conn, answer)
		}
	}()
	return s
}

func (s *script) serve(conn net.Conn, answer func(net.Conn, func() *http.Request)) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	answer(conn, func() *http.Request {
		req, err := http.ReadRequest(r)
		if err != nil {
			return nil
		}
		s.requests.Add(1)
		_, _ = io.Copy(io.Discard, req.Body) // the next request is behind it
		return req
	})
}

func request(tb testing.TB, ctx context.Context, method, url string, body io.Reader) *http.Request {
	tb.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// get asks and reads all that comes.
func get(tb testing.TB, t http.RoundTripper, url string) (status int, body string, err error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	return finish(t.RoundTrip(request(tb, ctx, http.MethodGet, url, nil)))
}

func finish(resp *http.Response, err error) (int, string, error) {
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
