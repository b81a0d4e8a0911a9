// Package flow is an authorization request under way in a browser: what every step
// has in common.
//
//	/step?request=HANDLE ─▶ Open: this browser's, unanswered, not too old ─▶ Step
//	form ─▶ Form: POST, same site, ticket of this step ─▶ what was typed
//	Step ─▶ Save one fact (compare-and-set) ─▶ 303 /authorize/continue?request=HANDLE
//
// Steps never call each other: each adds its fact and goes back to the one place
// that decides what comes next (package authorize). A ticket is a MAC over the
// handle, the browser, the session, the step and the version of the request, so it
// is good for one form that was shown here, and for one change (CONS-17, RFC 9700
// §4.7).
//
// Pages of a person's own belong to no request and no app: their forms carry a ticket
// over the browser, the session, the path and what the page is about (own.go).
//
// A request that somebody else's browser began, that does not exist or that was
// answered gets a page, never a redirect. It decides nothing about people, patients
// or scopes.
package flow
