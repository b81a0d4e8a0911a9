package app

import (
	"runtime"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/internal/db"
)

// One place more, once, beside SQLite, unless the operator has said how many.
func TestWiden(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for _, row := range []struct {
		name    string
		dialect db.Dialect
		env     string
		want    int
	}{
		{"SQLite", db.SQLite, "", before + 1},
		{"PostgreSQL", db.PostgreSQL, "", before},
		{"the operator has said", db.SQLite, "7", before},
	} {
		runtime.GOMAXPROCS(before)
		widening = sync.Once{}
		t.Setenv("GOMAXPROCS", row.env)
		widen(row.dialect)
		widen(row.dialect)
		if got := runtime.GOMAXPROCS(0); got != row.want {
			t.Errorf("%s: %d places, want %d", row.name, got, row.want)
		}
	}
}
