// Command emberlatch-load measures the built binary over loopback HTTP and prints
// each figure beside a ceiling that it measures in the same run: a bare net/http
// handler with a body of the same size under the same client, one durable commit
// after another, and the machine's own signing.
//
//	emberlatch-load --binary bin/emberlatch [--seconds 2] [--json]
//
// It starts a sandbox of its own in a temporary folder, on SQLite, and stops it. It
// measures nothing that the sandbox does not offer: PostgreSQL figures come from the
// benchmarks of internal/db and internal/store.
package main
