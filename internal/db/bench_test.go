package db_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/emberlatch/emberlatch/internal/db"
)

const update = `UPDATE item SET n = n + 1 WHERE id = $1 RETURNING n`

// parallel runs work with exactly so many goroutines, each on its own row.
func parallel(b *testing.B, callers int, work func(caller int) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	errs := make(chan error, callers)
	b.ResetTimer()
	for c := range callers {
		go func() {
			var err error
			for err == nil && left.Add(-1) >= 0 {
				err = work(c)
			}
			errs <- err
		}()
	}
	for range callers {
		must(b, <-errs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func rowsFor(b *testing.B, d *db.DB) {
	b.Helper()
	for c := range 16 {
		must(b, run(d, insert, fmt.Sprint("c", c), 0))
	}
}

// One fsync for each commit: what a plain connection does.
func BenchmarkSQLiteCommitAlone(b *testing.B) {
	path := filepath.Join(b.TempDir(), "alone.db")
	d := open(b, db.Config{URL: db.SQLiteURL(path)})
	rowsFor(b, d)
	plain, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)")
	must(b, err)
	defer plain.Close()
	plain.SetMaxOpenConns(1)
	stmt, err := plain.Prepare(update)
	must(b, err)
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			parallel(b, callers, func(c int) error { var n int64; return stmt.QueryRow(fmt.Sprint("c", c)).Scan(&n) })
		})
	}
}

func BenchmarkOne(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			rowsFor(b, d)
			for _, callers := range []int{1, 16} {
				b.Run(fmt.Sprint(callers), func(b *testing.B) {
					parallel(b, callers, func(c int) error {
						var n int64
						return d.One(context.Background(), update, []any{fmt.Sprint("c", c)}, &n)
					})
				})
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			rowsFor(b, d)
			for _, callers := range []int{1, 16} {
				b.Run(fmt.Sprint(callers), func(b *testing.B) {
					parallel(b, callers, func(c int) error {
						return d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
							var n int64
							return tx.One(ctx, update, []any{fmt.Sprint("c", c)}, &n)
						})
					})
				})
			}
		})
	}
}

// The driver without us, to see what One adds.
func BenchmarkPostgresPlain(b *testing.B) {
	url := postgresURL(b)
	rowsFor(b, open(b, db.Config{URL: url}))
	cfg, err := pgxpool.ParseConfig(url)
	must(b, err)
	cfg.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	must(b, err)
	defer pool.Close()
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			parallel(b, callers, func(c int) error {
				var n int64
				return pool.QueryRow(context.Background(), update, fmt.Sprint("c", c)).Scan(&n)
			})
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			rowsFor(b, d)
			b.ResetTimer()
			for range b.N {
				var n int64
				must(b, d.QueryRow(context.Background(), `SELECT n FROM item WHERE id = $1`, "c3").Scan(&n))
			}
		})
	}
}
