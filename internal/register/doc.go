// Package register turns client metadata (RFC 7591 §2) into a registered client
// and its registration response (§3.2.1), and changes of it into a changed one.
//
//	operator ─▶ strict reading ─────────────┐
//	                                        ├▶ one rule a member ─▶ client, response with the secret once
//	stranger ─▶ reading (§2: unknown        │
//	            members are ignored) ─▶ policy
//	change   ─▶ laid over what is there ────┘   the whole new state is judged
//
// It is strict where a mistake would be somebody's open door: redirect URIs are
// compared byte for byte later, so they must be plain now; unknown scopes and grant
// types are refused, not dropped; a public client never gets the legacy switch, and a
// server with a secret no loopback redirect, but in a sandbox. One rule judges every
// address, also those of members that are not kept.
//
// A client with private_key_jwt registers jwks or jwks_uri, never both; its keys are
// judged now when they are inline, and the URL when it is one. A client with the
// grant type client_credentials is a backend service: nobody signs in to it, so it
// has no redirect URI and no scopes but system/ ones, and it does nothing else (SMART
// App Launch 2.2 backend-services).
//
// A client that came by the form for developers asks for one patient's record at most,
// and waits for a review where the policy says so; what an operator has set for a
// client is its ceiling (ceiling.go).
//
// A client that registers itself asks for no more than the Policy allows, acts for
// people only, sets no switch of the operator, and bears neither the name of the
// organisation nor one of letters that only look alike. When it changes who it says it
// is, nobody vouches for it any longer.
//
// Members of our own begin with emberlatch_; all but maker, origins and
// fhir_context_references are set by operators only; data says whose records a
// backend service reaches. register.go reads for operators, self.go for strangers,
// change.go changes; name.go and address.go hold the longer rules.
//
// What a trusted issuer says in a software statement takes the place of what the
// client says itself (§2.3), within the same policy; where no issuer is trusted,
// statements are ignored. statement.go verifies them.
//
// token.go makes and compares registration access tokens. It stores nothing, fetches
// nothing and asks nobody who they are.
package register
