package db_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
)

func openSQLite(t testing.TB) *db.DB {
	t.Helper()
	return open(t, db.Config{URL: db.SQLiteURL(filepath.Join(t.TempDir(), "data", "emberlatch.db"))})
}

func open(t testing.TB, cfg db.Config) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	must(t, run(d, `CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY, n BIGINT NOT NULL, used_by TEXT NOT NULL DEFAULT '')`))
	return d
}

func run(d *db.DB, stmt string, args ...any) error {
	_, err := d.Exec(context.Background(), stmt, args...)
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, d *db.DB, where string, args ...any) int {
	t.Helper()
	var n int
	must(t, d.QueryRow(context.Background(), `SELECT count(*) FROM item WHERE `+where, args...).Scan(&n))
	return n
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, openPostgres(t)) })
}

const insert = `INSERT INTO item (id, n) VALUES ($1, $2)`

// spec: E-01
func TestOneHasOneWinner(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		for key := range 20 {
			id := fmt.Sprint("key", key)
			must(t, run(d, insert, id, 0))
			var winners atomic.Int64
			var wg sync.WaitGroup
			for w := range 16 {
				wg.Go(func() {
					var n int64
					err := d.One(context.Background(),
						`UPDATE item SET used_by = $2, n = n + 1 WHERE id = $1 AND used_by = '' RETURNING n`,
						[]any{id, fmt.Sprint("w", w)}, &n)
					switch {
					case err == nil:
						winners.Add(1)
					case !errors.Is(err, db.ErrNoRow):
						t.Errorf("One: %v", err)
					}
				})
			}
			wg.Wait()
			if winners.Load() != 1 {
				t.Fatalf("%s: %d winners, want 1", id, winners.Load())
			}
		}
	})
}

// spec: E-02
func TestWriteKeepsAllOrNothing(t *testing.T) {
	boom := errors.New("boom")
	each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx, insert, "a", 1); err != nil {
				return err
			}
			var n int
			if err := tx.QueryRow(ctx, `SELECT n FROM item WHERE id = $1`, "a").Scan(&n); err != nil || n != 1 {
				t.Errorf("own write is not seen: %d, %v", n, err)
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("Write: %v, want boom", err)
		}
		if got := count(t, d, "id = 'a'"); got != 0 {
			t.Fatalf("a failed Write left %d rows", got)
		}
		must(t, d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			return tx.Batch(ctx, []db.Statement{{insert, []any{"b", 1}}, {insert, []any{"c", 2}}})
		}))
		if got := count(t, d, "id IN ('b','c')"); got != 2 {
			t.Fatalf("rows after Batch: %d, want 2", got)
		}
	})
}

// A statement that failed fails its Write, whatever the function returns.
func TestFailedStatementFailsTheWrite(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		must(t, run(d, insert, "taken", 1))
		err := d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
			_, _ = tx.Exec(ctx, insert, "before", 1)
			_, err := tx.Exec(ctx, insert, "taken", 2)
			if !errors.Is(err, db.ErrUnique) {
				t.Errorf("duplicate: %v, want ErrUnique", err)
			}
			if _, err := tx.Exec(ctx, insert, "after", 1); err == nil {
				t.Error("a statement ran after a failed one")
			}
			return nil
		})
		if !errors.Is(err, db.ErrUnique) {
			t.Errorf("Write: %v, want ErrUnique", err)
		}
		if got := count(t, d, "id IN ('before','after')"); got != 0 {
			t.Errorf("%d rows were kept", got)
		}
	})
}

// Callers who share a commit do not share a failure.
func TestWritesAreIsolated(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		const writers = 60
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				id := fmt.Sprint("i", i)
				err := d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
					if _, err := tx.Exec(ctx, insert, id, i); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return errors.New("refused")
					case 2:
						panic("at the wrong moment")
					case 3:
						_, err := tx.Exec(ctx, insert, id, i)
						return err
					}
					return nil
				})
				if (err == nil) != (i%4 == 0) {
					t.Errorf("writer %d: %v", i, err)
				}
				var p *db.PanicError
				if i%4 == 2 && !errors.As(err, &p) {
					t.Errorf("writer %d: %v, want a PanicError", i, err)
				}
			})
		}
		wg.Wait()
		if got := count(t, d, "1=1"); got != writers/4 {
			t.Errorf("%d rows, want %d", got, writers/4)
		}
		if got := count(t, d, "n % 4 <> 0"); got != 0 {
			t.Errorf("%d rows of failed writers", got)
		}
	})
}

// spec: E-40
func TestCancelledCallerLeavesNothingHalfDone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := d.One(ctx, insert+` RETURNING n`, []any{"never", 1}, new(int)); !errors.Is(err, context.Canceled) {
			t.Errorf("One with a dead context: %v", err)
		}
		// Cancelled inside: the next statement refuses and the first is undone.
		ctx, cancel = context.WithCancel(context.Background())
		err := d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx, insert, "half", 1); err != nil {
				return err
			}
			cancel()
			_, err := tx.Exec(ctx, insert, "other half", 1)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Write cancelled inside: %v", err)
		}
		// Cancelled after the last statement: it is committed and says so.
		ctx, cancel = context.WithCancel(context.Background())
		must(t, d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, insert, "done", 1)
			cancel()
			return err
		}))
		if got := count(t, d, "1=1"); got != 1 {
			t.Errorf("%d rows, want 1 (done)", got)
		}
	})
}

// spec: E-40
// Contexts that end at every moment: what was acknowledged is there, what was
// refused before it began is not.
func TestCancellationStorm(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		var acked, refused sync.Map
		for w := range 8 {
			wg.Go(func() {
				for i := range 60 {
					id := fmt.Sprint(w, "-", i)
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*20)*time.Microsecond)
					err := d.One(ctx, insert+` RETURNING n`, []any{id, i}, new(int))
					cancel()
					switch {
					case err == nil:
						acked.Store(id, true)
					case errors.Is(err, context.DeadlineExceeded):
						refused.Store(id, true)
					default:
						t.Errorf("One: %v", err)
					}
				}
			})
		}
		wg.Wait()
		acked.Range(func(id, _ any) bool {
			if count(t, d, "id = $1", id) != 1 {
				t.Errorf("%v was acknowledged and is missing", id)
			}
			return true
		})
		refused.Range(func(id, _ any) bool {
			if count(t, d, "id = $1", id) != 0 {
				t.Errorf("%v was refused and is there", id)
			}
			return true
		})
	})
}

func TestNestedWriteIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(context.Background(), func(ctx context.Context, _ *db.Tx) error {
			_, err := d.Exec(ctx, insert, "inner", 1)
			return err
		})
		if !errors.Is(err, db.ErrNested) {
			t.Errorf("got %v, want ErrNested", err)
		}
	})
}

// A function that ends its goroutine fails alone; the writer goes on.
func TestGoexitInAWrite(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
				_, _ = tx.Exec(ctx, insert, "gone", 1)
				runtime.Goexit()
				return nil
			})
		}()
		<-done
		must(t, run(d, insert, "next", 1))
		if got := count(t, d, "id = 'gone'"); got != 0 {
			t.Errorf("%d rows of the ended write", got)
		}
	})
}

func TestTxIsDeadAfterItsWrite(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		var kept *db.Tx
		must(t, d.Write(context.Background(), func(_ context.Context, tx *db.Tx) error { kept = tx; return nil }))
		if _, err := kept.Exec(context.Background(), insert, "late", 1); err == nil {
			t.Error("a Tx worked after its Write")
		}
	})
}

func TestTextBothDatabasesAccept(t *testing.T) {
	type name string
	each(t, func(t *testing.T, d *db.DB) {
		for _, bad := range []any{"a\x00b", "\xff\xfe", name("x\x00")} {
			if err := run(d, insert, bad, 1); !errors.Is(err, db.ErrText) {
				t.Errorf("%q: %v, want ErrText", bad, err)
			}
		}
		for _, good := range []any{"", "é\u0301 ﬁ", "日本 𝒳", name("named"), strings.Repeat("x", 2500)} {
			must(t, run(d, insert, good, 1))
			if got := count(t, d, "id = $1", good); got != 1 {
				t.Errorf("%q: %d rows", good, got)
			}
		}
	})
}

// spec: E-41
func TestMovableClock(t *testing.T) {
	test := func(t *testing.T, url string) {
		ctx := context.Background()
		d := open(t, db.Config{URL: url, MovableClock: true})
		must(t, d.Migrate(ctx))
		now := func() time.Time {
			var ms int64
			must(t, d.QueryRow(ctx, `SELECT `+d.NowExpr()).Scan(&ms))
			return time.UnixMilli(ms)
		}
		if off := time.Since(now()).Abs(); off > 5*time.Second {
			t.Errorf("database time is %v away", off)
		}
		must(t, d.MoveClock(ctx, 2*time.Hour))
		if off := time.Until(now()) - 2*time.Hour; off.Abs() > 5*time.Second {
			t.Errorf("moved clock is %v away", off)
		}
	}
	t.Run("sqlite", func(t *testing.T) { test(t, db.SQLiteURL(filepath.Join(t.TempDir(), "x.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresURL(t)) })
}

// Find reads what is committed, says when there is nothing, and is refused to a
// caller who has left.
func TestFind(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		ctx, leave := context.WithCancel(context.Background())
		const byID = `SELECT n FROM item WHERE id = $1`
		_, err := d.Exec(ctx, insert, "a", 7)
		must(t, err)
		var n int64
		if err := d.Find(ctx, byID, "a").Scan(&n); err != nil || n != 7 {
			t.Errorf("a: %d, %v", n, err)
		}
		if err := d.Find(ctx, byID, "b").Scan(&n); !errors.Is(err, db.ErrNoRow) {
			t.Errorf("b: %v, want ErrNoRow", err)
		}
		leave()
		if err := d.Find(ctx, byID, "a").Scan(&n); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller who has left: %v", err)
		}
	})
}
