// Package register turns client metadata (RFC 7591 §2) into a registered client
// and its registration response (§3.2.1).
//
//	metadata as JSON ─▶ strict reading ─▶ one rule a member ─▶ client, response with the secret once
//
// It is strict where a mistake would be somebody's open door: redirect URIs are
// compared byte for byte later, so they must be plain now; unknown scopes and grant
// types are refused, not dropped; a public client never gets the legacy switch, and a
// server with a secret no loopback redirect, but in a sandbox.
//
// Members of our own begin with emberlatch_: pkce_optional, refresh_life_seconds,
// keep_refresh_token, may_introspect, may_launch, fhir_context_references. It
// stores nothing, and offers no client that authenticates by assertion.
package register
