// Package backchannel tells apps that a session has ended (OpenID Connect
// Back-Channel Logout 1.0): those that got an ID token in it and registered a
// backchannel_logout_uri.
//
//	end of a session, one transaction ─▶ rows of logout_notice     (store)
//	feed, or 5 s ─▶ Wake ─▶ which apps? ─▶ a lane for each app, 16 at most
//	lane: claim one row ─▶ logout token, made now ─▶ POST logout_token=…
//	        200: row removed, next one
//	        another answer: this row waits, next one
//	        no answer, 5xx, 429, 408: all rows of this app wait, the lane ends
//
// The person's page waits for nothing of it: the rows are written with the end of the
// session, and what is written is delivered, by whichever process of the server is
// there. A row is claimed by one statement, so that two processes never send the same
// notice at once; one that a process leaves behind is due again after its lease. A
// notice may come twice, when an answer was lost, and never with the same jti.
//
// A lane is one request at a time, so that an app that is slow or gone holds up
// nobody else and costs one request in a while: 10 seconds, then four times as long
// each time, up to an hour. After eight attempts, or a day, a notice is given up,
// which the log, the security record and the metrics tell.
//
// It fulfils Back-Channel Logout 1.0 §2.5 and §2.8. It does not decide whom to tell
// (store), makes no token (tokens), dials nothing (egress), and tells nobody of a
// session that only ran out of time: what an app keeps for its person is the app's.
//
// Start reading at Sender.Run, then lane.go.
package backchannel
