package db

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// statementLimit bounds a statement cache: texts are constants, but searches
// are composed.
const statementLimit = 512

// statements keeps prepared statements by their text. When it is full the
// oldest half leaves; a statement in use is closed when its last user is done.
type statements struct {
	prepare func(context.Context, string) (*sql.Stmt, error)
	mu      sync.Mutex
	byText  map[string]*cached
	order   []*cached
}

type cached struct {
	*sql.Stmt
	text  string
	users int
	gone  bool
}

func newStatements(prepare func(context.Context, string) (*sql.Stmt, error)) *statements {
	return &statements{prepare: prepare, byText: map[string]*cached{}}
}

func (s *statements) get(ctx context.Context, text string) (*cached, error) {
	s.mu.Lock()
	if c, ok := s.byText[text]; ok {
		c.users++
		s.mu.Unlock()
		return c, nil
	}
	s.mu.Unlock()
	stmt, err := s.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	c := &cached{Stmt: stmt, text: text, users: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.byText[text]; twice {
		c.gone = true // another caller prepared it meanwhile; this one is used once
		return c, nil
	}
	if len(s.order) >= statementLimit {
		s.drop(statementLimit / 2)
	}
	s.byText[text] = c
	s.order = append(s.order, c)
	return c, nil
}

func (s *statements) release(c *cached) {
	s.mu.Lock()
	c.users--
	last := c.gone && c.users == 0
	s.mu.Unlock()
	if last {
		_ = c.Close() // open Rows keep the statement alive until they are closed
	}
}

// drop forgets the n oldest. The caller holds mu.
func (s *statements) drop(n int) {
	for _, c := range s.order[:n] {
		delete(s.byText, c.text)
		c.gone = true
		if c.users == 0 {
			_ = c.Close()
		}
	}
	s.order = append([]*cached(nil), s.order[n:]...)
}

func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(len(s.order))
}

// sqliteConn runs statements on the writer's connection. It never lets a
// context interrupt one: SQLite would roll back the transaction that others
// share. Tx checks the context between statements instead.
type sqliteConn struct {
	conn  *sql.Conn
	stmts *statements
	// lost is set by an error after which SQLite may have ended the transaction.
	lost bool
}

func (c *sqliteConn) query(_ context.Context, text string, args []any) (Rows, error) {
	if err := checkArgs(args); err != nil {
		return nil, err
	}
	s, err := c.stmts.get(context.Background(), text)
	if err != nil {
		return nil, c.note(err)
	}
	defer c.stmts.release(s)
	rows, err := s.QueryContext(context.Background(), args...) //nolint:sqlclosecheck,rowserrcheck // the caller closes
	if err != nil {
		return nil, c.note(err)
	}
	return sqliteRows{rows}, nil
}

func (c *sqliteConn) exec(_ context.Context, text string, args []any) (int64, error) {
	if err := checkArgs(args); err != nil {
		return 0, err
	}
	s, err := c.stmts.get(context.Background(), text)
	if err != nil {
		return 0, c.note(err)
	}
	defer c.stmts.release(s)
	res, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, c.note(err)
	}
	return res.RowsAffected()
}

func (c *sqliteConn) batch(ctx context.Context, stmts []Statement) error {
	for _, s := range stmts {
		if _, err := c.exec(ctx, s.Text, s.Args); err != nil {
			return err
		}
	}
	return nil
}

func (c *sqliteConn) note(err error) error {
	if !sparesTransaction(err) {
		c.lost = true
	}
	return sqliteError(err)
}

// sparesTransaction reports whether SQLite undoes only the statement on this
// error. On the others (full, I/O, busy, …) it may end the whole transaction.
func sparesTransaction(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return true
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH,
		sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_AUTH:
		return true
	}
	return false
}

// sqliteError adds our sentinel to the driver's error.
func sqliteError(err error) error {
	if errors.Is(err, sql.ErrConnDone) || err != nil && err.Error() == "sql: database is closed" {
		return ErrClosed
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); {
	case code == sqlite3.SQLITE_CONSTRAINT_UNIQUE, code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return kinded{ErrUnique, err}
	case breaksPromise(err):
		return kinded{ErrFailed, err}
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
		return kinded{ErrUnavailable, err}
	}
	return err
}

// breaksPromise reports errors after which nothing that this process believes
// to be on disk can be trusted: a failed fsync is never retried (security F-08),
// and a damaged file is not written to (F-17).
func breaksPromise(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_CORRUPTFS,
		sqlite3.SQLITE_READONLY_DBMOVED:
		return true
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// checkArgs refuses text that PostgreSQL could not store, so that both
// databases accept the same.
func checkArgs(args []any) error {
	for _, a := range args {
		s, ok := a.(string)
		if !ok {
			if v := reflect.ValueOf(a); v.Kind() == reflect.String {
				s = v.String()
			}
		}
		if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
			return ErrText
		}
	}
	return nil
}

// sqliteRows gives database/sql's rows our shape.
type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close()     { _ = r.Rows.Close() }
func (r sqliteRows) Err() error { return sqliteError(r.Rows.Err()) }
