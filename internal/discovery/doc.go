// Package discovery publishes what the server offers: the SMART configuration
// below the FHIR base, the OpenID provider configuration, the authorization
// server metadata, the key set, and the user-access brands.
//
//	Features ──New──▶ three documents, made once ──▶ GET: 200, 304 by ETag
//	keys.Ring ─────▶ key set, made when keys change
//	brand.Bundle ──▶ as package brand has judged it, with a weak entity tag
//
// One list of features makes all documents, so that they cannot contradict each
// other, and nothing is advertised that is not switched on (DISC-34, IN-11). All
// URLs come from the configuration, never from a request (DISC-37).
//
// It fulfils SMART App Launch 2.2 conformance and user-access brands, OpenID Connect
// Discovery §3 and §4, RP-Initiated Logout §2.1, RFC 8414 §2 and §3, RFC 9126 §5,
// RFC 9207 §3, RFC 9449 §5.1, and RFC 9701 §7.
package discovery
