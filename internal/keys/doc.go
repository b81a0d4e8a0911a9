// Package keys holds the signing keys and the symmetric secrets of the server.
//
// They are made once, by the first process that opens an empty database, and kept
// there sealed under the key-encrypting key, a file that only the server reads
// (AES-256-GCM; the kid and the use are bound to the ciphertext). A database that
// has keys never gets new ones by itself: a wrong key-encrypting key is an error,
// not a reason to begin anew.
//
//	LoadKEK ─▶ Open ─▶ Ring ─▶ Sign      JWS compact form, fixed header per key
//	                        ─▶ Verify    key by kid, algorithm pinned by the key
//	                        ─▶ JWKS      public halves
//	                        ─▶ Secret    named 32 bytes
//
// Signing uses the standard library with a header made beforehand (RFC 7515 §3.1,
// RFC 7518 §3.3 and §3.4); nothing of a token chooses key or algorithm.
package keys
