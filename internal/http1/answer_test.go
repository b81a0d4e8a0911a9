package http1_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/http1"
)

// answers are what servers send, and what may be said of it; empty: an error.
var answers = map[string]struct{ raw, want string }{
	"plain":                      {ok, "ok"},
	"chunked":                    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok"},
	"to the end":                 {"HTTP/1.1 200 OK\r\n\r\nok", "ok"},
	"after a hint":               {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok, "ok"},
	"lengths that agree":         {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "ok"},
	"only hints":                 {strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 7) + ok, ""},
	"another protocol":           {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nok", ""},
	"a status that is none":      {"HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\nok", ""},
	"lengths that do not agree":  {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokay", ""},
	"a length that is none":      {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", ""},
	"an encoding nobody knows":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, x\r\n\r\n2\r\nok\r\n0\r\n\r\n", ""},
	"a chunk that is none":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nok\r\n0\r\n\r\n", ""},
	"too short":                  {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", ""},
	"chunks without their end":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", ""},
	"half a head":                {"HTTP/1.1 200 OK\r\nContent-", ""},
	"nothing":                    {"", ""},
	"no HTTP":                    {"SSH-2.0-OpenSSH_9.2\r\n\r\n", ""},
	"a length that is not one":   {"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", "ok"},
	"a head that is too large":   {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 40<<10) + "\r\n\r\nok", ""},
	"a head that does not end":   {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 20<<10), ""},
	"a first line without end":   {"HTTP/1.1 200 " + strings.Repeat("x", 40<<10), ""},
	"hints that are too large":   {strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 8<<10)+"\r\n\r\n", 4) + ok, ""},
	"a body larger than a head":  {"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + strings.Repeat("x", 40_000), strings.Repeat("x", 40_000)},
	"no content, and some":       {"HTTP/1.1 204 No Content\r\n\r\nok", " "},
	"chunked, with a length too": {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok"},
}

// attack: B.114, F-81
func TestAnswersOfAServer(t *testing.T) {
	for name, c := range answers {
		t.Run(name, func(t *testing.T) {
			up := saying(t, c.raw)
			tr := newTransport(t, up.url)
			for range 2 {
				_, got, err := get(t, tr, up.url)
				if (err != nil) != (c.want == "") || err == nil && got != strings.TrimSpace(c.want) {
					t.Errorf("%.40q %v, want %.40q", got, err, c.want)
				}
			}
		})
	}
}

// saying answers each connection with the same bytes, and closes it.
func saying(tb testing.TB, raw string) *script { return scripted(tb, answering(raw)) }

func answering(raw string) func(net.Conn, func() *http.Request) {
	return func(conn net.Conn, next func() *http.Request) {
		if next() != nil {
			_, _ = io.WriteString(conn, raw)
		}
	}
}

// Whatever a server sends, what arrives is what net/http's own Transport makes of it, or
// an error; and it ends.
func FuzzAnswer(f *testing.F) {
	for _, c := range answers {
		f.Add(c.raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		// No TCP: so many cases would use up the ports of the machine.
		connect := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go new(script).serve(theirs, answering(raw))
			return ours, nil
		}
		const server = "http://up.example"
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		ours := newTransport(t, server, func(c *http1.Config) { c.MaxConnections = 1 })
		ours.ConnectBy(connect)
		status, body, err := finish(ours.RoundTrip(request(t, ctx, http.MethodGet, server, nil)))
		if ctx.Err() != nil {
			t.Fatalf("%q: it did not end", raw)
		}
		theirs := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 16 << 10, DisableKeepAlives: true, DialContext: connect}
		wantStatus, want, wantErr := finish(theirs.RoundTrip(request(t, ctx, http.MethodGet, server, nil)))
		if err == nil && (wantErr != nil || status != wantStatus || body != want) {
			t.Errorf("%q: %d %q, net/http says %d %q %v", raw, status, body, wantStatus, want, wantErr)
		}
	})
}
