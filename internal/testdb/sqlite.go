package testdb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/internal/db"
)

// SQLite returns the URL of a migrated database in a folder of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return SQLiteAt(t, filepath.Join(t.TempDir(), "test.db"))
}

// SQLiteAt makes a migrated database at a path, in a folder that is there, and returns
// its URL.
func SQLiteAt(t testing.TB, path string) string {
	t.Helper()
	content, err := migrated()
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db.SQLiteURL(path)
}

// migrated is what a migrated database is on disk.
var migrated = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "emberlatch-testdb-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "template.db")
	if err := migrate(db.SQLiteURL(path)); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// migrate applies what is missing, and leaves nobody connected.
func migrate(url string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: url})
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(ctx), d.Close())
}
