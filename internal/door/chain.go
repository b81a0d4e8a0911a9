package door

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// Options of the chain; Hosts and Log are required.
type Options struct {
	// Hosts are the only Host headers that are answered.
	Hosts []string
	// Secure: browsers come over https, so they are told to keep doing so.
	Secure bool
	Log    *slog.Logger
	// Unclean answers paths that a router would rewrite (dots, double slashes): they
	// are never cleaned, so that no check sees another path than the one that was
	// asked for. Required.
	Unclean http.Handler
	// Observe is called for each answered request with its route pattern; may be nil.
	Observe func(route string, status int, took time.Duration)
}

// Chain is what every request of the public listener passes before its route.
func Chain(o Options, routes *http.ServeMux) (http.Handler, error) {
	if len(o.Hosts) == 0 || o.Log == nil || o.Unclean == nil {
		return nil, errors.New("door: a part is missing")
	}
	hosts := map[string]bool{}
	for _, h := range o.Hosts {
		hosts[strings.ToLower(h)] = true
	}
	return &chain{o, hosts, routes}, nil
}

type chain struct {
	options Options
	hosts   map[string]bool
	routes  *http.ServeMux
}

type requestIDKey struct{}

// RequestID is the id of the request, the same in the log, in answers and on
// error pages.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// ServeHTTP implements http.Handler.
func (c *chain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id := requestID(r)
	h := w.Header()
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if c.options.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	out := &recorder{ResponseWriter: w}
	r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
	c.serve(out, r)
	route := r.Pattern // set by the router
	took := time.Since(began)
	if c.options.Observe != nil {
		c.options.Observe(route, out.status(), took)
	}
	level := slog.LevelDebug
	if out.status() >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	if !c.options.Log.Enabled(r.Context(), level) {
		return
	}
	c.options.Log.LogAttrs(r.Context(), level, "request",
		slog.String("id", id), slog.String("method", method(r)), slog.String("route", route),
		slog.Int("status", out.status()), slog.Duration("took", took))
}

// serve refuses what two readers could understand differently, then routes; a
// panic becomes a 500 without a word of the inside.
func (c *chain) serve(w *recorder, r *http.Request) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it as well
			panic(v)
		}
		c.options.Log.ErrorContext(r.Context(), "panic", "value", v, "stack", string(debug.Stack()), "id", RequestID(r.Context()))
		if !w.wrote {
			JSON(w, http.StatusInternalServerError, oauthError{"server_error", "Something went wrong on our side"})
		}
	}()
	if status, text := c.refuse(r); status != 0 {
		JSON(w, status, oauthError{"invalid_request", text})
		return
	}
	if unclean(r.URL.Path) {
		c.options.Unclean.ServeHTTP(w, r)
		return
	}
	c.routes.ServeHTTP(w, r)
}

// unclean reports whether a path has empty or dot segments.
func unclean(p string) bool {
	if !strings.HasPrefix(p, "/") || strings.Contains(p, "//") {
		return true
	}
	for _, segment := range strings.Split(p, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// refuse implements E-16 and E-38 of the security design.
func (c *chain) refuse(r *http.Request) (int, string) {
	switch {
	case !c.hosts[strings.ToLower(r.Host)]:
		return http.StatusMisdirectedRequest, "This server does not answer for that host"
	case len(r.Header.Values("Authorization")) > 1:
		return http.StatusBadRequest, "Send exactly one Authorization header"
	case r.Header.Get("Content-Encoding") != "":
		return http.StatusUnsupportedMediaType, "Send the body without a content encoding"
	case len(r.TransferEncoding) > 0 && r.Header.Get("Content-Length") != "":
		return http.StatusBadRequest, "Send one length for the body"
	case r.Header.Get("Upgrade") != "" && !strings.EqualFold(r.Header.Get("Upgrade"), "h2c"):
		return http.StatusBadRequest, "This server offers no other protocol"
	case r.URL.IsAbs():
		return http.StatusBadRequest, "This server is no proxy"
	}
	return 0, ""
}

// requestID takes a sane id from the caller, or makes one (RS-14).
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) < 8 || len(id) > 64 {
		return rand.Text()
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return rand.Text()
		}
	}
	return id
}

func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	code  int
	wrote bool
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.code, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}

// NewServer is an http.Server with the limits of E-37 of the security design.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.Background() },
	}
}
