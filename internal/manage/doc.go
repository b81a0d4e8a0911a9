// Package manage is the management endpoint (SMART App Launch 2.2, conformance:
// management_endpoint): the pages on which a person sees which apps get at what, and
// stops it, and looks after their own login.
//
//	/manage ─▶ signed in? ─▶ living grants ─▶ one access an app, a record, and who gave it ─▶ page
//	              no: /login ◀┘  and back       stopped ones, as history
//	/manage/stop, /manage/stop-all ─▶ signed in within five minutes? ─▶ asks once
//	    POST ─▶ form of this page, person and browser? ─▶ is it theirs to stop? ─▶ end, settle ─▶ done, with the time
//	/manage/receipt ─▶ a text to keep     /manage/sign-ins ─▶ sessions; end the others
//	/manage/looked ─▶ who looked at one's own record, by app and by who was behind it, day by day
//	/manage/emergencies ─▶ records that somebody at work has open in an emergency; end one
//	/manage/password ─▶ the password now, counted like sign-in ─▶ another; all other sessions end
//	/manage/second-step ─▶ on or off; new backup codes, or off: signed in within five minutes?
//	/manage/second-step/set-up ─▶ secret, code of it ─▶ on; backup codes, once; all other sessions end
//
// Who sees what (gather.go decides, docs/adr/0019):
//
//   - everybody sees and stops what they gave, whomever it is about;
//   - whoever has a record of their own and reaches it also sees and stops what those
//     who stand for them gave about it, and sees, by app and without names, what people
//     who treat them use with it, which is not theirs to stop;
//   - nobody sees what others gave about a record that is not their own, those whom
//     they stand for included; and the name of a record that they do not reach is not said.
//
// What ends, ends before the page says so: refresh tokens and codes in the store, access
// tokens in this process at once and in others within a poll of package live. What was
// remembered is forgotten with it, so that the app has to ask again (REVOKE-15).
//
// It fulfils 45 CFR 170.315(g)(10)(vi) and rows CONS-18, CONS-19, REVOKE-09, DISC-20, AUD-16 and LOGIN-13.
// It narrows nothing, adds no time to an access, and knows no passkeys.
package manage
