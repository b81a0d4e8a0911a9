package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"zombiezen.com/go/sqlite"
)

// sqliteRows is the result of a query. It holds its connection until it is closed.
type sqliteRows struct {
	handle *handle
	stmt   *prepared
	ctx    context.Context // ends it
	note   func(error) error
	free   func() // gives the connection back; nil: nobody waits for it
	first  bool   // stands at a row that Next has not given yet
	done   bool   // Order: there is no more; one step further would run it again
	closed bool
	err    error
}

// step goes to the next row.
func (r *sqliteRows) step() bool {
	more, err := r.stmt.Step()
	r.done = !more
	switch {
	case err == nil:
		return more
	case r.ctx.Err() != nil:
		r.err = r.ctx.Err()
	default:
		r.err = r.note(err)
	}
	return false
}

// Next implements Rows.
func (r *sqliteRows) Next() bool {
	switch {
	case r.closed:
		return false
	case r.first:
		r.first = false
		return true
	case !r.done && r.step():
		return true
	}
	r.Close()
	return false
}

// Err implements Rows.
func (r *sqliteRows) Err() error { return r.err }

// Close implements Rows.
func (r *sqliteRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	if r.ctx.Done() != nil {
		r.handle.conn.SetInterrupt(nil)
	}
	r.handle.finish(r.stmt)
	if r.free != nil {
		r.free()
	}
}

// Scan implements Rows.
func (r *sqliteRows) Scan(dest ...any) error {
	if r.closed || r.first {
		return errors.New("db: Scan without Next")
	}
	if n := r.stmt.ColumnCount(); n != len(dest) {
		return fmt.Errorf("db: %d columns for %d values", n, len(dest))
	}
	for i, d := range dest {
		if err := column(r.stmt.Stmt, i, d); err != nil {
			return fmt.Errorf("db: column %d: %w", i+1, err)
		}
	}
	return nil
}

// column copies a column into what dest points to. What SQLite would make up, such as a
// number of a text that is none, is an error.
func column(s *sqlite.Stmt, i int, dest any) error {
	kind := s.ColumnType(i)
	if d, ok := dest.(*[]byte); ok {
		*d = nil
		if kind != sqlite.TypeNull {
			*d = make([]byte, s.ColumnLen(i))
			s.ColumnBytes(i, *d)
		}
		return nil
	}
	if kind == sqlite.TypeNull {
		return null(dest)
	}
	switch d := dest.(type) {
	case *string:
		*d = s.ColumnText(i)
		return nil
	case *int64:
		return integer(s, i, kind, d)
	case *int:
		var n int64
		err := integer(s, i, kind, &n)
		*d = int(n)
		return err
	case *bool:
		var n int64
		err := integer(s, i, kind, &n)
		*d = n != 0
		return err
	}
	return other(s, i, dest)
}

// other copies into what is written by its kind: a text with a name of its own, or a
// pointer, which a null leaves empty.
func other(s *sqlite.Stmt, i int, dest any) error {
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer {
		return fmt.Errorf("no way into a %T", dest)
	}
	switch to := v.Elem(); to.Kind() {
	case reflect.String:
		to.SetString(s.ColumnText(i))
		return nil
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return column(s, i, to.Interface())
	}
	return fmt.Errorf("no way into a %T", dest)
}

// null goes into a pointer only.
func null(dest any) error {
	if v := reflect.ValueOf(dest); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Pointer {
		v.Elem().SetZero()
		return nil
	}
	return errors.New("is null")
}

// integer reads a number, also of a text that is one.
func integer(s *sqlite.Stmt, i int, kind sqlite.ColumnType, to *int64) (err error) {
	switch kind {
	case sqlite.TypeInteger:
		*to = s.ColumnInt64(i)
	case sqlite.TypeText:
		*to, err = strconv.ParseInt(s.ColumnText(i), 10, 64)
	default:
		err = errors.New("is no integer")
	}
	return err
}
