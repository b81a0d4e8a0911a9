// Package door is what all doors have in common: how answers are written, what a
// request may look like, and the headers that every answer carries.
//
//	listener ─▶ NewServer limits ─▶ Chain: request id, recover, log, Host, refusals,
//	            headers ─▶ route ─▶ CORS ─▶ the door
//
// JSON, WriteOAuthError and WriteBearerError are the only writers of protocol
// answers; they set Cache-Control and Pragma (RFC 6749 §5.1). One line is logged
// for each request: route, status, time and an id; never a query string, a header
// or a body.
//
// It fulfils RFC 6749 §5.2, RFC 6750 §3, the Fetch standard's preflight, and rules
// E-16, E-35, E-37 and E-38 of the security design. It knows no endpoint.
package door
