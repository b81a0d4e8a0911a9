package http1_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/http1"
)

// What net/http serves arrives, by all ways in which a body may come, and one connection
// is enough for calls one after another.
func TestACall(t *testing.T) {
	large := strings.Repeat("0123456789", 30_000)
	var connections atomic.Int32
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/chunked":
			_, _ = io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, large)
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/hints":
			w.Header().Set("Link", "</x>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, "hints")
		default:
			_, _ = io.WriteString(w, r.Method+" "+r.Header.Get("X-A")+" "+string(sent))
		}
	}))
	up.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	up.Start()
	defer up.Close()
	tr := newTransport(t, up.URL)
	for range 3 {
		for path, want := range map[string]string{"/chunked": "a" + large, "/nothing": "", "/hints": "hints", "/": "GET  "} {
			if _, got, err := get(t, tr, up.URL+path); err != nil || got != want {
				t.Errorf("%s: %.40q %v, want %.40q", path, got, err, want)
			}
		}
		req := request(t, t.Context(), http.MethodPut, up.URL, strings.NewReader(large))
		req.Header.Set("X-A", "b")
		if _, got, err := finish(tr.RoundTrip(req)); err != nil || got != "PUT b "+large {
			t.Errorf("PUT: %.40q %v", got, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// At most so many connections are open, and each answer is the one of its own call.
func TestManyAtOnce(t *testing.T) {
	var now, most atomic.Int32
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for n := now.Add(1); ; {
			if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(time.Millisecond)
		now.Add(-1)
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	defer up.Close()
	tr := newTransport(t, up.URL, func(c *http1.Config) { c.MaxConnections = 3 })
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for j := range 20 {
				path := "/" + strings.Repeat("x", i*20+j)
				if _, got, err := get(t, tr, up.URL+path); err != nil || got != path {
					t.Errorf("%s: %q %v", path, got, err)
				}
			}
		})
	}
	wg.Wait()
	if m := most.Load(); m > 3 || m < 2 {
		t.Errorf("%d at once, want at most 3 and more than one", m)
	}
}

// attack: B.16
func TestNoOtherServer(t *testing.T) {
	up := scripted(t, func(conn net.Conn, next func() *http.Request) {})
	tr := newTransport(t, "http://127.0.0.1:1")
	for _, other := range []string{up.url, "https://127.0.0.1:1/", "http://127.0.0.1/"} {
		if _, _, err := get(t, tr, other); err == nil || !strings.Contains(err.Error(), "is not the server") {
			t.Errorf("%s: %v", other, err)
		}
	}
	if up.connections.Load() != 0 {
		t.Error("another server was called")
	}
	var refused *net.OpError
	if _, _, err := get(t, tr, "http://127.0.0.1:1/"); !errors.As(err, &refused) || refused.Op != "dial" {
		t.Errorf("nobody there: %v", err)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*http1.Config){
		"no server":      func(c *http1.Config) { c.Server = nil },
		"another scheme": func(c *http1.Config) { c.Server = &url.URL{Scheme: "ftp", Host: "h"} },
		"no host":        func(c *http1.Config) { c.Server = &url.URL{Scheme: "http"} },
		"no bound":       func(c *http1.Config) { c.MaxHeaders = 0 },
		"no end":         func(c *http1.Config) { c.IdleTime = 0 },
	} {
		cfg := http1.Config{Server: &url.URL{Scheme: "http", Host: "h"}, DialTimeout: 1, IdleTime: 1, MaxConnections: 1, MaxHeaders: 1, ReadBuffer: 1}
		if _, err := http1.New(cfg); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if _, err := http1.New(cfg); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// spec: TLS-04
func TestTLS(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	up.EnableHTTP2 = true
	up.Config.ErrorLog = log.New(io.Discard, "", 0)
	var connections atomic.Int32
	up.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	up.StartTLS()
	defer up.Close()
	if _, _, err := get(t, newTransport(t, up.URL), up.URL); err == nil {
		t.Error("a certificate of nobody was trusted")
	}
	connections.Store(0)
	pool := x509.NewCertPool()
	pool.AddCert(up.Certificate())
	tr := newTransport(t, up.URL, trusting(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}))
	for range 3 {
		if _, got, err := get(t, tr, up.URL); err != nil || got != "HTTP/1.1" {
			t.Errorf("%q %v", got, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	other := newTransport(t, up.URL, trusting(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: "other.example"}))
	if _, _, err := get(t, other, up.URL); err == nil {
		t.Error("a certificate of another name was trusted")
	}
}

// A call ends with its context: while it waits for a place, for the head, for the rest of
// the body; and its connection with it.
func TestACallEndsInTime(t *testing.T) {
	up := scripted(t, func(conn net.Conn, next func() *http.Request) {
		for r := next(); r != nil; r = next() {
			switch r.URL.Path {
			case "/head":
			case "/body":
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin")
			default:
				_, _ = io.WriteString(conn, ok)
			}
		}
	})
	tr := newTransport(t, up.url, func(c *http1.Config) { c.MaxConnections = 1 })
	for _, path := range []string{"/head", "/body"} {
		for name, end := range map[string]error{"late": context.DeadlineExceeded, "given up": context.Canceled} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if end == context.Canceled {
				time.AfterFunc(20*time.Millisecond, cancel)
			}
			_, _, err := finish(tr.RoundTrip(request(t, ctx, http.MethodGet, up.url+path, nil)))
			if !errors.Is(err, end) {
				t.Errorf("%s %s: %v", path, name, err)
			}
			cancel()
			if _, got, err := get(t, tr, up.url+"/"); err != nil || got != "ok" {
				t.Fatalf("after %s %s: %q %v", path, name, got, err)
			}
		}
	}
	resp, err := tr.RoundTrip(request(t, t.Context(), http.MethodGet, up.url+"/body", nil)) // holds the one place
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := finish(tr.RoundTrip(request(t, ctx, http.MethodGet, up.url+"/", nil))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no place: %v", err)
	}
	_ = resp.Body.Close()
	if _, got, err := get(t, tr, up.url+"/"); err != nil || got != "ok" {
		t.Errorf("the place is free again: %q %v", got, err)
	}
}
