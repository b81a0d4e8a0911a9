package db_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emberlatch/emberlatch/internal/db"
)

// swallowing is a way to PostgreSQL on which answers can get lost.
type swallowing struct{ lost atomic.Bool }

// between puts itself between a caller and the server of a URL.
func (s *swallowing) between(t *testing.T, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	must(t, err)
	q := u.Query()
	network, server := "tcp", u.Host
	if q.Get("host") != "" {
		port := q.Get("port")
		if port == "" {
			port = "5432"
		}
		network, server = "unix", filepath.Join(q.Get("host"), ".s.PGSQL."+port)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go s.carry(client, network, server)
		}
	}()
	q.Del("host")
	q.Del("port")
	u.Host, u.RawQuery = l.Addr().String(), q.Encode()
	return u.String()
}

func (s *swallowing) carry(client net.Conn, network, address string) {
	defer client.Close()
	server, err := net.Dial(network, address)
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(server, client) }()
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if err != nil || s.lost.Load() {
			_ = server.Close()
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// When the answer to a commit is lost nothing is repeated, whoever shared it, and every
// caller learns that the outcome is unknown.
//
// attack: F-32
func TestALostAnswerIsUnknownToAllWhoShare(t *testing.T) {
	s := &swallowing{}
	url := postgresURL(t)
	seen := open(t, db.Config{URL: url})
	d := open(t, db.Config{URL: s.between(t, url)})
	insert := `INSERT INTO item (id, n) VALUES ($1, 0) ON CONFLICT (id) DO UPDATE SET n = item.n + 1`
	must(t, run(d, insert, "warm"))
	release := held(t, d)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := run(d, insert, fmt.Sprintf("shared-%d", i)); !errors.Is(err, db.ErrOutcomeUnknown) {
				t.Errorf("%v", err)
			}
		})
	}
	wait(t, d, 8)
	// The row that the last of them changes is held, until the answers get lost.
	locked, free := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		must(t, seen.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, insert, "shared-7")
			close(locked)
			<-free
			return err
		}))
	})
	<-locked
	release()
	for blocked(t, seen) == 0 {
	}
	s.lost.Store(true)
	close(free)
	wg.Wait()
	s.lost.Store(false)
	if n := count(t, seen, `id LIKE 'shared-%' AND n = 0`); n != 7 {
		t.Errorf("%d were kept once", n)
	}
	if n := count(t, seen, `id = 'shared-7' AND n = 1`); n != 1 {
		t.Error("the last was not kept, or twice")
	}
}

// blocked is how many wait for a lock.
func blocked(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	must(t, d.QueryRow(context.Background(), `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&n))
	return n
}
