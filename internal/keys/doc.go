// Package keys holds the signing keys and the symmetric secrets of the server.
//
// They are made by the first process that opens an empty database, and kept there
// sealed under the key-encrypting key, a file that only the server reads
// (AES-256-GCM; the kid and the use are bound to the ciphertext). A database that
// has keys never gets new ones because a file is wrong or missing: that is an
// error, not a reason to begin anew.
//
//	Open ─▶ Ring ─▶ Sign      JWS compact form, fixed header per key
//	             ─▶ Verify    key by kid, algorithm pinned by the key
//	             ─▶ JWKS      public halves
//	             ─▶ Secret    named 32 bytes
//	             ─▶ Live      named 32 bytes that are replaced with stolen keys
//
// Signing uses the standard library with a header made beforehand (RFC 7515 §3.1,
// RFC 7518 §3.3 and §3.4); nothing of a token chooses key or algorithm.
//
// # The life of a key
//
//	       Ahead            Every             KeepAccess, KeepID
//	made ────────▶ signs ────────────▶ retired ────────────────▶ gone
//	└─────────────────── published, verifies ──────────────────┘
//
// OpenID Connect Core §10.1.1: a key is published before it is used, for longer
// than anybody keeps a key set, and stays until the last token that it signed has
// ended. A rotation writes the whole of that in one transaction, as times of the
// old keys and the new ones. From then on every process goes by its own clock: no
// process has to be alive, or to hear of anything, at the moment when the signer
// changes. All keys rotate together.
//
//	Keep     by schedule: rotates when it is time, removes what is gone
//	Rotate   the next keys begin their life now
//	Replace  after a theft: new keys sign at once, what was there is gone at once, and
//	         so are the secrets that could have been read with them (secret.go)
//	Reseal   a new key-encrypting key takes the place of the old one
//
// Every change stands on what was read (compare-and-set over all rows), so of
// several processes one decides. The others reload with the change feed; a process
// that cannot is one whose feed is stale, and vouches for nothing.
//
// After Replace a process may meet a token whose key it has not read yet:
// ErrUnknownKey tells this apart, so that the caller can look again.
//
// It does not choose the algorithm of a token, and keeps no key outside of the
// database.
package keys
