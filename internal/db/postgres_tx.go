package db

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func (e *postgresEngine) write(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return e.retrying(ctx, func() error { return e.transact(ctx, fn) })
}

// transact is one try of a transaction.
func (e *postgresEngine) transact(ctx context.Context, fn func(context.Context, *Tx) error) error {
	conn, wctx, err := e.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	ptx, err := conn.Begin(wctx)
	if err != nil {
		return err
	}
	over := false
	defer func() {
		if !over { // also when fn ends its goroutine
			_ = ptx.Rollback(wctx)
		}
	}()
	tx := &Tx{conn: postgresConn{ptx}}
	err = call(context.WithValue(ctx, insideWrite{}, true), tx, fn)
	tx.failed = errors.New("db: transaction is over")
	if err != nil {
		return err
	}
	over = true
	if err := ptx.Commit(wctx); err != nil {
		_ = ptx.Rollback(wctx)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) && !errors.Is(err, pgx.ErrTxCommitRollback) && !pgconn.SafeToRetry(err) {
			return kinded{ErrOutcomeUnknown, err}
		}
		return err
	}
	e.transactions.Add(1)
	return nil
}

func call(ctx context.Context, tx *Tx, fn func(context.Context, *Tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if err = fn(ctx, tx); err == nil {
		err = tx.failed
	}
	return err
}

// postgresConn runs statements in a transaction, uninterrupted: Tx looks at the
// context between them.
type postgresConn struct{ tx pgx.Tx }

func (c postgresConn) query(ctx context.Context, stmt string, args []any) (Rows, error) {
	rows, err := c.tx.Query(context.WithoutCancel(ctx), stmt, args...)
	if err != nil {
		return nil, postgresError(err)
	}
	return postgresRows{rows}, nil
}

func (c postgresConn) exec(ctx context.Context, stmt string, args []any) (int64, error) {
	tag, err := c.tx.Exec(context.WithoutCancel(ctx), stmt, args...)
	return tag.RowsAffected(), postgresError(err)
}

func (c postgresConn) batch(ctx context.Context, stmts []Statement) error {
	var b pgx.Batch
	for _, s := range stmts {
		b.Queue(s.Text, s.Args...)
	}
	return postgresError(c.tx.SendBatch(context.WithoutCancel(ctx), &b).Close())
}

// postgresRows gives pgx's rows our errors.
type postgresRows struct{ pgx.Rows }

func (r postgresRows) Err() error { return postgresError(r.Rows.Err()) }

// repeatable reports whether the server has undone everything and asks for a
// new try (40001 serialization failure, 40P01 deadlock), or was never asked.
func repeatable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	return pgconn.SafeToRetry(err)
}

// postgresError adds our sentinel to the driver's error.
func postgresError(err error) error {
	if err == nil || errors.Is(err, ErrNoRow) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known kinded
	if errors.As(err, &known) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "23505":
			return kinded{ErrUnique, err}
		case pg.Code == "22021" || pg.Code == "22P05":
			return kinded{ErrText, err}
		case pg.Code == "55P03" || pg.Code == "57014" || pg.Code[:2] == "53" || pg.Code[:2] == "57" ||
			pg.Code[:2] == "58" || pg.Code[:2] == "08" || pg.Code[:2] == "25" || pg.Code[:2] == "40":
			return kinded{ErrUnavailable, err}
		}
		return err
	}
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &connect), pgconn.SafeToRetry(err), pgconn.Timeout(err):
		return kinded{ErrUnavailable, err}
	}
	return err
}
