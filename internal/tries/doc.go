// Package tries bounds how often a password, or a code of a second factor, may be guessed.
//
//	name typed, address ─▶ Wait: count both, durably ─▶ 0: verify it, or how long to wait
//	                                      right ─▶ Forget the account's count
//
// A try is counted by account and by address before anything is verified, for all
// processes (LOGIN-11). Every page that takes a password counts here, so that none of
// them is a second budget (LG-03, LG-05). Too many mean waiting for the end of the
// window, never a lasting lock.
//
// Codes of a second factor are counted apart (WaitCode), so that whoever knows a password
// gains no fresh budget of codes by typing it again.
//
// It verifies nothing, and knows no account.
package tries
