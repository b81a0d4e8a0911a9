// Package consent asks the person whether an app may, and records the answer
// (OpenID Connect Core §3.1.2.4; 45 CFR 170.315(g)(10)).
//
//	requested scopes ─▶ pieces: one checkbox each ─▶ page, last choice filled in
//	ticked pieces ─▶ approved scopes ─▶ fact ─▶ continue          deny ─▶ refused
//
// A requested scope is cut into pieces: a wildcard into the types it stands for,
// reading apart from writing, and Condition and Observation into the categories
// that people may choose one by one (CONS-03, CONS-04). When every piece is left
// ticked the scope is granted in the words in which it was asked for; otherwise the
// ticked pieces are, and never more than was asked. A form can only choose among
// the pieces of its own request.
//
// Who signed in and whose record it is are not choices; offline access is one, with
// its length (CONS-08, CONS-20).
//
// Developers see the same page of their app before people do, and choose what it asks
// for in the same words (preview.go).
//
// It decides nothing about silence: package authorize knows when not to ask.
package consent
