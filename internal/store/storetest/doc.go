// Package storetest is the suite that every store passes, on SQLite and on
// PostgreSQL: what is stored comes back whole, what is used once is used once,
// also by fifty callers and two processes at the same time, what ends access is
// told, and what was acknowledged is there after the process was killed.
//
// EMBERLATCH_LONG runs the races 200 times instead of 20, and the tests that
// need very many rows. Start reading at world_test.go.
package storetest
