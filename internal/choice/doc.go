// Package choice says in the words of people what scopes are about, and what of them a
// person may choose (CONS-03, CONS-04).
//
//	scopes ─▶ Of: pieces, one choice each ─▶ Rows ─▶ the approval page
//	                     ticked values ─▶ Approved: never more than was asked for
//	scopes ─▶ Shown ─▶ the page of connected apps, in the same words
//	client ─▶ App: who is behind it, as far as anybody knows
//
// A requested scope is cut into pieces: a wildcard into the types it stands for,
// reading apart from writing, and Condition and Observation into the categories
// that people may choose one by one. When every piece is left ticked the scope is
// granted in the words in which it was asked for; otherwise the ticked pieces are.
//
// It fulfils SMART App Launch 2.2, scopes, and 45 CFR 170.315(g)(10)(v)(A) as far as
// they say what a person may leave out. It decides nothing about who is asked, and when.
package choice
