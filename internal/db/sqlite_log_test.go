package db_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
)

// spec: F-08
func TestAFailedFlushIsFinal(t *testing.T) {
	d := openSQLite(t)
	var flushes atomic.Int64
	d.SetFlush(func(*os.File) error {
		if flushes.Add(1) == 1 {
			return syscall.EIO
		}
		return nil
	})
	if err := exec2(d, insert, "unsure", 1); !errors.Is(err, db.ErrFailed) {
		t.Errorf("a write that was not flushed: %v, want ErrFailed", err)
	}
	if err := exec2(d, insert, "after", 1); !errors.Is(err, db.ErrFailed) {
		t.Errorf("a write after that: %v, want ErrFailed", err)
	}
	if n := flushes.Load(); n != 1 {
		t.Errorf("flushed %d times: a failed flush is not tried again", n)
	}
	select {
	case <-d.Failed():
	default:
		t.Error("Failed is not closed")
	}
}

// The next write runs during a flush; neither is answered before its own.
func TestWritesRunDuringAFlush(t *testing.T) {
	d := openSQLite(t)
	began, release := make(chan struct{}, 2), make(chan struct{})
	d.SetFlush(func(f *os.File) error {
		began <- struct{}{}
		<-release
		return db.Flush(f)
	})
	first, second, ran := make(chan error, 1), make(chan error, 1), make(chan struct{})
	go func() { first <- exec2(d, insert, "first", 1) }()
	<-began
	go func() {
		second <- d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, insert, "second", 2)
			close(ran)
			return err
		})
	}()
	select {
	case <-ran:
	case <-time.After(10 * time.Second):
		t.Fatal("the second write waits for the flush of the first")
	}
	select {
	case err := <-first:
		t.Fatalf("answered before the flush: %v", err)
	case err := <-second:
		t.Fatalf("answered before its commit: %v", err)
	case <-began:
		t.Fatal("a second flush began during the first")
	case <-time.After(20 * time.Millisecond):
	}
	release <- struct{}{}
	must(t, <-first)
	<-began
	select {
	case err := <-second:
		t.Fatalf("answered before its flush: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	release <- struct{}{}
	must(t, <-second)
}

// What was answered before a flush ended is in the files as they were when it
// began: they are all that a loss of power leaves.
//
// spec: E-03
func TestAnsweredIsInTheFilesThatWereFlushed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "live.db")
	d := open(t, db.Config{URL: db.SQLiteURL(path)})
	const every = 25
	var flushes atomic.Int64
	copies := map[int64]string{}
	d.SetFlush(func(f *os.File) error {
		n := flushes.Add(1)
		if n%every == 0 {
			copies[n] = filepath.Join(t.TempDir(), "copy.db")
			copyFile(t, path, copies[n])
			copyFile(t, path+"-wal", copies[n]+"-wal")
		}
		return db.Flush(f)
	})
	answered := make([]map[string]int64, 8) // id: flushes begun when it was answered
	var wg sync.WaitGroup
	for w := range answered {
		answered[w] = map[string]int64{}
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprint(w, "-", i)
				must(t, exec2(d, insert, id, i))
				answered[w][id] = flushes.Load()
			}
		})
	}
	wg.Wait()
	if len(copies) < 2 {
		t.Fatalf("%d flushes, too few to look at", flushes.Load())
	}
	for n, name := range copies {
		found := idsIn(t, name)
		for _, own := range answered {
			for id, at := range own {
				if at <= n && !found[id] {
					t.Errorf("%s was answered after %d flushes had begun and is not in what flush %d wrote", id, at, n)
				}
			}
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	must(t, err)
	defer src.Close()
	dst, err := os.Create(to)
	must(t, err)
	_, err = io.Copy(dst, src)
	must(t, errors.Join(err, dst.Close()))
}

func idsIn(t *testing.T, path string) map[string]bool {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{URL: db.SQLiteURL(path)})
	must(t, err)
	defer d.Close()
	rows, err := d.Query(context.Background(), `SELECT id FROM item`)
	must(t, err)
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var id string
		must(t, rows.Scan(&id))
		found[id] = true
	}
	must(t, rows.Err())
	return found
}
