package db

import (
	"context"
	"io/fs"
)

// MigrateFrom applies migrations of a test's own.
func (d *DB) MigrateFrom(ctx context.Context, files fs.FS) error { return d.engine.migrate(ctx, files) }

// Migrations are the files that Migrate applies.
func (d *DB) Migrations() (fs.FS, error) { return d.dialect.migrations() }
