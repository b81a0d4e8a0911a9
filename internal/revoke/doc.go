// Package revoke is the revocation endpoint (RFC 7009): a client gives back a
// token that it holds.
//
//	POST ─▶ form ─▶ client ─▶ token of this client? ─▶ end it ─▶ all checks know ─▶ 200
//	 405 ◀┘  400 ◀┘ 400/401 ◀┘          no: 200, no effect ◀┘   5xx, never a false 200
//
// A refresh token ends its whole grant, access tokens included; an access token
// ends alone (REVOKE-02, REVOKE-03). Unknown, foreign, expired and ended tokens
// are answered alike, so that nobody can ask whether a token exists (§2.2).
//
// It fulfils RFC 7009 §2.
package revoke
