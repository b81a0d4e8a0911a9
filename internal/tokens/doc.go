// Package tokens makes and reads the tokens of the server.
//
//	Grant ─▶ MintAccess    RFC 9068 JWT, ES256, typ at+jwt
//	      ─▶ MintSystem    the same for a backend service: sub is the client, 300 s
//	   both bound to the key that a DPoP proof has shown, if one was: cnf.jkt
//	      ─▶ MintID        OpenID Connect ID token, RS256, or ES256 if registered
//	      ─▶ MintLogout    logout token of Back-Channel Logout, typ logout+jwt, 2 minutes
//	      ─▶ RefreshToken  rt_ + grant, generation, client, MAC
//	promise ─▶ PromisedCode  ac_ + the grant that it will be, sealed
//	answer ─▶ SignIntrospection  RFC 9701 JWT, RS256, or ES256 if registered
//	text  ─▶ Verify        access token ─▶ Verified, or ErrInvalid, ErrUnavailable
//
// Verified is proof: only Verify makes one. A token that was verified before is
// found again by its SHA-256, so that the signature is checked once; whether it
// has ended is asked on every call. That a token is good does not say that who presents
// it may use it: the binding to a key is a claim of the token, and package holder
// checks it wherever a token is taken as credentials.
//
// A refresh token is no row: it names the grant, the number of the token in its
// family and the client, under a MAC. The store moves the number, so the successor of a token
// is one certain text and a retry gets the same one (RFC 9700 §4.14.2). After a theft
// of keys a token of before is told apart: it is worth nothing without the proof of a
// client.
//
// A code that is given without asking is no row either, until it is redeemed: it carries
// its grant and what that stands on (promised_code.go; promised_fields.go names all of
// it once). That it opens says that it was made here; the store judges the rest.
//
// When the scopes are too many for a token (AT-09), it does not hold them and
// Verify reads them from the grant.
//
// It fulfils RFC 9068 §2 and §4, RFC 9701 §5, OpenID Connect Core §2 and §3.1.3.6, OpenID
// Connect Back-Channel Logout 1.0 §2.1 and §2.4, RFC 8725 §3, RFC 9449 §6.1, RFC 6749 §10.10. It decides nothing about
// who may see what.
package tokens
