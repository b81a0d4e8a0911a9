package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Config says which server, and within which bounds. All but TLS is required.
type Config struct {
	// Server is scheme (http or https), host and port; the rest of it is ignored.
	Server *url.URL
	// TLS is for https; nil: the system's authorities.
	TLS *tls.Config
	// DialTimeout is how long a connection may take to be made, handshake included.
	DialTimeout time.Duration
	// IdleTime is how long a connection is kept that nobody uses.
	IdleTime time.Duration
	// MaxConnections is how many there are at most; callers wait for a place.
	MaxConnections int
	// MaxHeaders is how large the head of an answer may be, in bytes.
	MaxHeaders int64
	// ReadBuffer is the size of what is read at once, in bytes.
	ReadBuffer int
}

// Transport makes calls to one server. It is safe for concurrent use.
type Transport struct {
	cfg     Config
	address string
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	places  chan struct{}
	idle    idle
}

var _ http.RoundTripper = (*Transport)(nil)

// New makes a Transport; it refuses a server that is none, and bounds that are missing.
func New(cfg Config) (*Transport, error) {
	port := map[string]string{"http": "80", "https": "443"}
	if cfg.Server == nil || cfg.Server.Hostname() == "" || port[cfg.Server.Scheme] == "" {
		return nil, errors.New("http1: the server must be http or https, with a host")
	}
	if cfg.DialTimeout <= 0 || cfg.IdleTime <= 0 || cfg.MaxConnections <= 0 || cfg.MaxHeaders <= 0 || cfg.ReadBuffer <= 0 {
		return nil, errors.New("http1: a bound is missing")
	}
	t := &Transport{cfg: cfg, connect: new(net.Dialer).DialContext, places: make(chan struct{}, cfg.MaxConnections), idle: idle{longest: cfg.IdleTime}}
	t.address = net.JoinHostPort(cfg.Server.Hostname(), firstOf(cfg.Server.Port(), port[cfg.Server.Scheme]))
	if cfg.Server.Scheme == "https" {
		security := cfg.TLS.Clone()
		if security == nil {
			security = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		if security.ServerName == "" {
			security.ServerName = cfg.Server.Hostname()
		}
		security.NextProtos = []string{"http/1.1"}
		t.cfg.TLS = security
	}
	return t, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// CloseIdle closes the connections that nobody uses now.
func (t *Transport) CloseIdle() { t.idle.closeAll() }

// RoundTrip implements http.RoundTripper. Its errors and those of the Body are the
// context's, when that has ended, a *net.OpError of Op "dial", when nobody answers, and
// of any kind otherwise. The Body is read and closed by one goroutine.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if req.URL.Scheme != t.cfg.Server.Scheme || req.URL.Host != t.cfg.Server.Host {
		closeBody(req)
		return nil, fmt.Errorf("http1: %s://%s is not the server of these calls", req.URL.Scheme, req.URL.Host)
	}
	select {
	case t.places <- struct{}{}:
	case <-ctx.Done():
		closeBody(req)
		return nil, ctx.Err()
	}
	resp, err := t.exchange(ctx, req)
	if err != nil {
		t.leave()
	}
	return resp, err
}

// leave gives a place back.
func (t *Transport) leave() { <-t.places }

// exchange makes the call over a connection that is idle, or over a new one.
func (t *Transport) exchange(ctx context.Context, req *http.Request) (*http.Response, error) {
	if c := t.idle.take(); c != nil {
		resp, err := t.ask(ctx, c, req)
		if err == nil || c.answered || !repeatable(req) || ctx.Err() != nil {
			return resp, err
		}
	}
	c, err := t.dial(ctx)
	if err != nil {
		closeBody(req)
		return nil, ended(ctx, err)
	}
	return t.ask(ctx, c, req)
}

// repeatable: a server that closed an idle connection in this moment may have read it,
// and reading changes nothing.
func repeatable(req *http.Request) bool {
	return req.Method == http.MethodGet && (req.Body == nil || req.Body == http.NoBody)
}

// ask makes the call over one connection, which is closed when it fails.
func (t *Transport) ask(ctx context.Context, c *conn, req *http.Request) (*http.Response, error) {
	c.begin(ctx, t.cfg.MaxHeaders)
	resp, err := c.call(req)
	if err != nil {
		c.abandon()
		return nil, ended(ctx, err)
	}
	b := &body{from: resp.Body, conn: c, ctx: ctx, t: t, last: resp.Close || req.Close}
	if resp.Body == http.NoBody {
		b.end()
	} else {
		resp.Body = b
	}
	return resp, nil
}

// dial makes a connection.
func (t *Transport) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.DialTimeout)
	defer cancel()
	raw, err := t.connect(ctx, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	if t.cfg.Server.Scheme == "http" {
		return newConn(raw, raw, t.cfg.ReadBuffer), nil
	}
	secure := tls.Client(raw, t.cfg.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the handshake's error says more
		return nil, err
	}
	return newConn(secure, raw, t.cfg.ReadBuffer), nil
}

// ended tells that the caller's time has ended rather than what that did to the
// connection.
func ended(ctx context.Context, err error) error {
	if e := ctx.Err(); e != nil {
		return e
	}
	return err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was read of it
	}
}
