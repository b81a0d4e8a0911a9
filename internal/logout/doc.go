// Package logout is the end session endpoint (OpenID Connect RP-Initiated Logout
// 1.0): an app, or a person, ends the browser session.
//
//	GET|POST /logout ─▶ parse ─▶ match client and return ─▶ who is signed in here?
//	         page 400 ◀──┴──────────┘                        │
//	      nobody, or the person of the hint ◀────────────────┤
//	         end the session ─▶ back to the app, or a page   │ anybody else, or no hint
//	          │         ▲                                    ▼
//	          │         └────────── sign out ◀── page: sign out, or stay?
//	          └▶ apps that are to be told, in the same transaction: package backchannel
//
// A valid id_token_hint names the person that the app means, expired or not (§2 and
// §4); any other text is no hint, a logout token too. Without one, or with one of
// another person, the person at the browser is asked.
//
// On plain http two cookies of our name may arrive. Which one is ours nobody knows, so
// nobody is signed in; here the sessions of both are shown, and both end.
//
// Nothing is redirected to but a URI that the app registered, byte for byte (§3).
// A value of type destination is that proof, and only match makes one. What the page
// carries is sealed with a MAC for this browser, and is matched again. An app that the
// operator does not vouch for gets the browser by a link on a page, unless it brings the
// hint of the person who was signed in (RFC 9700 §4.11.2).
//
// A form of another site comes without cookies; it is sent on as a GET, which has
// them. What lives by the session ends with it, so online_access ends and
// offline_access goes on (LOGOUT-07).
//
// It sends nothing to other apps itself, and offers no front-channel logout: browsers
// keep cookies from frames of other sites, and a window that is closed tells nobody.
package logout
