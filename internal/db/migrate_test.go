package db_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/testpg"
)

// lastInOrder is the last migration that was only ever applied in its turn; each of the
// later ones may come to a database after those that follow it.
const lastInOrder = 9

// fresh opens an empty database of each kind.
func fresh(t *testing.T, test func(t *testing.T, empty func() *db.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, func() *db.DB { return bare(t, db.SQLiteURL(filepath.Join(t.TempDir(), "x.db"))) })
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, func() *db.DB { return bare(t, testpg.Schema(t)) })
	})
}

func bare(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url})
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

// numbered are migrations by number.
func numbered(t *testing.T, d *db.DB) map[int]*fstest.MapFile {
	t.Helper()
	files, err := d.Migrations()
	must(t, err)
	all := map[int]*fstest.MapFile{}
	names, err := fs.Glob(files, "*.sql")
	must(t, err)
	for _, name := range names {
		number, err := strconv.Atoi(name[:4])
		must(t, err)
		raw, err := fs.ReadFile(files, name)
		must(t, err)
		all[number] = &fstest.MapFile{Data: raw}
	}
	return all
}

// only are those that some function wants.
func only(all map[int]*fstest.MapFile, want func(number int) bool) fstest.MapFS {
	files := fstest.MapFS{}
	for number, file := range all {
		if want(number) {
			files[strconv.Itoa(number)+"_x.sql"] = file
		}
	}
	return files
}

// schemaOf says everything that a schema has, without the order in which it came.
func schemaOf(t *testing.T, d *db.DB) []string {
	t.Helper()
	query := `SELECT m.name || ': ' || p.name || ' ' || p.type || ' ' || p."notnull" || ' ' || COALESCE(p.dflt_value, '') || ' ' || p.pk
  FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'
UNION ALL SELECT COALESCE(sql, name) FROM sqlite_master WHERE type <> 'table'`
	if d.Dialect() == db.PostgreSQL {
		query = `SELECT concat_ws(' ', table_name || ':', column_name, data_type, collation_name, is_nullable, column_default) FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = current_schema()::regnamespace
UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace`
	}
	rows, err := d.Query(t.Context(), query)
	must(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		all = append(all, line)
	}
	must(t, rows.Err())
	var schema string
	if d.Dialect() == db.PostgreSQL {
		must(t, d.QueryRow(t.Context(), `SELECT current_schema()`).Scan(&schema))
	}
	for i, line := range all {
		if schema != "" {
			all[i] = strings.ReplaceAll(strings.ReplaceAll(line, schema+".", ""), schema, "")
		}
	}
	slices.Sort(all)
	return all
}

// Migrations stand for themselves: whichever of them comes to a database last, and in
// whatever order, the schema is the same.
func TestMigrationsThatComeLate(t *testing.T) {
	fresh(t, func(t *testing.T, empty func() *db.DB) {
		ctx, d := context.Background(), empty()
		must(t, d.Migrate(ctx))
		want, all := schemaOf(t, d), numbered(t, d)
		var later []int
		for number := range all {
			if number > lastInOrder {
				later = append(later, number)
			}
		}
		slices.Sort(later)
		for _, late := range later {
			d := empty()
			must(t, d.MigrateFrom(ctx, only(all, func(number int) bool { return number != late })))
			must(t, d.Migrate(ctx))
			if diff := cmp.Diff(want, schemaOf(t, d)); diff != "" {
				t.Errorf("migration %d comes last: -in order +late\n%s", late, diff)
			}
			must(t, d.Migrate(ctx)) // nothing is left
		}
		d = empty()
		must(t, d.MigrateFrom(ctx, only(all, func(number int) bool { return number <= lastInOrder })))
		done := map[int]bool{}
		for _, number := range slices.Backward(later) {
			done[number] = true
			must(t, d.MigrateFrom(ctx, only(all, func(n int) bool { return n <= lastInOrder || done[n] })))
		}
		if diff := cmp.Diff(want, schemaOf(t, d)); diff != "" {
			t.Errorf("the last comes first: -in order +backwards\n%s", diff)
		}
	})
}

// A number that was given early and lands late is applied, before what is new.
func TestASmallerNumberLandsLater(t *testing.T) {
	fresh(t, func(t *testing.T, empty func() *db.DB) {
		table := func(name string) *fstest.MapFile {
			return &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE " + name + " (id BIGINT PRIMARY KEY);\n")}
		}
		all := map[int]*fstest.MapFile{1: table("a"), 2: table("b"), 3: table("c"), 4: table("d")}
		d := empty()
		must(t, d.MigrateFrom(t.Context(), only(all, func(n int) bool { return n == 1 || n == 3 })))
		must(t, d.MigrateFrom(t.Context(), only(all, func(int) bool { return true })))
		for _, name := range []string{"a", "b", "c", "d"} {
			var n int64
			must(t, d.QueryRow(t.Context(), `SELECT count(*) FROM `+name).Scan(&n))
		}
	})
}

// A database that a newer program has changed is refused with a sentence that says
// which and what to do, also when that change has a smaller number than ours.
func TestAnUnknownMigrationIsRefused(t *testing.T) {
	for _, unknown := range []int{9999, lastInOrder*1000 + 1} {
		fresh(t, func(t *testing.T, empty func() *db.DB) {
			d := empty()
			must(t, d.Migrate(t.Context()))
			files := only(numbered(t, d), func(int) bool { return true })
			files[strconv.Itoa(unknown)+"_x.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE later (id BIGINT PRIMARY KEY);\n")}
			must(t, d.MigrateFrom(t.Context(), files))
			refused(t, d, unknown)
		})
	}
	fresh(t, func(t *testing.T, empty func() *db.DB) {
		table := func(name string) *fstest.MapFile {
			return &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE " + name + " (id BIGINT PRIMARY KEY);\n")}
		}
		all := map[int]*fstest.MapFile{1: table("a"), 2: table("b"), 3: table("c")}
		d := empty()
		must(t, d.MigrateFrom(t.Context(), only(all, func(n int) bool { return n < 3 })))
		err := d.MigrateFrom(t.Context(), only(all, func(n int) bool { return n != 2 }))
		if err == nil || !strings.Contains(err.Error(), "migration 2,") {
			t.Errorf("one in between: %v", err)
		}
		var n int64
		if err := d.QueryRow(t.Context(), `SELECT count(*) FROM c`).Scan(&n); err == nil {
			t.Error("what is refused is migrated all the same")
		}
	})
}

func refused(t *testing.T, d *db.DB, unknown int) {
	t.Helper()
	before := schemaOf(t, d)
	err := d.Migrate(t.Context())
	if err == nil {
		t.Fatalf("migration %d is known", unknown)
	}
	for _, word := range []string{"migrating the database", "migration " + strconv.Itoa(unknown), "newer Emberlatch", "restore a backup"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if diff := cmp.Diff(before, schemaOf(t, d)); diff != "" {
		t.Error(diff)
	}
}
