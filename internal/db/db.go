package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"
)

// Config says which database to open and how.
type Config struct {
	// URL is sqlite:///absolute/path or postgres://…; see SQLiteURL.
	URL string
	// StatementTimeout ends a statement on PostgreSQL; 0 means 20 s.
	StatementTimeout time.Duration
	// BusyTimeout is how long a SQLite write waits for a lock that another
	// process holds; 0 means 5 s.
	BusyTimeout time.Duration
	// QueueLimit is how many writes may wait on SQLite; 0 means 4096. Above it
	// callers get ErrUnavailable at once.
	QueueLimit int
	// MovableClock lets MoveClock shift the database's time. For tests only: it
	// costs a table lookup in each use of NowExpr.
	MovableClock bool
	// OnRoundTrip, if set, is called for each message sent to PostgreSQL and each
	// transaction begun on SQLite. For tests.
	OnRoundTrip func()
}

// DB is an open database. All methods may be called at the same time.
type DB struct {
	engine  engine
	dialect Dialect
	movable bool
}

// engine is what each kind of database gives.
type engine interface {
	write(ctx context.Context, fn func(context.Context, *Tx) error) error
	one(ctx context.Context, stmt string, args, dest []any) error
	exec(ctx context.Context, stmt string, args []any) (int64, error)
	query(ctx context.Context, stmt string, args []any) (Rows, error)
	find(ctx context.Context, stmt string, args []any) (Rows, error)
	migrate(ctx context.Context, files fs.FS) error
	ping(ctx context.Context) error
	size(ctx context.Context) (int64, error)
	stats() Stats
	failed() <-chan struct{}
	close() error
}

// Statement is SQL text with its arguments.
type Statement struct {
	Text string
	Args []any
}

// Stats counts what a DB has done since it was opened.
type Stats struct {
	Transactions int64 // committed; on SQLite each is one fsync
	Writes       int64 // acknowledged Write, One and Exec
	Retries      int64 // PostgreSQL: repeated after 40001 or 40P01
	Waiting      int   // callers in the queue now
}

// Open opens the database and checks that it can keep its promises. It does not
// migrate. The caller closes it.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, errors.New("database URL: it cannot be parsed") // the text may hold a password
	}
	if cfg.StatementTimeout <= 0 {
		cfg.StatementTimeout = 20 * time.Second
	}
	if cfg.BusyTimeout <= 0 {
		cfg.BusyTimeout = 5 * time.Second
	}
	if cfg.QueueLimit <= 0 {
		cfg.QueueLimit = 4096
	}
	d := &DB{movable: cfg.MovableClock}
	switch u.Scheme {
	case "sqlite":
		d.dialect = SQLite
		if u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("database URL: sqlite takes an absolute path and nothing else: sqlite:///path")
		}
		d.engine, err = openSQLite(ctx, u.Path, cfg)
	case "postgres", "postgresql":
		d.dialect = PostgreSQL
		d.engine, err = openPostgres(ctx, cfg)
	default:
		return nil, fmt.Errorf("database URL: scheme %q is unknown, use sqlite:///path or postgres://", u.Scheme)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// SQLiteURL returns the URL of a SQLite database at an absolute path.
func SQLiteURL(path string) string {
	return (&url.URL{Scheme: "sqlite", Path: path}).String()
}

// Dialect returns how this database's SQL differs.
func (d *DB) Dialect() Dialect { return d.dialect }

// insideWrite marks the context that a Write gives to its function.
type insideWrite struct{}

func nested(ctx context.Context) error {
	if ctx.Value(insideWrite{}) != nil {
		return ErrNested
	}
	return ctx.Err()
}

// Write runs fn in a transaction and answers after the commit is durable. When
// fn returns an error or panics, or any of its statements failed, nothing of it
// is kept and the error is returned; other callers are not affected. fn may run
// more than once and must only use the Tx it is given; on SQLite all writers
// wait for it, so it does no slow work. A context that ends before fn has
// started withdraws the call; afterwards the real outcome is returned.
func (d *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if err := nested(ctx); err != nil {
		return err
	}
	return d.engine.write(ctx, fn)
}

// One runs one statement that returns at most one row, as a transaction of its
// own, and scans that row into dest. ErrNoRow when there is none: then nothing
// was changed by a conditional statement. It is the way to consume what may be
// used once: a single round trip on PostgreSQL, and a commit that callers who wait share.
func (d *DB) One(ctx context.Context, stmt string, args []any, dest ...any) error {
	if err := nested(ctx); err != nil {
		return err
	}
	return d.engine.one(ctx, stmt, args, dest)
}

// Exec runs one statement as a transaction of its own and returns how many rows
// it changed.
func (d *DB) Exec(ctx context.Context, stmt string, args ...any) (int64, error) {
	if err := nested(ctx); err != nil {
		return 0, err
	}
	return d.engine.exec(ctx, stmt, args)
}

// Query reads. The caller closes the Rows and checks Err. It sees only what is
// committed, also when called inside a Write on SQLite.
func (d *DB) Query(ctx context.Context, stmt string, args ...any) (Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d.engine.query(ctx, stmt, args)
}

// QueryRow reads at most one row; Scan gives ErrNoRow when there is none.
func (d *DB) QueryRow(ctx context.Context, stmt string, args ...any) Row {
	rows, err := d.Query(ctx, stmt, args...)
	return &oneRow{rows: rows, err: err}
}

// Find reads at most one row by its key. It is short, so on SQLite nothing
// interrupts it, which costs as much as the row itself.
func (d *DB) Find(ctx context.Context, stmt string, args ...any) Row {
	if err := ctx.Err(); err != nil {
		return &oneRow{err: err}
	}
	rows, err := d.engine.find(ctx, stmt, args)
	return &oneRow{rows: rows, err: err}
}

// NowExpr is the SQL expression of the database's time in Unix milliseconds.
// It is the same within a statement and the same text for the life of d.
func (d *DB) NowExpr() string {
	if d.movable {
		return "(" + d.dialect.now + " + (SELECT offset_ms FROM movable_clock))"
	}
	return d.dialect.now
}

// MoveClock shifts the database's time by so much, for all who use it. Only
// with Config.MovableClock.
func (d *DB) MoveClock(ctx context.Context, by time.Duration) error {
	if !d.movable {
		return errors.New("db: the clock is not movable")
	}
	_, err := d.Exec(ctx, `UPDATE movable_clock SET offset_ms = offset_ms + $1`, by.Milliseconds())
	return err
}

// Migrate brings the schema to the version of this program, whichever of its
// migrations are missing. Two processes that start together are safe. A schema that
// has a migration which this program does not know is refused.
func (d *DB) Migrate(ctx context.Context) error {
	files, err := d.dialect.migrations()
	if err != nil {
		return err
	}
	if err := d.engine.migrate(ctx, files); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	if !d.movable {
		return nil
	}
	return d.Write(ctx, func(ctx context.Context, tx *Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS movable_clock (id BIGINT PRIMARY KEY, offset_ms BIGINT NOT NULL)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO movable_clock (id, offset_ms) VALUES (1, 0) ON CONFLICT (id) DO NOTHING`)
		return err
	})
}

// Ping answers nil when the database can be reached and has not failed.
func (d *DB) Ping(ctx context.Context) error { return d.engine.ping(ctx) }

// Size returns how many bytes the database occupies.
func (d *DB) Size(ctx context.Context) (int64, error) { return d.engine.size(ctx) }

// Stats returns the counters.
func (d *DB) Stats() Stats { return d.engine.stats() }

// Failed is closed when the database has broken its promise (a failed fsync, a
// replaced file): nothing is acknowledged any more and the process should end.
func (d *DB) Failed() <-chan struct{} { return d.engine.failed() }

// Close waits for running writes, then closes everything.
func (d *DB) Close() error { return d.engine.close() }
