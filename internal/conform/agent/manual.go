package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Manual asks a human: it prints the URL and listens on the redirect URI, which
// must be on loopback.
type Manual struct {
	Out io.Writer
}

// ByHand: a human is asked.
func (Manual) ByHand() bool { return true }

// Authorize prints the request and waits for the callback, as long as ctx allows.
func (m Manual) Authorize(ctx context.Context, v Visit) (Page, error) {
	callback, err := url.Parse(v.RedirectURI)
	if err != nil || !Loopback(callback) || callback.Port() == "" {
		return Page{}, errors.New("by hand, the client needs a redirect URI on loopback with a port, such as http://127.0.0.1:9001/callback")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", callback.Host)
	if err != nil {
		return Page{}, fmt.Errorf("listening on the redirect URI: %w", err)
	}
	back := make(chan *url.URL, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: maxHeader, Handler: catch(callback, back)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	defer func() {
		_ = server.Close()
		<-done
	}()
	fmt.Fprintf(m.Out, "\nOpen this in a browser (%s):\n  %s\nWaiting on %s ...\n", v.Why, v.URL(), v.RedirectURI)
	select {
	case u := <-back:
		return Page{Left: u}, nil
	case <-ctx.Done():
		return Page{}, errors.New("nobody came back in time")
	}
}

// catch answers the callback and hands its URL over, once.
func catch(callback *url.URL, back chan<- *url.URL) http.Handler {
	path := callback.Path
	if path == "" {
		path = "/"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet || r.URL.Path != path {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		u := *callback
		u.RawQuery = r.URL.RawQuery
		select {
		case back <- &u:
		default:
		}
		_, _ = io.WriteString(w, "The answer has arrived. This window may be closed.\n")
	})
}

// Loopback reports whether the host of u is this machine.
func Loopback(u *url.URL) bool {
	if u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}
