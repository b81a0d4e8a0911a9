package door_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
)

// room is the chain before a few routes, with what it logged and counted.
type room struct {
	handler http.Handler
	log     bytes.Buffer
	routes  []string
	reached int
}

func newRoom(t *testing.T, secure bool) *room {
	t.Helper()
	r := &room{}
	h, err := door.Chain(door.Options{
		Hosts: []string{"Example.org", "localhost:8765"}, Secure: secure, MaxBody: 1 << 10,
		Log:     slog.New(slog.NewJSONHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Unclean: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { door.JSON(w, http.StatusNotFound, "unclean") }),
		Observe: func(route string, _ int, _ time.Duration) { r.routes = append(r.routes, route) },
	}, r.mux())
	if err != nil {
		t.Fatal(err)
	}
	r.handler = h
	return r
}

func (r *room) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /record/{id}", func(w http.ResponseWriter, _ *http.Request) {
		r.reached++
		door.JSON(w, http.StatusOK, map[string]string{"ok": "yes"})
	})
	mux.HandleFunc("POST /body", func(w http.ResponseWriter, q *http.Request) {
		n, err := io.Copy(io.Discard, q.Body)
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			door.JSON(w, http.StatusRequestEntityTooLarge, nil)
			return
		}
		door.JSON(w, http.StatusOK, n)
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("secret-of-the-inside") })
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"half":`)
		var list []int
		_ = list[len(r.routes)+7]
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { door.JSON(w, http.StatusNotFound, nil) })
	return mux
}

// send asks as a client does; change may be nil.
func (r *room) send(method, target string, change func(*http.Request)) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, target, nil)
	q.Host = "example.org"
	if change != nil {
		change(q)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, q)
	return w
}

// One line is logged for a request: the route, never the path, the query or a
// header; a panic becomes a 500 that tells nothing, neither to the caller nor what
// it carried to the log.
//
// spec: AUTHZ-38, CAUTH-11, HDR-09, INTRO-20
// attack: LO-01, LO-03
func TestTheLogTellsTheRouteAndNoSecret(t *testing.T) {
	r := newRoom(t, false)
	secrets := func(q *http.Request) {
		q.Header.Set("Authorization", "Bearer header-secret")
		q.Header.Set("Referer", "https://example.org/?x=referer-secret")
		q.AddCookie(&http.Cookie{Name: "s", Value: "cookie-secret"})
	}
	for _, target := range []string{"/record/maria-secret?code=query-secret", "/panic?code=query-secret", "/no/such/path-secret"} {
		w := r.send(http.MethodGet, target, secrets)
		if strings.Contains(w.Body.String(), "secret") || w.Header().Get("Server") != "" {
			t.Errorf("%s: %v %s", target, w.Header(), w.Body)
		}
	}
	if strings.Contains(r.log.String(), "secret") {
		t.Errorf("the log has a secret: %s", &r.log)
	}
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	if len(lines) != 4 { // three requests and a panic
		t.Fatalf("%d lines: %s", len(lines), &r.log)
	}
	if !strings.Contains(lines[0], `"route":"GET /record/{id}"`) || !strings.Contains(lines[0], `"status":200`) {
		t.Errorf("log: %s", lines[0])
	}
}

// A panic before the answer is a 500 in the form of the protocol; one amid it ends
// the connection, so that no half answer looks whole.
//
// spec: HDR-09
// attack: F-78
func TestPanic(t *testing.T) {
	r := newRoom(t, false)
	w := r.send(http.MethodGet, "/panic", nil)
	if want := `{"error":"server_error","error_description":"Something went wrong on our side"}`; w.Code != http.StatusInternalServerError || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	server := httptest.NewUnstartedServer(r.handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.Start()
	defer server.Close()
	q, err := http.NewRequest(http.MethodGet, server.URL+"/broken", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Host = "example.org"
	resp, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		return // the connection ended before the first byte was sent
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("half an answer looks whole: %s", body)
	}
}

// What two readers could understand differently, and what is not for us, is
// refused before any route sees it.
//
// attack: HT-03, HT-07
func TestRefusals(t *testing.T) {
	rows := []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"as it should be", nil, 200},
		{"the host in capitals", func(q *http.Request) { q.Host = "EXAMPLE.ORG" }, 200},
		{"another name of ours", func(q *http.Request) { q.Host = "localhost:8765" }, 200},
		{"another host", func(q *http.Request) { q.Host = "evil.test" }, 421},
		{"another port", func(q *http.Request) { q.Host = "example.org:81" }, 421},
		{"a host that begins like ours", func(q *http.Request) { q.Host = "example.org.evil.test" }, 421},
		{"no host", func(q *http.Request) { q.Host = "" }, 421},
		{"HT-03 forwarded host of anybody", func(q *http.Request) {
			q.Host = "evil.test"
			q.Header.Set("X-Forwarded-Host", "example.org")
			q.Header.Set("Forwarded", "host=example.org")
		}, 421},
		{"HT-03 forwarded host of evil", func(q *http.Request) { q.Header.Set("X-Forwarded-Host", "evil.test") }, 200},
		{"two authorizations", func(q *http.Request) { q.Header["Authorization"] = []string{"Bearer a", "Bearer b"} }, 400},
		{"HT-07 gzip", func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }, 415},
		{"HT-07 stacked", func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip, br") }, 415},
		{"HT-07 identity", func(q *http.Request) { q.Header.Set("Content-Encoding", "identity") }, 415},
		{"websocket", func(q *http.Request) { q.Header.Set("Upgrade", "websocket") }, 400},
		{"an offer of HTTP/2 is not taken", func(q *http.Request) { q.Header.Set("Upgrade", "h2c") }, 200},
		{"a request to a proxy", func(q *http.Request) { q.URL.Scheme, q.URL.Host = "http", "evil.test" }, 400},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := newRoom(t, false)
			w := r.send(http.MethodGet, "/record/1", row.change)
			if w.Code != row.want {
				t.Errorf("status %d, want %d", w.Code, row.want)
			}
			if reached := r.reached == 1; reached != (row.want == 200) {
				t.Errorf("the route was reached %d times", r.reached)
			}
			if row.want != 200 && !strings.Contains(w.Body.String(), `"error":"invalid_request"`) {
				t.Errorf("body %s", w.Body)
			}
		})
	}
}

// Every class of answer carries the headers that keep it out of frames and from
// guessers; a line break adds no header.
//
// spec: HDR-06, HDR-08, HDR-09, RS-14
// attack: HT-21, HT-15
func TestHeadersOfEveryAnswer(t *testing.T) {
	for _, secure := range []bool{true, false} {
		r := newRoom(t, secure)
		for _, target := range []string{"/record/1", "/panic", "/nothing", "//record/1"} {
			w := r.send(http.MethodGet, target, func(q *http.Request) { q.Header.Set("X-Request-Id", "abcdefgh\r\nSet-Cookie: a=b") })
			want := map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
				"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "", "Server": "", "Set-Cookie": "",
			}
			if secure {
				want["Strict-Transport-Security"] = "max-age=31536000"
			}
			for key, value := range want {
				if got := w.Header().Get(key); got != value {
					t.Errorf("%s: %s is %q, want %q", target, key, got, value)
				}
			}
			if id := w.Header().Get("X-Request-Id"); len(id) < 16 || strings.Contains(id, "Cookie") {
				t.Errorf("%s: request id %q", target, id)
			}
		}
	}
	w := newRoom(t, false).send(http.MethodGet, "/record/1", func(q *http.Request) { q.Header.Set("X-Request-Id", "trace-0123_4.5") })
	if got := w.Header().Get("X-Request-Id"); got != "trace-0123_4.5" {
		t.Errorf("the caller's id became %q", got)
	}
}

// A body is bounded whatever the door does; a path is never rewritten into another.
//
// spec: RS-22
// attack: IN-13
func TestBoundsAndPaths(t *testing.T) {
	r := newRoom(t, false)
	for size, want := range map[int]int{1 << 10: 200, 1<<10 + 1: 413} {
		w := r.send(http.MethodPost, "/body", func(q *http.Request) { q.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", size))) })
		if w.Code != want {
			t.Errorf("%d bytes: status %d, want %d", size, w.Code, want)
		}
	}
	for _, target := range []string{"//record/1", "/record//1", "/./record/1", "/x/../record/1", "/record/.."} {
		w := r.send(http.MethodGet, "/", func(q *http.Request) { q.URL.Path = target })
		if w.Code != http.StatusNotFound || w.Header().Get("Location") != "" || w.Body.String() != `"unclean"` {
			t.Errorf("%s: %d to %q", target, w.Code, w.Header().Get("Location"))
		}
	}
}

// However many paths and methods are made up, the labels stay the same few.
//
// attack: HT-19
func TestLabelsStayFew(t *testing.T) {
	r := newRoom(t, false)
	for i := range 2000 {
		made := strings.Repeat("x", i%50) + string(rune('A'+i%26))
		r.send("M"+made, "/"+made, nil)
		r.send(http.MethodGet, "/record/"+made+"?"+made, nil)
	}
	slices.Sort(r.routes)
	if got := slices.Compact(r.routes); len(got) > 2 {
		t.Errorf("%d routes: %q", len(got), got)
	}
	if strings.Contains(r.log.String(), `"method":"M`) {
		t.Error("a method that was made up is a label")
	}
}

// The chain is not made without its parts.
func TestChainRefusesMissingParts(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for name, o := range map[string]door.Options{
		"hosts": {Log: log, Unclean: http.NotFoundHandler()}, "log": {Hosts: []string{"a"}, Unclean: http.NotFoundHandler()}, "unclean": {Hosts: []string{"a"}, Log: log},
	} {
		if _, err := door.Chain(o, http.NewServeMux()); err == nil {
			t.Errorf("made without %s", name)
		}
	}
}
