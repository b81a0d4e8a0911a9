// Package factor is the second factor of people with accounts: codes by time of an
// authenticator app (RFC 6238, SHA-1, six digits, thirty seconds), and backup codes for
// the day on which the app is gone.
//
//	account, session ─▶ Offer ─▶ secret as text, as otpauth URI, as QR code
//	code of it       ─▶ Confirm ─▶ store.FactorChange: sealed secret, step, ten backup codes
//	code at sign-in  ─▶ Match ─▶ store.FactorUse ─▶ package session spends it with what it is good for
//
// An offer is derived from a key of the server, the person and the session, so that
// nothing is stored before it is confirmed, a page that is loaded again shows the same,
// and nobody confirms a secret that somebody else has seen in another session.
//
// A code is good for its step and one beside it (RFC 6238 §5.2), once: the step that was
// taken last is kept, and a later one is asked for by the statement that keeps it. So are
// backup codes, of 80 random bits, of which the SHA-256 is kept. Match decides nothing: a
// code that it finds right may have been used.
//
// Secrets are sealed with AES-256-GCM under a key that is derived from a secret of the
// server, which lies under the key-encrypting key as all of them do; a sealed secret is
// bound to its person. Both keys stay when signing keys are replaced.
//
// It counts no tries, knows no session and no page, and has no passkeys and no codes by
// mail or text message.
package factor
