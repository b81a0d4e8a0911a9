// Package introspect is the introspection endpoint (RFC 7662): a caller that may
// ask learns whether an access token is good now, for whom and for what.
//
//	POST ─▶ form ─▶ caller: client credentials, or an access token ─▶ token ─▶ whose? ─▶ ours:   verify ─▶ active
//	 405 ◀┘  400 ◀┘                                        401 ◀┘   400 ◀┘           └▶ listed: ask    ─▶ active
//	                                                                                              503 ◀┘
//	found ─▶ one text ─▶ as JSON, or signed for the caller
//
// A client learns about its own tokens; one with the permission to introspect
// about all (INTRO-04, INTRO-14), those of listed other servers as well. Everything
// else, refresh tokens included, is {"active":false} and nothing more; so is a token
// whose user does not reach its patient any more. Who asks in vain too often waits, for
// a no only.
//
// It fulfils RFC 7662 §2 and §4, RFC 9701 §4 and §5 (switched off by default, without
// encryption), and SMART App Launch 2.2 token introspection: patient and encounter
// stand in the token, the rest of its launch context in the grant, which is read once.
// Which other servers
// there are, and how they are asked, is trust's question.
//
// Start reading at Door.find, then judge.go.
package introspect
