package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

const (
	// maxTries bounds how often a transaction is repeated (security F-33).
	maxTries = 6
	// migrationWait is how long one migrator waits for another.
	migrationWait = 60 * time.Second
	// defaultPool is the number of connections unless the URL says otherwise.
	defaultPool = 16
)

// postgresEngine is a PostgreSQL primary behind a pool.
type postgresEngine struct {
	pool    *pgxpool.Pool
	connect *pgx.ConnConfig
	broken  chan struct{}
	sharer  sharer

	transactions, writes, retries atomic.Int64
}

func openPostgres(ctx context.Context, cfg Config) (*postgresEngine, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, errors.New("database URL: it is not a PostgreSQL address") // err may quote the password
	}
	if !strings.Contains(cfg.URL, "pool_max_conns") {
		pc.MaxConns = defaultPool
	}
	cc := pc.ConnConfig
	// Only a primary answers: a replica may not know of a revocation yet (security E-04).
	cc.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if cc.ConnectTimeout == 0 {
		cc.ConnectTimeout = 5 * time.Second
	}
	e := &postgresEngine{connect: cc.Copy(), broken: make(chan struct{})}
	timeout := strconv.FormatInt(cfg.StatementTimeout.Milliseconds(), 10)
	for name, value := range map[string]string{
		"application_name": "emberlatch", "timezone": "UTC", "client_encoding": "UTF8",
		"statement_timeout": timeout, "lock_timeout": "5000",
		"idle_in_transaction_session_timeout": "15000",
	} {
		if _, set := cc.RuntimeParams[name]; !set {
			cc.RuntimeParams[name] = value
		}
	}
	cc.DialFunc = watchedDialer(cc.DialFunc, cfg.StatementTimeout+5*time.Second, cfg.OnRoundTrip)
	cc.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 2 * time.Second}
	}
	if e.pool, err = pgxpool.NewWithConfig(ctx, pc); err != nil {
		return nil, postgresError(err)
	}
	if err := e.check(ctx); err != nil {
		e.pool.Close()
		return nil, err
	}
	return e, nil
}

// check refuses a server that would acknowledge what it may lose.
func (e *postgresEngine) check(ctx context.Context) error {
	var sync, encoding string
	err := e.pool.QueryRow(ctx, "SELECT current_setting('synchronous_commit'), current_setting('server_encoding')").Scan(&sync, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("connecting to PostgreSQL: %w", postgresError(err))
	case sync == "off":
		return errors.New("PostgreSQL has synchronous_commit=off: acknowledged revocations could be lost")
	case encoding != "UTF8":
		return fmt.Errorf("PostgreSQL database encoding is %s, it must be UTF8", encoding)
	}
	return nil
}

// watchedDialer makes connections whose reads end some time after the last
// write, so that a frozen server or swallowed packets do not hold callers for
// ever (security F-37). It also counts round trips.
func watchedDialer(dial pgconn.DialFunc, limit time.Duration, onRoundTrip func()) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn, limit: limit, onRoundTrip: onRoundTrip}, nil
	}
}

type watchedConn struct {
	net.Conn
	limit       time.Duration
	onRoundTrip func()
}

func (c *watchedConn) Write(p []byte) (int, error) {
	if c.onRoundTrip != nil {
		c.onRoundTrip()
	}
	if err := c.Conn.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// acquire waits for a connection as long as the caller does. From then on the
// caller's context no longer interrupts: E-40, the outcome is always a whole one.
func (e *postgresEngine) acquire(ctx context.Context) (*pgxpool.Conn, context.Context, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, postgresError(err)
	}
	return conn, context.WithoutCancel(ctx), nil
}

// retrying runs a try again when the server undid it, or never got it.
func (e *postgresEngine) retrying(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if err == nil {
			e.writes.Add(1)
			return nil
		}
		if n == maxTries || !repeatable(err) || ctx.Err() != nil {
			return postgresError(err)
		}
		e.retries.Add(1)
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// pause waits a little longer after each try, unevenly, so that two that
// collided do not collide again.
func pause(ctx context.Context, n int) error {
	wait := time.Duration(n) * time.Millisecond
	wait += time.Duration(time.Now().UnixNano() % int64(wait))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

func (e *postgresEngine) one(ctx context.Context, stmt string, args, dest []any) error {
	s := &sharing{ctx: ctx, stmt: stmt, args: args, read: func(rows pgx.Rows) error { return scanOne(rows, dest) }}
	return e.share(s, func() error { return e.oneAlone(ctx, stmt, args, dest) })
}

func (e *postgresEngine) oneAlone(ctx context.Context, stmt string, args, dest []any) error {
	return e.retrying(ctx, func() error {
		conn, wctx, err := e.acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		rows, err := conn.Query(wctx, stmt, args...)
		if err == nil {
			err = scanOne(rows, dest)
		}
		if err == nil || errors.Is(err, ErrNoRow) {
			e.transactions.Add(1)
		}
		return sent(conn, err)
	})
}

// sent tells a refused statement from one whose answer was lost (security F-32).
func sent(conn *pgxpool.Conn, err error) error {
	var pg *pgconn.PgError
	if err == nil || errors.As(err, &pg) || pgconn.SafeToRetry(err) || !conn.Conn().IsClosed() {
		return err
	}
	return kinded{ErrOutcomeUnknown, err}
}

func (e *postgresEngine) exec(ctx context.Context, stmt string, args []any) (n int64, err error) {
	s := &sharing{ctx: ctx, stmt: stmt, args: args, read: func(rows pgx.Rows) error {
		rows.Close()
		n = rows.CommandTag().RowsAffected()
		return rows.Err()
	}}
	err = e.share(s, func() (err error) {
		n, err = e.execAlone(ctx, stmt, args)
		return err
	})
	return n, err
}

func (e *postgresEngine) execAlone(ctx context.Context, stmt string, args []any) (n int64, err error) {
	err = e.retrying(ctx, func() error {
		conn, wctx, err := e.acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		tag, err := conn.Exec(wctx, stmt, args...)
		if err == nil {
			e.transactions.Add(1)
			n = tag.RowsAffected()
		}
		return sent(conn, err)
	})
	return n, err
}

func (e *postgresEngine) query(ctx context.Context, stmt string, args []any) (Rows, error) {
	rows, err := e.pool.Query(ctx, stmt, args...)
	if err != nil {
		return nil, postgresError(err)
	}
	return postgresRows{rows}, nil
}

func (e *postgresEngine) find(ctx context.Context, stmt string, args []any) (Rows, error) {
	return e.query(ctx, stmt, args)
}

func (e *postgresEngine) ping(ctx context.Context) error {
	return postgresError(e.pool.Ping(ctx))
}

func (e *postgresEngine) size(ctx context.Context) (int64, error) {
	var n int64
	err := e.pool.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&n)
	return n, postgresError(err)
}

func (e *postgresEngine) stats() Stats {
	return Stats{Transactions: e.transactions.Load(), Writes: e.writes.Load(), Retries: e.retries.Load(), Waiting: e.sharer.count()}
}

func (e *postgresEngine) failed() <-chan struct{} { return e.broken }

func (e *postgresEngine) close() error {
	e.pool.Close()
	return nil
}

// migrate holds a session lock on one connection while goose works on another.
func (e *postgresEngine) migrate(ctx context.Context, files fs.FS) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*migrationWait)
	defer cancel()
	holder, err := pgx.ConnectConfig(ctx, e.connect.Copy())
	if err != nil {
		return postgresError(err)
	}
	defer func() { err = errors.Join(err, holder.Close(context.WithoutCancel(ctx))) }() // releases the lock
	if _, err := holder.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return postgresError(err)
	}
	conn := stdlib.OpenDB(*e.connect.Copy())
	err = errors.Join(migrateWith(ctx, files, goose.DialectPostgres, conn), conn.Close())
	// Prepared plans may describe tables as they were.
	e.pool.Reset()
	return err
}
