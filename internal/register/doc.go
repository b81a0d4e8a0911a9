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
// A client with private_key_jwt registers jwks or jwks_uri, never both; its keys are
// judged now when they are inline, and the URL when it is one. A client with the
// grant type client_credentials is a backend service: nobody signs in to it, so it
// has no redirect URI and no scopes but system/ ones, and it does nothing else (SMART
// App Launch 2.2 backend-services).
//
// Members of our own begin with emberlatch_: pkce_optional, refresh_life_seconds,
// keep_refresh_token, may_introspect, may_launch, fhir_context_references, and data,
// which says whose records a backend service reaches. It stores nothing, and fetches
// nothing.
package register
