// Package push is the pushed authorization request endpoint (RFC 9126): a client
// sends the parameters of an authorization request ahead, proves itself, and gets a
// reference that a browser brings to the authorization endpoint once.
//
//	POST ─▶ form ─▶ client ─▶ no request_uri ─▶ the checks of /authorize ─▶ row: hash, client, 90 s ─▶ 201 request_uri
//	 405 ◀┘  400 ◀┘ 400/401 ◀┘       400 ◀┘           400, as JSON ◀┘
//	     413    429                                             too many of this network 429 ◀┘
//
// What a browser could change on its way is out of its hands, and a mistake of the
// app is told to the app alone. The checks are not made here: package authorize
// makes them, the same function for both ways in, and begins what the reference
// names. Kept is what was checked; a launch value and an ID token are kept as the
// hash and the user they stand for, client credentials not at all.
//
// A client that is registered for DPoP may show its key here; the code is then for that
// key, as with dpop_jkt.
//
// It fulfils RFC 9126 §2 and RFC 9449 §10.1. It takes no request objects (RFC 9101), no redirect URI
// that is not registered (§2.4), and uses up no launch value. Divergence: an
// assertion names the token endpoint or the issuer as its audience, as everywhere
// else, and not this endpoint (§2).
package push
