package door_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
)

// listening serves the chain on a free port; every request that reaches a route is
// counted.
func listening(t *testing.T, secure *tls.Certificate) (address string, executed *atomic.Int32) {
	t.Helper()
	executed = &atomic.Int32{}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		executed.Add(1)
		door.JSON(w, http.StatusOK, r.Proto)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	h, err := door.Chain(door.Options{Hosts: []string{"example.org"}, Log: log, Unclean: http.NotFoundHandler()}, mux)
	if err != nil {
		t.Fatal(err)
	}
	server := door.NewServer(h, log)
	ended := make(chan error, 1)
	go func() {
		if secure == nil {
			ended <- server.Serve(l)
			return
		}
		server.TLSConfig.Certificates = []tls.Certificate{*secure}
		ended <- server.ServeTLS(l, "", "")
	}()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String(), executed
}

// wire sends bytes and returns the status lines of all answers until the server
// closes or nothing more comes.
func wire(t *testing.T, address, text string) []string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
	all, _ := io.ReadAll(c) // until the server closes, or the time is over
	var statuses []string
	for _, m := range statusLine.FindAllSubmatch(all, -1) {
		statuses = append(statuses, string(m[1]))
	}
	return statuses
}

var statusLine = regexp.MustCompile(`HTTP/1\.[01] ([0-9]{3}) `)

// A request that a proxy may read otherwise is refused, or is one request here and
// the last of its connection: what is hidden behind it never runs.
//
// attack: HT-01
func TestHiddenRequestsNeverRun(t *testing.T) {
	const hidden = "GET /hidden HTTP/1.1\r\nHost: example.org\r\n\r\n"
	chunked := "5\r\nhello\r\n0\r\n\r\n"
	rows := []struct {
		name, head, body string
		want             string // status of the first answer
	}{
		{"CL.TE", "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", chunked + hidden, "200"},
		{"TE.CL", "POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", chunked + hidden, "200"},
		{"TE xchunked", "POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: xchunked\r\n\r\n", chunked + hidden, "501"},
		{"TE twice", "POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", chunked + hidden, "501"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\n", "hello" + hidden, "400"},
		{"length +5", "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: +5\r\n\r\n", "hello" + hidden, "400"},
		{"bare line feed in a chunk extension", "POST / HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n" + hidden, ""},
		{"space before the colon", "GET / HTTP/1.1\r\nHost: example.org\r\nContent-Length : 5\r\n\r\n", "hello" + hidden, "400"},
		{"HTTP/1.0 with chunks", "POST / HTTP/1.0\r\nHost: example.org\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", chunked + hidden, "200"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: example.org\r\nHost: evil.test\r\n\r\n", hidden, "400"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", hidden, "400"},
		{"control character in a header", "GET / HTTP/1.1\r\nHost: example.org\r\nX-A: a\x00b\r\n\r\n", hidden, "400"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			address, executed := listening(t, nil)
			got := wire(t, address, row.head+row.body)
			if row.want != "" && (len(got) == 0 || got[0] != row.want) {
				t.Errorf("answers %q, want %s first", got, row.want)
			}
			if len(got) > 1 || executed.Load() > 1 {
				t.Errorf("what is hidden ran: answers %q, %d requests", got, executed.Load())
			}
		})
	}
	t.Run("two honest requests on one connection", func(t *testing.T) {
		address, executed := listening(t, nil)
		if got := wire(t, address, hidden+hidden); len(got) != 2 || executed.Load() != 2 {
			t.Errorf("answers %q: the test proves nothing", got)
		}
	})
}

// Headers without end are refused before they cost anything.
//
// attack: HT-05
func TestHeadersAreBounded(t *testing.T) {
	rows := map[string]string{
		"a header of 64 KiB":   "GET / HTTP/1.1\r\nHost: example.org\r\nX-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
		"a path of 64 KiB":     "GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"5000 cookies":         "GET / HTTP/1.1\r\nHost: example.org\r\nCookie: " + strings.Repeat("a=bcdefg; ", 5000) + "\r\n\r\n",
		"a header for a house": "GET / HTTP/1.1\r\nHost: example.org\r\n" + strings.Repeat("X-Aaaaaaaaaaaaaaaaaaaa: b\r\n", 2000) + "\r\n",
	}
	for name, text := range rows {
		address, executed := listening(t, nil)
		if got := wire(t, address, text); len(got) > 0 && got[0] != "431" || executed.Load() != 0 {
			t.Errorf("%s: answers %q, %d requests", name, got, executed.Load())
		}
	}
}

// HTTP/2 is spoken over TLS only.
//
// attack: HT-09
func TestNoCleartextHTTP2(t *testing.T) {
	address, executed := listening(t, nil)
	wire(t, address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	if executed.Load() != 0 {
		t.Error("the preface of HTTP/2 was served")
	}
	for _, s := range wire(t, address, "GET / HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n") {
		if s != "200" {
			t.Errorf("an offer of HTTP/2 was answered with %s", s)
		}
	}
}

// Only TLS 1.2 with suites that keep past sessions secret, and 1.3.
//
// spec: TLS-01, TLS-02
func TestTLS(t *testing.T) {
	certificate := selfSigned(t)
	address, _ := listening(t, &certificate)
	rows := []struct {
		name   string
		config *tls.Config
		want   uint16 // 0: refused
	}{
		{"TLS-01 1.0", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, 0},
		{"TLS-01 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		{"TLS-01 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, tls.VersionTLS12},
		{"TLS-02 1.3", &tls.Config{}, tls.VersionTLS13},
		{"TLS-02 no forward secrecy", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_CBC_SHA}}, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			config := row.config.Clone()
			config.InsecureSkipVerify = true //nolint:gosec // the certificate is made here; the version is what is asked
			c, err := tls.Dial("tcp", address, config)
			if err != nil {
				if row.want != 0 {
					t.Errorf("refused: %v", err)
				}
				return
			}
			defer c.Close()
			if got := c.ConnectionState().Version; got != row.want {
				t.Errorf("version %x, want %x", got, row.want)
			}
		})
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"example.org"}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// A server waits for nobody for ever.
//
// attack: HT-05, E-37
func TestServerHasLimits(t *testing.T) {
	s := door.NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	for name, limit := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if limit <= 0 || limit > 2*time.Minute {
			t.Errorf("%s: %s", name, limit)
		}
	}
	if got := fmt.Sprint(s.MaxHeaderBytes, s.HTTP2.MaxConcurrentStreams); got != "32768 100" {
		t.Errorf("header bytes and streams: %s", got)
	}
}
