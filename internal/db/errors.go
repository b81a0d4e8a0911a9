package db

import (
	"errors"
	"fmt"
)

// Sentinels, compared with errors.Is.
var (
	// ErrNoRow: the statement matched nothing.
	ErrNoRow = errors.New("db: no row")
	// ErrUnique: a unique or primary key value is taken.
	ErrUnique = errors.New("db: value is taken")
	// ErrUnavailable: the database cannot do this now (busy, full, unreachable,
	// overloaded); nothing was changed and the caller may try later.
	ErrUnavailable error = unavailable{}
	// ErrOutcomeUnknown: the connection broke after the statement was sent; it may
	// have been committed or not. Never repeat it blindly.
	ErrOutcomeUnknown = errors.New("db: outcome unknown")
	// ErrFailed: the database broke its promise earlier and is not used any more.
	ErrFailed = errors.New("db: failed, restart needed")
	// ErrInUse: another process has this SQLite database.
	ErrInUse = errors.New("db: used by another process")
	// ErrNested: a Write, One or Exec of the DB inside a Write; use its Tx.
	ErrNested = errors.New("db: write inside a write, use the Tx")
	// ErrClosed: the DB was closed.
	ErrClosed = errors.New("db: closed")
	// ErrText: an argument holds a zero byte or invalid UTF-8, which PostgreSQL
	// cannot store; SQLite refuses the same here.
	ErrText = errors.New("db: text with a zero byte or invalid UTF-8")
)

// unavailable tells doors, which know no database, that a later try may succeed.
type unavailable struct{}

func (unavailable) Error() string   { return "db: unavailable" }
func (unavailable) Temporary() bool { return true }

// PanicError is what a Write returns when its function panicked.
type PanicError struct {
	Value any
	Stack []byte // for the log
}

func (e *PanicError) Error() string { return fmt.Sprintf("db: panic in a write: %v", e.Value) }

// kinded adds a sentinel to a driver's error, keeping both.
type kinded struct {
	kind, err error
}

func (k kinded) Error() string   { return k.kind.Error() + ": " + k.err.Error() }
func (k kinded) Unwrap() []error { return []error{k.kind, k.err} }
