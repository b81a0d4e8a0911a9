// Package clientauth proves which client sends a request: at the token endpoint,
// at introspection and at revocation alike.
//
//	request ─▶ which method was tried? ─▶ exactly one ─▶ the registered one ─▶ proof ─▶ Authenticated
//	                invalid_request ◀┘       invalid_client ◀──────┴────────────┘
//
// Authenticated is proof: only this package makes one. A client authenticates by
// the method it registered and by no other, so a public client can never stand in
// for a confidential one (RFC 6749 §2.3, RFC 9700 §2.5). Unknown clients, wrong
// secrets and wrong methods are answered alike, and with equal work: a secret is hashed
// and a signature verified whoever is named.
//
// An assertion (private_key_jwt) takes more steps:
//
//	form, header, claims ─▶ client ─▶ key by kid, kty, alg ─▶ signature ─▶ Unspent ─▶ jti spent
//	 told in its own words ◀┘    one text for all ◀────┴────────┘     used before ◀┘
//
// What is wrong with an assertion by itself is told, since that says nothing about
// any client; whatever depends on what is registered has one text and costs one
// signature, with a key of nobody where there is none to verify with. One difference
// stays: a key set behind a URL is fetched once more for a kid that it does not have,
// every half minute at most, and who names such a client then waits for its host;
// client ids are random, not secret. The algorithm is one of four that use public
// keys, pinned by the key; a key comes from what is registered and never from the
// assertion. Unspent is not yet proof: the jti is spent by the store in one step with
// what the client asks for, or by Spend.
//
// Who fails again and again with one client from one address is told to wait
// (Limited); the doors are given that one.
//
// It fulfils RFC 6749 §2.3.1 (Basic with both spellings, and the body), §3.2.1 and
// §5.2, RFC 7521 §4.2, RFC 7523 §2.2 and §3, and SMART App Launch 2.2 symmetric and
// asymmetric authentication. It finds no keys: clientkey does. No mutual TLS.
//
// Start reading at Authenticator.Prove, then assertion.go and key.go.
package clientauth
