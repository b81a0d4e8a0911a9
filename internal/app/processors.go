package app

import (
	"os"
	"runtime"
	"sync"

	"github.com/emberlatch/emberlatch/internal/db"
)

var widening sync.Once

// widen gives a program that writes to SQLite one place more to run in than it has
// processors: a write waits in the kernel for the disk, and keeps a place while it
// waits. An operator who has set GOMAXPROCS is obeyed.
func widen(d db.Dialect) {
	if d == db.SQLite && os.Getenv("GOMAXPROCS") == "" {
		widening.Do(func() { runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1) })
	}
}
