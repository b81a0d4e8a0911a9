// Package suite is what the conformance checker checks: tables of checks, one file
// a subject.
//
//	smart  discovery, CORS, launch, token, scope, refresh, introspection, revocation,
//	       FHIR, asymmetric clients, backend services    (SMART App Launch 2.2)
//	oidc   provider metadata, keys, ID token, UserInfo, prompt
//	       (OpenID Connect Core and Discovery)
//	bcp    redirect URIs, authorization requests, codes, PKCE, client
//	       authentication, refresh tokens, tokens, proofs of possession, pages
//	       (RFC 9700, RFC 9449)
//
// A Check is a value: the id of a requirement or attack row, how binding it is, a
// sentence of what is expected, and a function that returns a Verdict. The zero
// Verdict is a failure; only pass makes a success, so that a check that forgets to
// decide has failed. Ids are unique over all suites; a letter behind a number tells
// several checks of one row apart.
//
// A negative check counts only when the same request succeeds without its fault:
// package probe makes the main launch first. What cannot be found out without being
// the server (hashes at rest, entropy, logs, clocks) is not checked here.
package suite
