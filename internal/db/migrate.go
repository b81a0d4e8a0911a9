package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrationFiles embed.FS

// migrationLock is the PostgreSQL advisory lock that one migrator holds.
const migrationLock = 0x656d6265726c // "emberl"

// migrateWith applies the migrations of a dialect, each in its own transaction.
func migrateWith(ctx context.Context, d Dialect, kind goose.Dialect, conn *sql.DB) error {
	files, err := fs.Sub(migrationFiles, "migrations/"+d.name)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(kind, conn, files, goose.WithTableName("schema_version"))
	if err != nil {
		return err
	}
	current, newest, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > newest {
		return fmt.Errorf("schema version %d was made by a newer program than this one (%d)", current, newest)
	}
	_, err = p.Up(ctx)
	return err
}

func (e *sqliteEngine) migrate(ctx context.Context) error {
	conn, err := sql.Open("sqlite", dataSource(e.path, migrationWait, "rw"))
	if err != nil {
		return err
	}
	conn.SetMaxOpenConns(1)
	return errors.Join(migrateWith(ctx, SQLite, goose.DialectSQLite3, conn), conn.Close())
}
