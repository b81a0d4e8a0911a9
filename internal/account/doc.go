// Package account is about the credentials of people: how a user name is
// compared, how a password is kept, and which password is good enough.
//
//	user name ─▶ UsernameKey   PRECIS UsernameCaseMapped (RFC 8265 §3.3)
//	password  ─▶ CheckPassword ─▶ HashPassword   argon2id, 19 MiB, two passes
//	login     ─▶ Verify        the same work whether the account exists or not
//
// Hashing takes memory and time on purpose, so a fixed number of calls run at
// once and the others wait with their context. Parameters stand in each hash;
// NeedsRehash says when a password should be hashed anew at the next login.
//
// It keeps nothing and decides nothing about sessions or tries.
package account
