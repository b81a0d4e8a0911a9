// Package http1 is an http.RoundTripper for one server, over HTTP/1.1, that does all of
// a call on the goroutine of its caller.
//
//	RoundTrip ─▶ a place ─▶ idle connection, if it is alive, or a new one ─▶ write ─▶ read the head ─▶ Body
//	                                                                                               │
//	                  idle ◀── read to its end, nothing after it ◀─────────────────────────────────┤
//	                closed ◀── anything else ◀─────────────────────────────────────────────────────┘
//
// net/http's Transport keeps two goroutines for each connection and hands every call to
// them and back: four switches, of which each waits for a processor when those are busy.
// A gateway pays for them twice, in throughput and in its slowest answers. Messages are
// written and read by net/http here too (Request.Write, ReadResponse); what this package
// adds is which connection, how long, and what becomes of it.
//
// A Transport goes to the server that it was made for, and nowhere else. It sends nothing
// twice but a GET without a body, over a connection that was idle and broke before the
// first byte of an answer (RFC 9110 §9.2.2): what may change something is sent once. A
// connection is used again only when an answer was read to its end, nothing came after
// it, and nothing has come since, neither on the socket nor inside of TLS (RFC 9112
// §9.3): an answer can never be taken for that of another call. Where a socket cannot be
// looked at, each connection serves one call.
//
// It fulfils RS-07 and RS-21 for the connection. It knows no proxy, redirect, cookie,
// compression, HTTP/2, upgrade or request trailer.
//
// Start reading at transport.go.
package http1
