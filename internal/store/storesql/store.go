package storesql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Store keeps everything in one database. It is safe for concurrent use.
type Store struct {
	db  *db.DB
	now string // SQL expression of the database's time
	sql statements
	// judges: a refresh asks here whether its user reaches the patient.
	judges bool

	created, pushed atomic.Int64 // authorization requests, by this process
}

// statements are the texts that hold the database's time, made once.
type statements struct {
	redeem, promised, refresh, refreshWithin, standing spendable
	session                                            string
}

var _ store.Store = (*Store)(nil)

// New makes a Store on an opened, migrated database. It knows of no records: whom
// users reach is asked elsewhere.
func New(d *db.DB) *Store { return NewBeside(d, nil, false) }

// NewBeside makes a Store on a database that holds the records as well, so that a
// refresh judges by itself whom its user reaches; emergencies: an open emergency leads to
// a patient.
func NewBeside(d *db.DB, r Records, emergencies bool) *Store {
	s := &Store{db: d, now: d.NowExpr(), judges: r != nil}
	gone := lost(s.now, d.Dialect(), r, emergencies)
	s.sql = statements{
		redeem: redeemStatement(s.now).spendable(6), promised: promisedStatement(s.now, d.Dialect()).spendable(25),
		refresh:       refreshStatement(s.now, gone, whatever).spendable(6),
		refreshWithin: refreshStatement(s.now, gone, holds(d.Dialect())).spendable(9),
		standing:      standingStatement(s.now, d.Dialect()).spendable(5), session: livingSession(s.now, "v.id_hash = $1"),
	}
	return s
}

// failure turns the database's words into the contract's.
func failure(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, db.ErrNoRow):
		return store.ErrNotFound
	case errors.Is(err, db.ErrUnique):
		return store.ErrConflict
	case isContract(err):
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func isContract(err error) bool {
	for _, known := range []error{store.ErrNotFound, store.ErrConflict, store.ErrConsumed, store.ErrExpired, store.ErrMismatch, store.ErrReplayed, store.ErrProofReplayed, store.ErrFull, store.ErrRevoked} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// millis is a time as it is stored; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// moment is a time as the contract promises it: UTC, in milliseconds.
func moment(t time.Time) time.Time { return instant(millis(t)) }

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func decode[T any](text string) (T, error) {
	var v T
	err := json.Unmarshal([]byte(text), &v)
	return v, err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// notNil keeps an absent hash apart from NULL: it is stored as no bytes.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// list reads all rows of a query with one function per row.
func list[T any](ctx context.Context, s *Store, read func(db.Row) (T, error), stmt string, args ...any) ([]T, error) {
	rows, err := s.db.Query(ctx, stmt, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// announce writes to the feed inside of a transaction.
func (s *Store) announce(ctx context.Context, tx *db.Tx, kind store.ChangeKind, id string) error {
	_, err := tx.Exec(ctx, `INSERT INTO change_feed (at, kind, id) VALUES (`+s.now+`, $1, $2)`, string(kind), id)
	return err
}
