package db

import (
	"context"
	"io/fs"
	"os"
)

// MigrateFrom applies migrations of a test's own.
func (d *DB) MigrateFrom(ctx context.Context, files fs.FS) error { return d.engine.migrate(ctx, files) }

// Migrations are the files that Migrate applies.
func (d *DB) Migrations() (fs.FS, error) { return d.dialect.migrations() }

// SetFlush takes the place of what makes the write-ahead log durable.
func (d *DB) SetFlush(flush func(*os.File) error) { d.engine.(*sqliteEngine).writer.log.flush = flush }

// Flush is what makes a file durable.
func Flush(f *os.File) error { return flush(f) }

// Lanes is how many single statements are on their way to PostgreSQL alone.
const Lanes = lanes

// Busy is how many of them are.
func Busy(d *DB) int {
	l := &d.engine.(*postgresEngine).sharer
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy
}
