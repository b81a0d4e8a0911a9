// Package introspect is the introspection endpoint (RFC 7662): a caller that may
// ask learns whether an access token is good now, for whom and for what.
//
//	POST ─▶ form ─▶ caller: client credentials, or a Bearer token ─▶ token ─▶ verify ─▶ active
//	 405 ◀┘  400 ◀┘                                        401 ◀┘   400 ◀┘  {"active":false} ◀┘
//
// A client learns about its own tokens; one with the permission to introspect
// about all (INTRO-04, INTRO-14). Everything else, refresh tokens included, is
// {"active":false} and nothing more.
//
// It fulfils RFC 7662 §2 and SMART App Launch 2.2 token introspection: patient and
// encounter stand in the token, the rest of its launch context in the grant. It does
// not sign its answers (RFC 9701) and asks no other server.
package introspect
