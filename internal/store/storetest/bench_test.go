package storetest_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"database/sql"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/testdb"
)

// parallel runs work with exactly so many callers, b.N times in all.
func parallel(b *testing.B, callers int, work func(caller, n int) error) {
	b.Helper()
	var begun atomic.Int64
	b.ResetTimer()
	errs := together(callers, func(caller int) error {
		for {
			n := int(begun.Add(1)) - 1
			if n >= b.N {
				return nil
			}
			if err := work(caller, n); err != nil {
				return err
			}
		}
	})
	b.StopTimer()
	for _, err := range errs {
		must(b, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

// BenchmarkConsume puts redeeming and refreshing beside bare one-row commits of
// the same database in the same run.
func BenchmarkConsume(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		url := sqliteURL(b)
		if engine == "postgres" {
			url = testdb.PostgreSQL(b)
		}
		s, d := open(b, db.Config{URL: url})
		people(b, s)
		_, err := d.Exec(ctx, `CREATE TABLE bare (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)`)
		must(b, err)
		for caller := range 16 {
			_, err := d.Exec(ctx, `INSERT INTO bare (id, n) VALUES ($1, 0)`, int64(caller))
			must(b, err)
		}
		for _, callers := range []int{1, 16} {
			b.Run(fmt.Sprint(engine, "/", callers, "/bare"), func(b *testing.B) {
				parallel(b, callers, func(caller, _ int) error {
					var n int64
					return d.One(ctx, `UPDATE bare SET n = n + 1 WHERE id = $1 RETURNING n`, []any{int64(caller)}, &n)
				})
			})
			b.Run(fmt.Sprint(engine, "/", callers, "/redeem"), func(b *testing.B) { benchRedeem(b, s, callers) })
			b.Run(fmt.Sprint(engine, "/", callers, "/refresh"), func(b *testing.B) { benchRefresh(b, s, callers) })
		}
	}
}

func benchRedeem(b *testing.B, s *storesql.Store, callers int) {
	codes := make([]store.Redemption, b.N)
	errs := together(16, func(caller int) error {
		for n := caller; n < b.N; n += 16 {
			i := newGrant(offline)
			i.Code.Life = 1 << 40
			if err := s.IssueCode(ctx, i); err != nil {
				return err
			}
			codes[n] = redemption(i)
		}
		return nil
	})
	for _, err := range errs {
		must(b, err)
	}
	parallel(b, callers, func(_, n int) error { return second(s.RedeemCode(ctx, codes[n])) })
}

// Each caller has families of its own, as apps do.
func benchRefresh(b *testing.B, s *storesql.Store, callers int) {
	const families = 64
	var ids [16][families]store.GrantID
	var generations [16][families]uint32
	for caller := range callers {
		for f := range families {
			ids[caller][f] = redeemed(b, world{Store: s}, offline)
		}
	}
	var turn [16]int
	parallel(b, callers, func(caller, _ int) error {
		f := turn[caller] % families
		turn[caller]++
		generations[caller][f]++
		return second(s.RefreshGrant(ctx, use(ids[caller][f], generations[caller][f])))
	})
}

// BenchmarkFsyncForEach is what SQLite gives without shared commits.
func BenchmarkFsyncForEach(b *testing.B) {
	path := filepath.Join(b.TempDir(), "alone.db")
	plain, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)")
	must(b, err)
	defer plain.Close()
	plain.SetMaxOpenConns(1)
	_, err = plain.Exec(`CREATE TABLE bare (id BIGINT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO bare VALUES (0, 0)`)
	must(b, err)
	stmt, err := plain.Prepare(`UPDATE bare SET n = n + 1 WHERE id = 0 RETURNING n`)
	must(b, err)
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			parallel(b, callers, func(int, int) error { var n int64; return stmt.QueryRow().Scan(&n) })
		})
	}
}
