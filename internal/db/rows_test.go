package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
)

// A result that came to its end stays there: asking on does not run the statement again.
func TestRowsAtTheirEnd(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		must(t, d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			rows, err := tx.Query(ctx, `INSERT INTO item (id, n) VALUES ($1, 1), ($2, 2) RETURNING id`, "a", "b")
			if err != nil {
				return err
			}
			n := 0
			for rows.Next() {
				n++
			}
			for range 3 {
				if rows.Next() {
					t.Error("a row after the end")
				}
			}
			rows.Close()
			rows.Close()
			if n != 2 {
				t.Errorf("%d rows", n)
			}
			return rows.Err()
		}))
		if n := count(t, d, "1 = 1"); n != 2 {
			t.Errorf("%d items, want 2", n)
		}
		must(t, d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			rows, err := tx.Query(ctx, `UPDATE item SET n = n + 10`) // has no rows to give
			if err != nil {
				return err
			}
			for rows.Next() {
				t.Error("a row of none")
			}
			return rows.Err()
		}))
		if n := count(t, d, "n IN (11, 12)"); n != 2 {
			t.Errorf("%d items were changed once, want 2", n)
		}
		rows, err := d.Query(ctx, `SELECT id FROM item WHERE n > $1`, 99)
		must(t, err)
		defer rows.Close()
		if rows.Next() || rows.Next() || rows.Err() != nil {
			t.Errorf("a row of none: %v", rows.Err())
		}
	})
}

// What goes in comes out, as the kind that it is asked for, and nothing is made up.
func TestValues(t *testing.T) {
	type name string
	each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		kind := map[string]string{"sqlite": "BLOB", "postgres": "BYTEA"}[d.Dialect().String()]
		must(t, run(d, `CREATE TABLE thing (id TEXT PRIMARY KEY, n BIGINT, b `+kind+`)`))
		large := bytes.Repeat([]byte{0, 1, 0xff}, 100_000)
		must(t, run(d, `INSERT INTO thing (id, n, b) VALUES ($1, $2, $3)`, name("full"), int64(1)<<62, large))
		must(t, run(d, `INSERT INTO thing (id, n, b) VALUES ($1, $2, $3)`, "empty", 0, []byte{}))
		must(t, run(d, `INSERT INTO thing (id, n, b) VALUES ($3, $1, $2)`, nil, []byte(nil), "null"))
		read := func(id string, dest ...any) error {
			return d.QueryRow(ctx, `SELECT id, n, b FROM thing WHERE id = $1`, id).Scan(dest...)
		}
		var (
			id     name
			n      int64
			maybe  *int64
			text   *string
			b      []byte
			number int
		)
		if err := read("full", &id, &n, &b); err != nil || id != "full" || n != 1<<62 || !bytes.Equal(b, large) {
			t.Errorf("full: %q %d, %d bytes: %v", id, n, len(b), err)
		}
		if err := read("full", &text, &maybe, &b); err != nil || text == nil || *text != "full" || maybe == nil || *maybe != 1<<62 {
			t.Errorf("full, in pointers: %v %v %v", text, maybe, err)
		}
		if err := read("empty", &id, &number, &b); err != nil || number != 0 || b == nil || len(b) != 0 {
			t.Errorf("empty: %d %#v %v", number, b, err)
		}
		if err := read("null", &id, &maybe, &b); err != nil || maybe != nil || b != nil {
			t.Errorf("null: %v %#v %v", maybe, b, err)
		}
		for what, err := range map[string]error{
			"a null as a number": read("null", &id, &n, &b), "a text as a number": read("full", &n, &n, &b),
			"too few values": read("full", &id), "too many": read("full", &id, &n, &b, &b),
		} {
			if err == nil || errors.Is(err, db.ErrNoRow) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for what, err := range map[string]error{
			"an argument is missing": run(d, `INSERT INTO thing (id, n) VALUES ($1, $2)`, "x"),
			"two statements":         run(d, `INSERT INTO thing (id) VALUES ($1); DELETE FROM thing`, "x"),
		} {
			if err == nil {
				t.Errorf("%s: taken", what)
			}
		}
	})
}

// A statement that is open may be run again beside itself.
func TestAStatementBesideItself(t *testing.T) {
	d := openSQLite(t)
	ctx := context.Background()
	for i := range 3 {
		must(t, run(d, insert, fmt.Sprint(i), i))
	}
	const all = `SELECT id FROM item WHERE n >= $1 ORDER BY n`
	must(t, d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		outer, err := tx.Query(ctx, all, 0)
		if err != nil {
			return err
		}
		defer outer.Close()
		var seen []string
		for outer.Next() {
			var id, first string
			if err := outer.Scan(&id); err != nil {
				return err
			}
			if err := tx.One(ctx, all, []any{2}, &first); err != nil {
				return err
			}
			seen = append(seen, id+first)
		}
		if got := strings.Join(seen, " "); got != "02 12 22" {
			t.Errorf("%s", got)
		}
		return outer.Err()
	}))
}

const endless = `WITH RECURSIVE c(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c`

// A read that takes too long is broken off, and its connection goes on.
func TestAReadIsBrokenOff(t *testing.T) {
	d := openSQLite(t)
	for range 2*runtime.GOMAXPROCS(0) + 8 { // more often than there are connections
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		var n int
		if err := d.QueryRow(ctx, endless, 1).Scan(&n); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d %v", n, err)
		}
		cancel()
		if n := count(t, d, "1 = 1"); n != 0 {
			t.Errorf("%d", n)
		}
	}
}

// Who waits for a connection waits no longer than his own time, and gets one when
// another gives it back.
func TestReadersWaitForEachOther(t *testing.T) {
	d := openSQLite(t)
	for i := range 3 {
		must(t, run(d, insert, fmt.Sprint(i), i))
	}
	var open []db.Rows
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		rows, err := d.Query(context.WithoutCancel(ctx), `SELECT id FROM item`)
		must(t, err)
		open = append(open, rows)
		var n int
		if err := d.Find(ctx, `SELECT count(*) FROM item`).Scan(&n); err != nil {
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			break
		}
		cancel()
		if len(open) > 64 {
			t.Fatal("there is no end of connections")
		}
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			var n int
			if err := d.QueryRow(context.Background(), `SELECT count(*) FROM item`).Scan(&n); err != nil || n != 3 {
				t.Errorf("%d %v", n, err)
			}
		})
	}
	for _, rows := range open {
		for rows.Next() { // to their end: that closes them
		}
		must(t, rows.Err())
	}
	wg.Wait()
}

// More statements than are kept work as the first ones do.
func TestManyStatements(t *testing.T) {
	d := openSQLite(t)
	must(t, run(d, insert, "a", 1))
	for i := range 1500 {
		var n int
		if err := d.QueryRow(t.Context(), fmt.Sprintf(`SELECT n + %d FROM item WHERE id = $1`, i), "a").Scan(&n); err != nil || n != i+1 {
			t.Fatalf("%d: %d %v", i, n, err)
		}
	}
	must(t, d.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT n FROM item`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for i := range 1100 { // the open one leaves the ones that are kept, and goes on
			var n int
			if err := tx.One(ctx, fmt.Sprintf(`SELECT n - %d FROM item`, i), nil, &n); err != nil || n != 1-i {
				return fmt.Errorf("%d: %d %w", i, n, err)
			}
		}
		var n int
		if !rows.Next() || rows.Scan(&n) != nil || n != 1 || rows.Next() {
			t.Errorf("%d", n)
		}
		return rows.Err()
	}))
}
