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
// Who owes a second factor gets a half session first, in a table of its own, with a
// cookie of its own and for minutes. It is a Halfway, which no door takes for somebody who
// is signed in; Complete makes a session of it:
//
//	password ─▶ Start ─▶ owes nothing more ─▶ Authenticated
//	                 └─▶ Halfway ─▶ code, used up ─▶ Complete ─▶ Authenticated, with an id of its own
//
// What is owed is asked again whenever a session is read, in the statement that reads it:
// one that knows a password only is nobody's once its user has a second factor, or the
// rule asks for one (LOGIN-13, LG-17). Which code is right package factor says.
//
// Another cookie names the browser, so that an authorization request that one
// browser began cannot be continued in another.
package session
