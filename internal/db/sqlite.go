package db

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// oldestSQLite has the fix for the write-ahead log's reset race (security E-03).
const oldestSQLite = "3.51.3"

// applicationID tells in the file's header whose it is: "Embr".
const applicationID = "0x456d6272"

// sqliteEngine is a SQLite database: one writer, a pool of readers.
type sqliteEngine struct {
	path   string
	lock   *os.File
	inode  os.FileInfo
	writer *writer
	reads  *readers
}

func openSQLite(ctx context.Context, path string, cfg Config) (_ *sqliteEngine, err error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("database URL: the path must be absolute: sqlite:///path")
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := checkFilesystem(dir); err != nil {
		return nil, err
	}
	e := &sqliteEngine{path: path}
	defer func() {
		if err != nil {
			_ = e.close()
		}
	}()
	if e.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	if err := e.createFile(); err != nil {
		return nil, err
	}
	if err := e.openWriter(cfg); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	e.reads = newReaders(max(2, min(8, 2*runtime.GOMAXPROCS(0))), func() (*handle, error) { return openHandle(path, cfg.BusyTimeout, reading) })
	return e, nil
}

// createFile makes the file before SQLite does, so that it and the files beside
// it are never readable by others.
func (e *sqliteEngine) createFile() error {
	f, err := os.OpenFile(e.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("database file: %w", err)
	}
	if err := f.Chmod(0o600); err != nil {
		_ = f.Close()
		return fmt.Errorf("database file: %w", err)
	}
	e.inode, err = f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("database file: %w", err)
	}
	return nil
}

func (e *sqliteEngine) openWriter(cfg Config) error {
	h, err := openHandle(e.path, cfg.BusyTimeout, writing)
	if err != nil {
		return err
	}
	if err = checkSQLite(h); err == nil {
		// A first write: from then on there is a write-ahead log.
		_, err = h.exec("PRAGMA application_id = "+applicationID, nil)
	}
	var log *syncedLog
	if err == nil {
		log, err = openLog(e.path, e.sameFile)
	}
	if err != nil {
		return errors.Join(err, h.close())
	}
	e.writer = newWriter(h, cfg.QueueLimit, cfg.OnRoundTrip, log)
	return nil
}

// purpose is what a connection is for.
type purpose int

const (
	reading purpose = iota
	// writing leaves the last flush of a commit to syncedLog. SQLite itself flushes
	// the log before a checkpoint, and the database after it (synchronous=NORMAL).
	writing
	migrating
)

// settings of a connection, as pragmas.
func settings(to purpose) []string {
	list := []string{"foreign_keys(1)", "trusted_schema(0)", "cache_size(-16384)", "temp_store(2)"}
	log := []string{"journal_mode(WAL)", "wal_autocheckpoint(2000)", "journal_size_limit(67108864)"}
	switch to {
	case writing:
		return append(append(list, log...), "synchronous(NORMAL)")
	case migrating:
		return append(append(list, log...), "synchronous(FULL)")
	}
	return append(list, "query_only(1)")
}

// dataSource is the name of the database with its settings for database/sql, by which
// migrations run.
func dataSource(path string, busy time.Duration) string {
	wait := "busy_timeout(" + strconv.FormatInt(busy.Milliseconds(), 10) + ")"
	q := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_dqs": {"0"}, "_pragma": append([]string{wait}, settings(migrating)...)}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// checkSQLite proves the engine version and that the settings took effect.
func checkSQLite(h *handle) error {
	version, err := h.text("SELECT sqlite_version()")
	if err != nil {
		return err
	}
	if versionLess(version, oldestSQLite) {
		return fmt.Errorf("SQLite %s is older than %s, which fixes a loss of committed data", version, oldestSQLite)
	}
	for _, want := range [][2]string{{"journal_mode", "wal"}, {"synchronous", "1"}, {"foreign_keys", "1"}} {
		got, err := h.text("PRAGMA " + want[0])
		if err != nil {
			return fmt.Errorf("reading the setting %s: %w", want[0], err)
		}
		if got != want[1] {
			return fmt.Errorf("setting %s is %q, not %q: this file system may not support it", want[0], got, want[1])
		}
	}
	return nil
}

func versionLess(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, _ := strconv.Atoi(as[i])
		y, _ := strconv.Atoi(bs[i])
		if x != y {
			return x < y
		}
	}
	return len(as) < len(bs)
}

// sameFile reports whether the path still is the file that was opened.
func (e *sqliteEngine) sameFile() error {
	now, err := os.Stat(e.path)
	if err != nil {
		return fmt.Errorf("database file is gone: %w", err)
	}
	if !os.SameFile(e.inode, now) {
		return errors.New("database file was replaced by another")
	}
	return nil
}

func (e *sqliteEngine) write(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return e.writer.do(&job{ctx: ctx, fn: fn})
}

func (e *sqliteEngine) one(ctx context.Context, stmt string, args, dest []any) error {
	return e.writer.do(&job{ctx: ctx, stmt: Statement{stmt, args}, dest: dest, wantRow: true})
}

func (e *sqliteEngine) exec(ctx context.Context, stmt string, args []any) (int64, error) {
	j := &job{ctx: ctx, stmt: Statement{stmt, args}}
	err := e.writer.do(j)
	return j.changed, err
}

func (e *sqliteEngine) query(ctx context.Context, stmt string, args []any) (Rows, error) {
	return e.reads.query(ctx, true, stmt, args)
}

// find leaves out the goroutine that would wait for the end of ctx.
func (e *sqliteEngine) find(ctx context.Context, stmt string, args []any) (Rows, error) {
	return e.reads.query(ctx, false, stmt, args)
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	select {
	case <-e.failed():
		return ErrFailed
	default:
	}
	if err := e.sameFile(); err != nil {
		e.writer.fail()
		return kinded{ErrFailed, err}
	}
	rows, err := e.find(ctx, "SELECT 1", nil)
	if err != nil {
		return err
	}
	var one int
	return scanOne(rows, []any{&one})
}

func (e *sqliteEngine) size(context.Context) (int64, error) {
	var sum int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(e.path + suffix)
		if err != nil {
			return 0, fmt.Errorf("database size: %w", err)
		}
		sum += info.Size()
	}
	return sum, nil
}

func (e *sqliteEngine) stats() Stats            { return e.writer.stats() }
func (e *sqliteEngine) failed() <-chan struct{} { return e.writer.failed }

func (e *sqliteEngine) close() error {
	var errs []error
	if e.reads != nil {
		errs = append(errs, e.reads.close())
	}
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}
