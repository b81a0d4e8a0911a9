package door

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Options of the chain; Hosts and Log are required.
type Options struct {
	// Hosts are the only Host headers that are answered.
	Hosts []string
	// Secure: browsers come over https, so they are told to keep doing so.
	Secure bool
	Log    *slog.Logger
	// Issuer has the page that explains errors, for error_uri; empty: none is sent.
	Issuer string
	// Unclean answers paths that a router would rewrite (dots, double slashes): they
	// are never cleaned, so that no check sees another path than the one that was
	// asked for. Required.
	Unclean http.Handler
	// MaxBody bounds every request body, in bytes; doors bound theirs closer. 0: 1 MiB.
	MaxBody int64
	// Patience is how long a request may take to come in, and its answer to go out;
	// zero, and nil: as long as the server allows (E-37).
	Patience func(r *http.Request) (read, write time.Duration)
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
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
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
	c.headers(w.Header(), id)
	out := &recorder{ResponseWriter: w, issuer: c.options.Issuer}
	if c.options.Patience != nil {
		read, write := c.options.Patience(r)
		hurry(w, read, write)
	}
	r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, c.options.MaxBody)
	}
	if endsConnection(r) {
		w.Header().Set("Connection", "close")
	}
	c.serve(out, r)
	c.report(r, id, out, time.Since(began))
	if out.broken {
		panic(http.ErrAbortHandler) // the answer is not whole, and must not look so
	}
}

// Values of the headers of every answer, in the form in which net/http keeps them.
// They are shared: a header is replaced or added to, never changed in place.
var (
	nosniff          = []string{"nosniff"}
	noReferrer       = []string{"no-referrer"}
	nothingElse      = []string{"default-src 'none'; frame-ancestors 'none'"}
	sameOrigin       = []string{"same-origin"}
	secureForOneYear = []string{"max-age=31536000"}
)

// headers of every answer; pages replace the policy by their own. Names are written
// as net/http spells them.
func (c *chain) headers(h http.Header, id string) {
	h["X-Request-Id"] = []string{id}
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = noReferrer
	h["Content-Security-Policy"] = nothingElse
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	if c.options.Secure {
		h["Strict-Transport-Security"] = secureForOneYear
	}
}

// report counts and logs one request: its route, never its path. What was answered
// with an error is told with its name, so that the number on a page or the
// X-Request-Id of an answer leads to it; a path that does not exist is no news.
func (c *chain) report(r *http.Request, id string, out *recorder, took time.Duration) {
	status, route := out.status(), r.Pattern // set by the router
	if c.options.Observe != nil {
		c.options.Observe(route, status, took)
	}
	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case out.told != nil && out.told.slug != oauth.SlugPathUnknown:
		level = slog.LevelInfo
	}
	if !c.options.Log.Enabled(r.Context(), level) {
		return
	}
	line := []slog.Attr{
		slog.String("id", id), slog.String("method", method(r)), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took),
	}
	if out.told != nil {
		line = append(line, slog.String("error", string(out.told.code)), slog.String("slug", out.told.slug.String()))
	}
	c.options.Log.LogAttrs(r.Context(), level, "request", line...)
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
		c.options.Log.ErrorContext(r.Context(), "panic", "value", panicText(v), "stack", string(debug.Stack()), "id", RequestID(r.Context()))
		if w.wrote {
			w.broken = true
			return
		}
		writeError(w, http.StatusInternalServerError, oauth.New(oauth.ServerError, "Something went wrong on our side").Slugged(oauth.SlugServerFailure))
	}()
	if status, text := c.refuse(r); status != 0 {
		writeError(w, status, oauth.New(oauth.InvalidRequest, "%s", text))
		return
	}
	if unclean(r.URL.Path) {
		c.options.Unclean.ServeHTTP(w, r)
		return
	}
	c.routes.ServeHTTP(w, r)
}

// panicText is what the log may tell of a panic: the runtime's own words, else the
// type of the value only, which may hold what a person sent.
func panicText(v any) string {
	if e, ok := v.(runtime.Error); ok { //nolint:errorlint // a panic value is no wrapped error
		return e.Error()
	}
	return fmt.Sprintf("a value of type %T", v)
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

// method is a label: what callers make up has one value.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}
