package egress_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/emberlatch/emberlatch/internal/egress"
)

// server is an https server on loopback with a client that may reach it.
func server(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(handler)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, roots
}

const limit = 1000

func get(t *testing.T, c *egress.Client, url string) (egress.Response, error) {
	t.Helper()
	return c.Get(t.Context(), url, limit)
}

func TestAnAnswerComesWithItsHeaders(t *testing.T) {
	s, roots := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("sent %v", r.Header)
		}
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = w.Write([]byte(strings.Repeat("x", limit)))
	})
	got, err := get(t, egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots}), s.URL+"/a?b")
	if err != nil || len(got.Body) != limit || got.Header.Get("Cache-Control") != "max-age=60" {
		t.Errorf("%d bytes, %v", len(got.Body), err)
	}
}

// spec: CAUTH-23
// attack: DC-06
func TestWhatIsNotTaken(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	s, roots := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/redirect-here":
			http.Redirect(w, r, "/", http.StatusMovedPermanently)
		case "/missing":
			http.NotFound(w, r)
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/large":
			_, _ = w.Write([]byte(strings.Repeat("x", limit+1)))
		case "/headers":
			w.Header().Set("X", strings.Repeat("x", 40<<10))
		case "/broken":
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte("x"))
		}
	})
	c := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots})
	for _, path := range []string{"/redirect", "/redirect-here", "/missing", "/none", "/large", "/headers", "/broken"} {
		got, err := get(t, c, s.URL+path)
		if err == nil || got.Body != nil {
			t.Errorf("%s: %q", path, got.Body)
		}
		posted, postErr := c.Ask(t.Context(), s.URL+path, egress.Form{User: "us", Secret: "secret"}, limit)
		if postErr == nil || posted.Body != nil {
			t.Errorf("POST %s: %q", path, posted.Body)
		}
		for _, err := range []error{err, postErr} {
			if answered := path != "/headers" && path != "/broken"; errors.Is(err, egress.ErrAnswer) != answered {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("a redirect was followed")
	}
	if _, err := get(t, egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}}), s.URL); err == nil {
		t.Error("a certificate of nobody was trusted")
	}
}

// A form goes with the credentials for that server, as RFC 6749 §2.3.1 writes them.
func TestAFormIsSent(t *testing.T) {
	s, roots := server(t, func(w http.ResponseWriter, r *http.Request) {
		user, secret, ok := r.BasicAuth()
		if r.Method != http.MethodPost || !ok || user != "us+%3A" || secret != "a%3Ab" || r.PostFormValue("token") != "x&y" || r.Header.Get("Accept") != "application/json" {
			t.Errorf("sent %s %v", r.Method, r.Header)
		}
		_, _ = w.Write([]byte("{}"))
	})
	c := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots, PerHost: 8})
	form := egress.Form{Values: url.Values{"token": {"x&y"}}, User: "us :", Secret: "a:b"}
	if got, err := c.Ask(t.Context(), s.URL, form, limit); err != nil || string(got.Body) != "{}" {
		t.Errorf("%q, %v", got.Body, err)
	}
	if _, err := egress.New(egress.Deps{Roots: roots}).Ask(t.Context(), s.URL, form, limit); !errors.Is(err, egress.ErrRefused) {
		t.Errorf("to loopback outside of a sandbox: %v", err)
	}
}

func TestWhoeverIsSlowIsLeft(t *testing.T) {
	release := make(chan struct{})
	s, roots := server(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots}).Get(ctx, s.URL, limit); err == nil {
		t.Error("no error")
	}
}

// Callers of a host that does not answer wait for that host; those of others do not
// wait behind them.
func TestOneHostHoldsUpNobodyElse(t *testing.T) {
	release := make(chan struct{})
	silent, roots := server(t, func(http.ResponseWriter, *http.Request) { <-release })
	other, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) })
	roots.AddCert(other.Certificate())
	c := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots})
	var waiting sync.WaitGroup
	t.Cleanup(func() { close(release); waiting.Wait() })
	for range 100 {
		waiting.Go(func() { _, _ = c.Get(context.Background(), silent.URL, limit) })
	}
	time.Sleep(200 * time.Millisecond) // all of them wait
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if got, err := c.Get(ctx, other.URL, limit); err != nil || string(got.Body) != "x" {
		t.Errorf("%q, %v", got.Body, err)
	}
}

// Every way that a fetch ends gives its place back.
func TestPlacesAreGivenBack(t *testing.T) {
	s, roots := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.Header().Set("Content-Length", "500")
		}
		_, _ = w.Write([]byte("x"))
	})
	plainServer := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plainServer.Close)
	c := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 40 {
		for _, url := range []string{s.URL + "/broken", s.URL, plainServer.URL, strings.Replace(plainServer.URL, "http:", "https:", 1), "http://127.0.0.1:1"} {
			_, _ = c.Get(ctx, url, limit)
		}
	}
	if got, err := c.Get(ctx, s.URL, limit); err != nil || string(got.Body) != "x" {
		t.Errorf("%q, %v", got.Body, err)
	}
}

// A name that resolves to an address of ours is refused at dial, whichever of its
// answers comes first; the sink sees nothing.
//
// attack: DC-04, DC-05, E-23
func TestTheAddressIsJudgedAtDial(t *testing.T) {
	var asked atomic.Int64
	sink, err := net.Listen("tcp", "127.0.0.1:8443")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("port 8443 is in use, and CI is set: %v", err)
		}
		t.Skipf("the one port beside 443 that the policy admits, 8443, is in use here: %v", err)
	}
	defer sink.Close()
	go func() {
		for {
			conn, err := sink.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_ = conn.Close()
		}
	}()
	for name, answers := range map[string][][]string{
		"loopback":          {{"127.0.0.1"}},
		"both at once":      {{"192.168.255.254", "127.0.0.1"}},
		"metadata service":  {{"169.254.169.254"}},
		"changing its mind": {{"10.255.255.1"}, {"127.0.0.1"}},
	} {
		c := egress.New(egress.Deps{Resolver: resolver(t, answers)})
		for range 3 {
			if _, err := get(t, c, "https://keys.example.org:8443/"); !errors.Is(err, egress.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if asked.Load() > 0 {
		t.Errorf("the sink was asked %d times", asked.Load())
	}
}

// resolver answers A questions with one list after the other, the last one again.
func resolver(t *testing.T, answers [][]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for n := 0; ; {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				for _, text := range answers[min(n, len(answers)-1)] {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: netip.MustParseAddr(text).As4()},
					})
				}
				n++
			}
			if raw, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(raw, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A form goes out once, to where the policy lets it, and says what came of it.
//
// spec: LOGOUT-10
// attack: DC-04, DC-06
func TestAFormIsPosted(t *testing.T) {
	var posted atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(other.Close)
	s, roots := server(t, func(w http.ResponseWriter, r *http.Request) {
		posted.Add(1)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.PostFormValue("logout_token") != "a.b&c" ||
			r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %v %v", r.Method, r.Header, r.PostForm)
		}
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/bad":
			w.WriteHeader(http.StatusBadRequest)
		case "/endless":
			for range 100 {
				_, _ = w.Write([]byte(strings.Repeat("x", 64<<10)))
			}
		}
	})
	c := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots})
	form := url.Values{"logout_token": {"a.b&c"}}
	for path, want := range map[string]int{"/": 200, "/redirect": 307, "/none": 204, "/bad": 400, "/endless": 200} {
		if got, err := c.Post(t.Context(), s.URL+path, form); got != want || err != nil {
			t.Errorf("%s: %d, %v", path, got, err)
		}
	}
	before := posted.Load()
	for _, address := range []string{s.URL, "http://169.254.169.254/", "file:///etc/passwd", "https://user@app.example.org/"} {
		if _, err := egress.New(egress.Deps{}).Post(t.Context(), address, form); !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if posted.Load() != before {
		t.Error("something was sent all the same")
	}
}

func TestWhoeverIsSlowWithAFormIsLeft(t *testing.T) {
	release := make(chan struct{})
	s, roots := server(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := egress.New(egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots}).Post(ctx, s.URL, url.Values{}); err == nil {
		t.Error("no error")
	}
}
