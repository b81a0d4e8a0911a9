// Package door is what all doors have in common: how answers are written, what a
// request may look like, and the headers that every answer carries.
//
//	listener ─▶ PerNetwork ─▶ NewServer limits ─▶ Chain: request id, headers, patience, body limit,
//	            recover, Host, refusals, paths ─▶ route ─▶ CORS ─▶ the door ─▶ one line in the log
//
// JSON, WriteOAuthError, WriteTokenError and WriteBearerError are the only writers of protocol
// answers; they set Cache-Control and Pragma (RFC 6749 §5.1), and error_uri leads to
// the page that explains the error (RFC 6749 §5.2). One line is logged for each
// request: route, status, time, an id, and the name of the error that was told (Note);
// never a path, a query string, a header or a body, nor the value of a panic. The id
// is the same on an error page and in X-Request-Id.
//
// What net/http reads in a way of its own ends the connection: a chunked body,
// beside which a Content-Length is forgotten, and HTTP/1.0, whose chunks are taken
// for nothing. A proxy may have read such a request otherwise; what it let through
// behind it never runs. Continuation lines of headers are joined by net/http before
// anything here sees them; they are one request all the same.
//
// It fulfils RFC 6749 §5.2, RFC 6750 §3, the Fetch standard's preflight, and rules
// E-16, E-35, E-37 and E-38 of the security design. It knows no endpoint, and no
// address but those of its configuration: X-Forwarded headers decide nothing here.
package door
