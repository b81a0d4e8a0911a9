// Command catalogue makes docs/errors.md of the error catalogue in internal/oauth,
// which is the only source of what the server and its documentation say about
// errors (RFC 6749 §5.2, error_uri).
//
//	oauth.Catalogue, oauth.Codes ─▶ render ─▶ docs/errors.md, or with -check: is it current?
//
// It judges nothing: that every error of the catalogue is used, with its code, is
// tested by package house. FHIR's OperationOutcomes are not errors of the catalogue.
package main
