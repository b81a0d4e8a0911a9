package clientkey_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/store"
)

// The whole way over TLS: an app rotates its key at its own host, moves it behind a
// redirect, and is away.
//
// spec: CAUTH-22, CAUTH-23, CAUTH-24, CAUTH-25
func TestRotationOverTLS(t *testing.T) {
	var mu sync.Mutex
	body, moved := keySet(t, "old"), false
	host := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if moved {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = w.Write(body)
	}))
	defer host.Close()
	roots := x509.NewCertPool()
	roots.AddCert(host.Certificate())
	now := time.Now()
	find := finder(t, egress.Deps{Policy: egress.Policy{Loopback: true}, Roots: roots}, &now)
	c := store.Client{ID: "c", JWKSURI: host.URL + "/jwks"}
	if err := find(c, "old"); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	body = keySet(t, "new")
	mu.Unlock()
	if err := find(c, "new"); err != nil {
		t.Errorf("after rotation: %v", err)
	}
	if err := find(c, "old"); !errors.Is(err, clientkey.ErrNoKey) {
		t.Errorf("the old key: %v", err)
	}
	mu.Lock()
	moved = true
	mu.Unlock()
	if err := find(c, "new"); err != nil {
		t.Errorf("while the set lives: %v", err)
	}
	now = now.Add(time.Minute)
	if err := find(c, "new"); !errors.Is(err, clientkey.ErrUnreachable) {
		t.Errorf("behind a redirect: %v", err)
	}
	host.Close()
	now = now.Add(time.Minute)
	if err := find(c, "new"); !errors.Is(err, clientkey.ErrUnreachable) {
		t.Errorf("away: %v", err)
	}
	strict := finder(t, egress.Deps{Roots: roots}, &now)
	if err := strict(c, "new"); !errors.Is(err, clientkey.ErrUnreachable) || !errors.Is(err, egress.ErrRefused) {
		t.Errorf("a loopback address outside of a sandbox: %v", err)
	}
}

// finder finds keys through a guarded client.
func finder(t *testing.T, deps egress.Deps, now *time.Time) func(c store.Client, kid string) error {
	t.Helper()
	client := egress.New(deps)
	keys, err := clientkey.New(clientkey.Deps{Now: func() time.Time { return *now }, Fetch: func(ctx context.Context, url string, limit int64) ([]byte, http.Header, error) {
		got, err := client.Get(ctx, url, limit)
		return got.Body, got.Header, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	return func(c store.Client, kid string) error {
		_, err := keys.Find(t.Context(), c, kid, "ES384")
		return err
	}
}
