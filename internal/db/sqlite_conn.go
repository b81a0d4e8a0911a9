package db

import (
	"context"

	"zombiezen.com/go/sqlite"
)

// sqliteConn runs statements on the writer's connection. It never lets a
// context interrupt one: SQLite would roll back the transaction that others
// share. Tx checks the context between statements instead.
type sqliteConn struct {
	handle *handle
	// lost is set by an error after which SQLite may have ended the transaction.
	lost bool
}

func (c *sqliteConn) query(_ context.Context, text string, args []any) (Rows, error) {
	rows, err := c.handle.query(context.Background(), text, args, c.note, nil)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func (c *sqliteConn) exec(_ context.Context, text string, args []any) (int64, error) {
	n, err := c.handle.exec(text, args)
	if err != nil {
		return 0, c.note(err)
	}
	return n, nil
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
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultConstraint, sqlite.ResultMismatch, sqlite.ResultRange, sqlite.ResultTooBig, sqlite.ResultAuth,
		sqlite.ResultError: // also what is no error of SQLite
		return true
	}
	return false
}

// sqliteError adds our sentinel to the driver's error.
func sqliteError(err error) error {
	if err == nil {
		return nil
	}
	switch code := sqlite.ErrCode(err); {
	case code == sqlite.ResultConstraintUnique, code == sqlite.ResultConstraintPrimaryKey:
		return kinded{ErrUnique, err}
	case breaksPromise(code):
		return kinded{ErrFailed, err}
	case cannotNow(code):
		return kinded{ErrUnavailable, err}
	}
	return err
}

// cannotNow reports errors after which a later try may succeed.
func cannotNow(code sqlite.ResultCode) bool {
	switch code.ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultNoMem,
		sqlite.ResultCantOpen, sqlite.ResultReadOnly, sqlite.ResultInterrupt:
		return true
	}
	return false
}

// breaksPromise reports errors after which nothing that this process believes
// to be on disk can be trusted: a failed fsync is never retried (security F-08),
// and a damaged file is not written to (F-17).
func breaksPromise(code sqlite.ResultCode) bool {
	switch code {
	case sqlite.ResultIOErrFsync, sqlite.ResultIOErrDirFsync, corruptFilesystem, sqlite.ResultReadOnlyDBMoved:
		return true
	}
	primary := code.ToPrimary()
	return primary == sqlite.ResultCorrupt || primary == sqlite.ResultNotADB
}

// corruptFilesystem is SQLITE_IOERR_CORRUPTFS, which the library does not name.
const corruptFilesystem = sqlite.ResultIOErr | 33<<8
