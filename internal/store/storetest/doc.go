// Package storetest is the suite that every store passes, on SQLite and on
// PostgreSQL: what is used once is used once, also by fifty callers and two
// processes at the same time.
package storetest
