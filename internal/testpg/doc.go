// Package testpg gives tests a PostgreSQL database of their own.
//
// EMBERLATCH_TEST_POSTGRES names a server by URL (make test starts one). Without
// it a throw-away server is started from the installed binaries, once for a test
// binary, as a user without rights when the tests run as root. Where PostgreSQL
// is not installed tests are skipped with a sentence; with CI set they fail.
package testpg
