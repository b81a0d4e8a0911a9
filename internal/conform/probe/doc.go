// Package probe gathers what the checks look at: the documents of a server, its
// keys, and launches with their tokens.
//
//	Target ─▶ New ─▶ Probe ─┬─ SMART, Provider, Keys       documents, each fetched once
//	                        ├─ Attempt                     an authorization request, to its end
//	                        ├─ Main, Launch, Fresh         a launch and its token answer
//	                        └─ Token, Post, FHIR           single requests
//
// Evidence is gathered when a check first asks for it and kept; a check that spoils
// what it uses (redeems a code twice, revokes) takes a Fresh launch. What could not
// be gathered is an error with a sentence, and the check is skipped with it.
//
// It fulfils no specification and judges nothing: package suite does that. It is
// not safe for use by several goroutines: one run, one person, one browser.
package probe
