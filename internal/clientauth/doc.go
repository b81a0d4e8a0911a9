// Package clientauth proves which client sends a request: at the token endpoint,
// at introspection and at revocation alike.
//
//	request ─▶ which method was tried? ─▶ exactly one ─▶ the registered one ─▶ proof ─▶ Authenticated
//	                invalid_request ◀┘       invalid_client ◀──────┴────────────┘
//
// Authenticated is proof: only this package makes one. A client authenticates by
// the method it registered and by no other, so a public client can never stand in
// for a confidential one (RFC 6749 §2.3, RFC 9700 §2.5). Unknown clients, wrong
// secrets and wrong methods are answered alike, with equal work.
//
// Who fails again and again with one client from one address is told to wait
// (Limited); the doors are given that one.
//
// It fulfils RFC 6749 §2.3.1 (Basic with both spellings, and the body), §3.2.1 and
// §5.2, and SMART App Launch 2.2 symmetric authentication. Assertions are not
// offered: a client that is registered for them authenticates by nothing.
package clientauth
