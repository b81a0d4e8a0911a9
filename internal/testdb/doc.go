// Package testdb gives tests databases of their own in which all migrations have been
// applied. Applying them takes a tenth of a second on SQLite and three on PostgreSQL, and
// ten times that under the race detector: it is done once, and copied.
//
//	test ─▶ SQLite     ─▶ the bytes of one migrated file, once for a test binary ─▶ a file of the test
//	     └▶ PostgreSQL ─▶ one migrated database, once for a server and its migrations ─▶ CREATE DATABASE … TEMPLATE
//
// Tests of migrations, and of a server's first start, begin with an empty database
// (package testpg).
package testdb
