// Package chart starts apps from a patient's chart: it makes the launch values of
// an EHR launch (SMART App Launch 2.2, app launch: launch sequence; scopes: launch
// context).
//
//	client, patient, encounter, user, intent … ─▶ may this app? is this chart this user's? ─▶ value, stored as a hash
//	                                     refusal ◀┘                                           with the event of who did it
//	registered launch URL + iss + launch ─▶ the browser of the user ─▶ the app ─▶ /authorize?launch=… (package authorize)
//
// A value is 256 random bits, good once, for minutes, for one client and, when the
// EHR names a user, for that user. Nothing about the patient stands in it (CTX-03).
// What an app is told of the chart is a fixed set of members, each bounded: no name
// of a token response can be set by a launch (SL-20).
//
// Who may start apps is asked by its callers: the operators' socket, the endpoint
// of trusted clients (package launch), and the start page of the sandbox. It does
// not consume values, and offers no context that the specification does not name.
package chart
