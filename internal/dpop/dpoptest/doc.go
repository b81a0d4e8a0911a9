// Package dpoptest makes proofs of possession (RFC 9449 §4.2) as an app does, by a
// library and not by package dpop: a mistake in one must not hide in the other. It is
// for tests only.
package dpoptest
