// Package tries bounds how often a password may be guessed.
//
//	name typed, address ─▶ Wait: count both, durably ─▶ 0: verify it, or how long to wait
//	                                      right ─▶ Forget the account's count
//
// A try is counted by account and by address before anything is verified, for all
// processes (LOGIN-11). Every page that takes a password counts here, so that none of
// them is a second budget (LG-03, LG-05). Too many mean waiting for the end of the
// window, never a lasting lock.
//
// It verifies nothing, and knows no account.
package tries
