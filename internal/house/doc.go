// Package house tests the house itself: which package may import which, that
// every package says what it is, that files stay small, that names are words of
// the field and that both databases have the same migrations.
//
// It holds tests only. The floors are drawn in docs/ARCHITECTURE.md; a new
// package takes its place in the table of floors_test.go, with the reason for
// every edge that is not a plain step down.
package house
