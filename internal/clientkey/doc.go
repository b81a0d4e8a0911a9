// Package clientkey is the public keys by which clients prove themselves
// (private_key_jwt): judging them when they are registered, and finding the one
// key that an assertion names; and those of other servers whose tokens are checked.
//
//	registration ─▶ Check ─▶ every key good, or the first mistake in a sentence
//
//	inline jwks ──────────────────┐
//	jwks_uri ─▶ fetched, bounded ─┴▶ Set ─▶ Find(kid, algorithm) ─▶ exactly one Key, or none
//	another server's jwks_uri ────────────▶ FindAt, the same for its tokens
//
// RSA from 2048 bits signs RS384 and PS384, P-384 signs ES384, P-256 signs ES256, and
// at other servers RSA signs RS256 and PS256 as well (RFC 9068 §2.1);
// every other key is unusable: symmetric ones, other curves, keys for encryption,
// keys that show their private half. A registration with one of them is refused; in
// a fetched set they are passed over, but count when a kid is ambiguous.
//
// A key set behind a URL is kept as long as its Cache-Control says, an hour at
// most, and never used beyond. Callers for the same set share one fetch. A kid that
// is not in the set has it fetched once more, at most once in half a minute for
// each client, so that a new key works at once and made-up ones cost nothing. A
// failed fetch is not repeated for some seconds; it takes nothing away from a set
// that is still alive.
//
// It fulfils SMART App Launch 2.2 client-confidential-asymmetric (registering keys,
// key set caching, kid and kty), RFC 7517 §4 and §5, RFC 7518 §6, and the security
// design rule E-24. It does not dial: what may be fetched is egress's question. It
// does not look at assertions. Explain tells an operator what it finds.
//
// Start reading at Check, then Keys.Find.
package clientkey
