// Package db opens the database and runs statements on it. It hides two engines
// behind one DB: SQLite (modernc.org/sqlite by zombiezen.com/go/sqlite, one process; ADR
// 39) and PostgreSQL (pgx, several processes). It knows SQL, transactions and migrations, and
// nothing of what the tables mean: internal/store/storesql and
// internal/fhirstore/fhirsql hold the statements.
//
// SQLite. All writes go through one connection. Callers queue; the writer takes
// everyone who waits into one BEGIN IMMEDIATE … COMMIT, so that they share one
// flush of the write-ahead log, and they are answered after it:
//
//	Write(fn1) ─┐                 SAVEPOINT fn1 RELEASE
//	One(stmt)  ─┼─▶ queue ─▶ BEGIN          stmt        COMMIT ─▶ flush ─▶ answers
//	Write(fn2) ─┘                 SAVEPOINT fn2 ROLLBACK TO  (fn2 failed alone)
//
// The flush is ours and not SQLite's (ADR 30), so that the next group runs
// meanwhile; its own commit waits for the flush before.
//
// Reads have their own read-only connections and never wait for the writer. A result
// holds one of them until it is closed or at its end.
//
// PostgreSQL. One and Exec are a single round trip of a cached prepared
// statement; while some are on their way, those that wait form the next message,
// which is one transaction (ADR 32). Write is a transaction, repeated a few times
// when the server reports a serialization failure or a deadlock.
//
// On both: what has been answered is durable; a cancelled caller either never
// started or gets the real outcome; a failed statement fails its whole Write;
// statements use $1, $2, …; times are Unix milliseconds by NowExpr, the
// database's own clock.
//
// Migrations are files that stand for themselves. Those that a database lacks are
// applied in the order of their numbers, also when greater ones were applied before;
// one that this program does not know means a newer program, and is refused.
//
// Start reading at DB, then sqlite_writer.go, sqlite_log.go, sqlite_handle.go, postgres.go,
// postgres_shared.go.
//
// What it does not do: build queries, cache results, know any table.
package db
