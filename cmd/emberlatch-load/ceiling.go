package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// bareArgument makes this program the bare handler.
const bareArgument = "bare-handler"

// serveBare answers every request with so many bytes until it is killed.
func serveBare(size string) {
	n, err := strconv.Atoi(size)
	l, listenErr := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || listenErr != nil {
		fmt.Fprintln(os.Stderr, "emberlatch-load:", err, listenErr)
		os.Exit(1)
	}
	body := []byte(strings.Repeat("x", n))
	fmt.Println(l.Addr())
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(body)
	})}
	_ = s.Serve(l)
}

// bare is the rate of a net/http handler that does nothing but write so many bytes,
// in a process of its own as the server is.
func (m *measuring) bare(callers, size int) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, bareArgument, strconv.Itoa(size))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the bare handler did not start: %w", err)
	}
	return m.rate(callers, func(int) error {
		req, err := http.NewRequest(http.MethodGet, "http://"+strings.TrimSpace(address)+"/", nil)
		if err != nil {
			return err
		}
		_, _, err = m.send(req)
		return err
	})
}

// fsyncs is the rate of durable appends of one page, one after another.
func (m *measuring) fsyncs() (float64, error) {
	f, err := os.Create(filepath.Join(m.dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	page := make([]byte, 4096)
	return m.rate(1, func(int) error {
		if _, err := f.Write(page); err != nil {
			return err
		}
		return f.Sync()
	})
}

// commits is the rate of bare updates of one row, each caller its own row and each a
// durable commit.
func (m *measuring) commits(url string, callers int) (float64, error) {
	ctx := context.Background()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return 0, err
	}
	cfg.MaxConns = int32(callers)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	const table = `CREATE TABLE IF NOT EXISTS load_ceiling (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)`
	if _, err := pool.Exec(ctx, table); err != nil {
		return 0, err
	}
	if _, err := pool.Exec(ctx, `INSERT INTO load_ceiling SELECT i, 0 FROM generate_series(0, 63) i ON CONFLICT DO NOTHING`); err != nil {
		return 0, err
	}
	return m.rate(callers, func(c int) error {
		_, err := pool.Exec(ctx, `UPDATE load_ceiling SET n = n + 1 WHERE id = $1`, c)
		return err
	})
}

// signing measures one signature after another on all cores.
func (m *measuring) signing() error {
	m.say("signing")
	var err error
	if m.rsaKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return err
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	digest, cores := make([]byte, 32), runtime.NumCPU()
	rs256, err := m.rs256()
	if err != nil {
		return err
	}
	es256, err := m.rate(cores, func(int) error { _, err := ecdsa.SignASN1(rand.Reader, e, digest); return err })
	m.add(figure{Name: "RS256 signing, all cores", Callers: cores, Rate: rs256})
	m.add(figure{Name: "ES256 signing, all cores", Callers: cores, Rate: es256})
	return err
}

// rs256 is how many RS256 signatures all cores make in a second, at this moment.
func (m *measuring) rs256() (float64, error) {
	digest := make([]byte, 32)
	return m.rate(runtime.NumCPU(), func(int) error {
		_, err := rsa.SignPKCS1v15(nil, m.rsaKey, crypto.SHA256, digest)
		return err
	})
}
