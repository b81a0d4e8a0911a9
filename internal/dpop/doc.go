// Package dpop judges proofs of possession (RFC 9449): that who sends a request has
// the private key that a token is, or is to be, bound to.
//
//	header DPoP ─▶ one, a JWT ─▶ typ alg jwk ─▶ signature ─▶ htm htu iat jti ─▶ nonce ─▶ Proof, not spent
//	                └───────────── invalid_dpop_proof ◀─────────────┴─ use_dpop_nonce ◀─┘
//	beside an access token: ─▶ ath ─▶ the key of the token ─▶ jti once ─▶ good for this request
//
// Proof is proof: only Verifier makes one. At the token endpoint its jti is spent by the
// store, in the one statement that also consumes what the request brings, so that it is
// good once at all processes and over a restart. Everywhere else it is spent in the
// memory of this process (memory.go), since a FHIR request costs no SQL for it:
//
//   - Two processes remember each for themselves, and a restart forgets. Who has both
//     an access token and a proof that was made for it can use the two once more at
//     another process, for the same method and the same address, within a minute of
//     the proof's iat; never for another address and never later.
//   - The memory is bounded. When there is no room in it nothing is let through: the
//     answer is 503, and only for keys that share the full part.
//
// A proof is good for a minute before and after its iat. A server nonce (nonce.go) is
// asked for where the operator wants one: a MAC over a time slot, the same at every
// process, at the token endpoint and at every resource, because clients keep one nonce
// for an origin. It says that a proof was not made long in advance; it is not used up.
//
// The address of a request is the public URL of the configuration and the path that
// was asked for, never what a Host header says. htu is compared after normalisation,
// without query and fragment (place.go).
//
// It fulfils RFC 9449 §4.2, §4.3, §8, §9 and §11.1. It knows no clients and no grants:
// who needs a proof, and what is bound to its key, is decided by who asks.
//
// Start reading at Verifier.Prove.
package dpop
