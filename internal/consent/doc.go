// Package consent asks the person whether an app may, and records the answer
// (OpenID Connect Core §3.1.2.4; 45 CFR 170.315(g)(10)).
//
//	requested scopes ─▶ pieces: one checkbox each ─▶ page, last choice filled in
//	ticked pieces ─▶ approved scopes ─▶ fact ─▶ continue          deny ─▶ refused
//
// Package choice cuts what is asked for into pieces; a form can only choose among the
// pieces of its own request, so that what is granted is never more than was asked.
//
// Who signed in and whose record it is are not choices; offline access is one, with
// its length (CONS-08, CONS-20).
//
// Developers see the same page of their app before people do, and choose what it asks
// for in the same words (preview.go).
//
// It decides nothing about silence: package authorize knows when not to ask.
package consent
