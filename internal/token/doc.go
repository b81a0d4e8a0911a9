// Package token is the token endpoint (RFC 6749 §3.2): it exchanges an
// authorization code, a refresh token, or the credentials of a backend service, for
// an access token.
//
//	POST ─▶ form ─▶ grant type ─▶ client ─▶ may it? ─▶ proof of its key ─▶ the grant's own file ─▶ answer
//	 405 ◀┘  400 ◀┘       400 ◀┘  400/401 ◀┘    400 ◀┘             400 ◀┘              400 ◀┘        200
//
// The endpoint owns the phases, so that a grant type cannot forget one; a grant
// type owns one file: authorization_code.go, refresh_token.go,
// client_credentials.go. What is used once, a client's assertion and its proof of
// possession too, is consumed by one statement of the store before anything is minted;
// the answer leaves after the commit. A request that is refused before that statement
// spends its assertion as well, and not its proof, which opens nothing by itself.
//
// A client that is registered for DPoP (possession.go) gets tokens that are bound to
// the key of its proof, and none without one; every other client gets Bearer tokens
// whatever it sends. When the store has ended a family because of a replay, its refusal says so,
// and every live check of this process learns of it before the answer.
//
// A request is one message to PostgreSQL, whatever it is and whatever comes of it,
// since all that is asked of the database is asked by that statement: narrow.go says
// what the grant must hold, in words that need no understanding, and the store finds
// whether the user still reaches the patient and ends the grant of who does not. Only
// where the records are elsewhere, so that no statement can know whom a user reaches,
// a grant of who has lost the patient is ended by a second message.
//
// It fulfils RFC 6749 §3.2, §4.1.3, §4.1.4, §5 and §6, RFC 7636 §4.5 and §4.6,
// §4.4, RFC 9449 §5, OpenID Connect Core §3.1.3 and §12, and SMART App Launch 2.2 app launch
// ("obtain access token", "refresh access token") and backend-services. Nothing else
// is offered: no password, no device, no implicit grant, and no client credentials
// for a client with a secret.
//
// Start reading at Door.ServeHTTP.
package token
