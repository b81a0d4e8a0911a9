// Package session is the browser session of a person: made at login, carried by a
// cookie, ended by two clocks or by signing out.
//
//	cookie ─▶ SHA-256 ─▶ store ─▶ Authenticated, or nobody
//
// Authenticated is proof: only this package makes one, from a live row. The cookie
// is new at every login (LOGIN-14), HttpOnly, SameSite=Lax, and on https bound to
// the host by its __Host- prefix. On plain http, which exists on loopback only, it
// is neither Secure nor prefixed, because clients do not send such cookies back.
//
// A second cookie names the browser, so that an authorization request that one
// browser began cannot be continued in another.
package session
