package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// figure is one measured rate beside its ceiling.
type figure struct {
	Name    string  `json:"name"`
	Callers int     `json:"callers"`
	Rate    float64 `json:"per_second"`
	Ceiling float64 `json:"ceiling_per_second,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"`
	Against string  `json:"against,omitempty"`
}

func main() {
	binary := flag.String("binary", "bin/emberlatch", "the built server")
	seconds := flag.Float64("seconds", 2, "how long each figure is measured")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	if err := run(*binary, time.Duration(*seconds*float64(time.Second)), *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "emberlatch-load:", err)
		os.Exit(1)
	}
}

func run(binary string, each time.Duration, asJSON bool) error {
	dir, err := os.MkdirTemp("", "emberlatch-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, first, err := start(binary, dir)
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	s, again, err := start(binary, dir)
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	idle := s.memory()
	m := measuring{server: s, each: each, client: loadClient()}
	if err := m.all(dir); err != nil {
		return err
	}
	return report(m.figures, map[string]string{
		"first start, people made": first.String(), "start with data": again.String(),
		"resident memory idle": idle, "resident memory under load": s.memory(),
	}, asJSON)
}

func report(figures []figure, facts map[string]string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"figures": figures, "facts": facts})
	}
	for _, name := range []string{"first start, people made", "start with data", "resident memory idle", "resident memory under load"} {
		fmt.Printf("%-34s %s\n", name, facts[name])
	}
	fmt.Printf("\n%-34s %8s %10s %10s %7s  %s\n", "", "callers", "per s", "ceiling", "ratio", "against")
	for _, f := range figures {
		fmt.Printf("%-34s %8d %10.0f %10.0f %7.2f  %s\n", f.Name, f.Callers, f.Rate, f.Ceiling, f.Ratio, f.Against)
	}
	return nil
}

// server is a running sandbox.
type server struct {
	cmd  *exec.Cmd
	base string
}

func start(binary, dir string) (*server, time.Duration, error) {
	began := time.Now()
	cmd := exec.Command(binary, "dev", "--listen", "127.0.0.1:0", "--data", dir, "--quiet")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, 0, fmt.Errorf("the server did not start: %w", err)
	}
	return &server{cmd, strings.TrimSpace(strings.TrimPrefix(line, "ready "))}, time.Since(began).Round(time.Millisecond), nil
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// memory is the resident memory of the server.
func (s *server) memory() string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return "not known here"
	}
	for _, line := range strings.Split(string(raw), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "not known here"
}

func loadClient() *http.Client {
	return &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// measuring runs the figures one after another.
type measuring struct {
	server  *server
	each    time.Duration
	client  *http.Client
	figures []figure
}

func (m *measuring) add(f figure) {
	if f.Ceiling > 0 {
		f.Ratio = f.Rate / f.Ceiling
	}
	m.figures = append(m.figures, f)
}

// rate calls do from so many callers for the time of one figure.
func (m *measuring) rate(callers int, do func(caller int) error) (float64, error) {
	var (
		count atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		bad   error
	)
	began := time.Now()
	for c := range callers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Since(began) < m.each {
				if err := do(c); err != nil {
					mu.Lock()
					bad = err
					mu.Unlock()
					return
				}
				count.Add(1)
			}
		}()
	}
	wg.Wait()
	return float64(count.Load()) / time.Since(began).Seconds(), bad
}

// send sends a request and reads the whole answer.
func (m *measuring) send(req *http.Request) (int, []byte, error) {
	resp, err := m.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// bare is the rate of a net/http handler that writes so many bytes.
func (m *measuring) bare(callers, size int) (float64, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	body := []byte(strings.Repeat("x", size))
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(body)
	})}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	return m.rate(callers, func(int) error {
		req, err := http.NewRequest(http.MethodGet, "http://"+l.Addr().String()+"/", nil)
		if err != nil {
			return err
		}
		_, _, err = m.send(req)
		return err
	})
}

// fsyncs is the rate of durable appends of one row's size, one after another.
func (m *measuring) fsyncs(dir string) (float64, error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	row := make([]byte, 4096)
	return m.rate(1, func(int) error {
		if _, err := f.Write(row); err != nil {
			return err
		}
		return f.Sync()
	})
}

// signing is the rate of one signature after another on all cores.
func (m *measuring) signing() (rs256, es256 float64, err error) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return 0, 0, err
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return 0, 0, err
	}
	digest := make([]byte, 32)
	if rs256, err = m.rate(2, func(int) error { _, err := rsa.SignPKCS1v15(nil, r, crypto.SHA256, digest); return err }); err != nil {
		return 0, 0, err
	}
	es256, err = m.rate(2, func(int) error { _, _, err := ecdsa.Sign(rand.Reader, e, digest); return err })
	return rs256, es256, err
}
