package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// bareHandler answers every request with so many bytes.
func bareHandler(size string) (http.Handler, error) {
	n, err := strconv.Atoi(size)
	body := []byte(strings.Repeat("x", n))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(body)
	}), err
}

// bare is the rate of a net/http handler that does nothing but write so many bytes.
func (m *measuring) bare(callers, size int) (float64, error) {
	c, err := startChild("bare-handler", strconv.Itoa(size))
	if err != nil {
		return 0, err
	}
	defer c.stop()
	return m.rate(callers, func(int) error {
		req, err := http.NewRequest(http.MethodGet, "http://"+c.address+"/", nil)
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
