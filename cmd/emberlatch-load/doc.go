// Command emberlatch-load measures the built binary over loopback HTTP and prints
// each figure beside a ceiling that it measures in the same run:
//
//	reads of every kind   a bare net/http handler in a process of its own, with a
//	                      body of the same size, under the same client
//	redeem, refresh       one durable commit after another (SQLite), or bare commits
//	                      of one row by as many callers (PostgreSQL)
//	silent authorization  the machine's own signing on all cores
//	client_credentials    verification of the assertions' signatures on all cores, by
//	                      the standard library alone (ecdsa.VerifyASN1 and
//	                      rsa.VerifyPKCS1v15); the assertions are signed before the
//	                      clock starts, each with a jti of its own
//
//	gateway               net/http/httputil's reverse proxy, and nginx where it is
//	                      installed, in front of the same canned upstream; and how much
//	                      later answers come at half of that load
//
//	emberlatch-load --binary bin/emberlatch [--seconds 2] [--postgres URL] [--only PART] [--json]
//
// Where the ceiling has no client in it (silent authorization, redeem, refresh) the
// requests are written by hand on one connection for each caller (wire.go): net/http's
// client would take as much of the shared cores as a third of the server does. Where
// the ceiling is a handler, both are asked by net/http's client.
//
// It starts a sandbox in a temporary folder and, with a PostgreSQL URL, a server on
// that database; registers clients, a person and their record with the commands that
// an operator has; and stops them. `make bench` calls it.
//
// It does not measure what needs no HTTP (scopes, decisions, the view in a search):
// those are benchmarks beside the code, which `make bench` runs first.
package main
