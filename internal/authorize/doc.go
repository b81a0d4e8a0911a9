// Package authorize is the authorization endpoint (RFC 6749 §3.1) and the one
// place that decides how a request goes on.
//
//	GET|POST /authorize ─▶ parse ─▶ match client and redirect URI ─▶ check ─▶ store ─┐
//	          page 4xx ◀──┴──────────┘          back to the app ◀──┴─▶ launch     │
//	                                                                value used up │
//	/authorize/continue ─▶ next(facts): refuse │ login patient encounter consent │ issue ◀┘
//	                                       │         └─────────┬─────────┘           │
//	                            back to the app      the door of that step     code, back to the app
//	                                                 comes back here           or on a page
//
// Order: nothing is redirected before client and redirect URI are proven; a value
// of type redirectable is that proof, and only it can send anything back
// (RFC 6749 §4.1.2.1, RFC 9700 §4.11). An error goes to an app by itself only when
// the operator vouches for the app; to any other it is a link on a page. The audience is checked before login, so
// that a counterfeit server gains no page to type a password into.
//
// A request that another site posts arrives without cookies; it is claimed by the
// browser that follows the redirect (/authorize/continue with claim), once.
//
// An EHR launch brings a launch value that package chart has made. It is used up
// when all else about the request is right, and says whom the request is about and
// who may sign in: no picker is shown, and what a form says about the patient
// counts for nothing.
//
// A request that its client has pushed (RFC 9126) was checked, by the same function,
// when it was pushed; the browser brings its reference:
//
//	client_id, request_uri ─▶ row of this client ─▶ still as registered? ─▶ UPDATE … WHERE unused ─▶ begins as above
//	                    page ◀┘ used: goes on in the browser that began it ◀┘ page or back to the app
//
// The handle follows from the reference, so that a page that is loaded again finds
// its request; other browsers find none.
//
// next is a pure function over facts. When all facts are there already (a session,
// one patient, an approval that said not to ask again) the code is issued without
// the request ever being stored; and when the approval is a remembered one, without
// anything being written: the code carries the grant (promise.go).
//
// With response_mode=form_post the answer, an error too, is a page whose form the browser
// posts to the redirect URI; to an app that nobody vouches for a person sends an error by its
// button.
//
// It fulfils RFC 6749 §3.1, §4.1.1 and §4.1.2, RFC 7636 §4.3 and §4.4, RFC 8707 §2,
// RFC 9126 §4, RFC 9207 §2, RFC 9449 §10, OAuth 2.0 Form Post Response Mode §2, OpenID Connect Core §3.1.2, SMART App Launch 2.2 app launch and
// launch context. It does not know passwords, pickers or what an approval looks
// like, makes no launch value, fetches no request from anywhere, and does not answer
// the client that pushes: push does.
package authorize
