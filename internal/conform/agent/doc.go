// Package agent is how the conformance checker speaks to a server: a bounded HTTP
// client, and the person's part of an authorization request.
//
//	Wire ─────▶ one request, one bounded answer; only to the origins that were named
//	Browser ──▶ Wire with cookies; follows redirects until the server lets go of it
//	Person ───▶ Script fills in the forms of a login and an approval
//	            Manual prints the URL and waits for the callback on loopback
//
// A browser stops at the redirect URI of the app and at every other origin: nothing
// is ever loaded there. Redirects are followed by hand, so that each hop is seen.
//
// It does not run JavaScript, keeps nothing on disk, uses no proxy and judges
// nothing: package suite does that.
package agent
