package db

import "context"

// Rows is the result of a query. Next until false, then Err; Close may be
// called any number of times.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Row is a result of at most one row.
type Row interface {
	// Scan copies the columns, or returns ErrNoRow.
	Scan(dest ...any) error
}

type oneRow struct {
	rows Rows
	err  error
}

func (r *oneRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return scanOne(r.rows, dest)
}

// scanOne reads the first row and finishes the result, so that an error which
// the database reports last is not lost.
func scanOne(rows Rows, dest []any) error {
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return ErrNoRow
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// Tx is a transaction under way inside a Write. It must not outlive it, nor be
// used by two goroutines. After a statement failed, all following ones fail.
type Tx struct {
	conn   txConn
	failed error
}

// txConn runs statements inside a transaction.
type txConn interface {
	query(ctx context.Context, stmt string, args []any) (Rows, error)
	exec(ctx context.Context, stmt string, args []any) (int64, error)
	batch(ctx context.Context, stmts []Statement) error
}

func (t *Tx) start(ctx context.Context) error {
	if t.failed != nil {
		return t.failed
	}
	if err := ctx.Err(); err != nil {
		t.failed = err
	}
	return t.failed
}

func (t *Tx) note(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// One runs a statement and scans its first row; ErrNoRow when there is none,
// which does not fail the transaction.
func (t *Tx) One(ctx context.Context, stmt string, args []any, dest ...any) error {
	rows, err := t.Query(ctx, stmt, args...)
	if err != nil {
		return err
	}
	err = scanOne(rows, dest)
	if err == ErrNoRow { //nolint:errorlint // scanOne returns it bare
		return err
	}
	return t.note(err)
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, stmt string, args ...any) (int64, error) {
	if err := t.start(ctx); err != nil {
		return 0, err
	}
	n, err := t.conn.exec(ctx, stmt, args)
	return n, t.note(err)
}

// Query reads what this transaction sees. The Rows must be closed before the
// next statement.
func (t *Tx) Query(ctx context.Context, stmt string, args ...any) (Rows, error) {
	if err := t.start(ctx); err != nil {
		return nil, err
	}
	rows, err := t.conn.query(ctx, stmt, args)
	if err != nil {
		return nil, t.note(err)
	}
	return rows, nil
}

// QueryRow reads at most one row.
func (t *Tx) QueryRow(ctx context.Context, stmt string, args ...any) Row {
	rows, err := t.Query(ctx, stmt, args...)
	return &oneRow{rows: rows, err: err}
}

// Batch runs many statements, on PostgreSQL in one round trip. The first
// failure fails the transaction.
func (t *Tx) Batch(ctx context.Context, stmts []Statement) error {
	if len(stmts) == 0 {
		return nil
	}
	if err := t.start(ctx); err != nil {
		return err
	}
	return t.note(t.conn.batch(ctx, stmts))
}
