// Package brokentest is a small SMART server in memory that is right by default and
// can be made wrong in one named way at a time. Tests of the conformance checker
// prove with it that each check fails when, and only when, it must.
//
//	Start("pkce-plain") ─▶ Server{Base, clients, person}   with exactly that defect
//
// Wherever the code asks s.bad("a-name"), the branch is the defect; everything else is
// how a server should be. It shares no code with the checker or with the product, on
// purpose: a mistake in one must not hide in the other. It is for tests only, keeps
// nothing, and listens on loopback.
package brokentest
