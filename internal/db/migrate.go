package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	_ "modernc.org/sqlite" // the driver "sqlite" of database/sql
)

//go:embed migrations
var migrationFiles embed.FS

// versionTable lists what was applied.
const versionTable = "schema_version"

// migrationLock is the PostgreSQL advisory lock that one migrator holds.
const migrationLock = 0x656d6265726c // "emberl"

// migrations are the files of a dialect.
func (d Dialect) migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations/"+d.name) }

// migrateWith applies the migrations that are missing, each in its own transaction and
// in the order of their numbers. One with a smaller number than some that were applied
// may be missing, since numbers are given when work begins: migrations stand for
// themselves, and a test applies each of them last.
func migrateWith(ctx context.Context, files fs.FS, kind goose.Dialect, conn *sql.DB) error {
	p, err := goose.NewProvider(kind, conn, files, goose.WithTableName(versionTable), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	if _, err := p.GetDBVersion(ctx); err != nil { // makes the table
		return err
	}
	if err := checkKnown(ctx, p, kind, conn); err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// checkKnown refuses a database that has been changed in a way that this program
// knows nothing of, whatever the number says.
func checkKnown(ctx context.Context, p *goose.Provider, kind goose.Dialect, conn *sql.DB) error {
	applied, err := database.NewStore(kind, versionTable)
	if err != nil {
		return err
	}
	rows, err := applied.ListMigrations(ctx, conn)
	if err != nil {
		return err
	}
	known := map[int64]bool{0: true} // goose's own first row
	for _, source := range p.ListSources() {
		known[source.Version] = true
	}
	for _, row := range rows {
		if row.IsApplied && !known[row.Version] {
			return fmt.Errorf("it has migration %d, which this program does not know: a newer Emberlatch has been here; start that one, or restore a backup from before it", row.Version)
		}
	}
	return nil
}

func (e *sqliteEngine) migrate(ctx context.Context, files fs.FS) error {
	conn, err := sql.Open("sqlite", dataSource(e.path, migrationWait))
	if err != nil {
		return err
	}
	conn.SetMaxOpenConns(1)
	return errors.Join(migrateWith(ctx, files, goose.DialectSQLite3, conn), conn.Close())
}
