package testenv

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
)

// furnish puts what a first start makes into the empty folder of a sandbox with the usual
// records: making it takes a second, and is done once for as many as run at one time.
// Such a sandbox is like one that was stopped, and started elsewhere; none shares its
// keys with another that runs beside it.
func furnish(t testing.TB, o app.SandboxOptions) {
	t.Helper()
	there, err := os.ReadDir(o.DataDir)
	if o.Upstream != "" || o.Reset || len(there) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	f := furniture.take(o.People)
	t.Cleanup(func() { furniture.giveBack(f) })
	items, err := f.items()
	if err != nil {
		t.Fatal(err)
	}
	for path, i := range items {
		to := filepath.Join(o.DataDir, path)
		err := os.MkdirAll(filepath.Dir(to), 0o700)
		if err == nil {
			err = os.WriteFile(to, i.content, i.mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var furniture pieces

// pieces are what no running sandbox uses, by number of people.
type pieces struct {
	mu   sync.Mutex
	free map[int][]*piece
}

// piece is what one first start made.
type piece struct {
	people int
	items  func() (map[string]item, error)
}

func (p *pieces) take(people int) *piece {
	p.mu.Lock()
	defer p.mu.Unlock()
	free := p.free[people]
	if len(free) == 0 {
		return &piece{people, sync.OnceValues(func() (map[string]item, error) { return firstStart(people) })}
	}
	p.free[people] = free[1:]
	return free[0]
}

func (p *pieces) giveBack(f *piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == nil {
		p.free = map[int][]*piece{}
	}
	p.free[f.people] = append(p.free[f.people], f)
}

type item struct {
	content []byte
	mode    fs.FileMode
}

// firstStart is what a sandbox leaves behind that was started once, by path.
func firstStart(people int) (items map[string]item, err error) {
	dir, err := os.MkdirTemp("", "emberlatch-testenv-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s, err := app.StartSandbox(ctx, app.SandboxOptions{Listen: "127.0.0.1:0", DataDir: dir, People: people, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	stop()
	if err := s.Wait(ctx); err != nil {
		return nil, err
	}
	items = map[string]item{}
	return items, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		items[name] = item{content, info.Mode()}
		return err
	})
}
