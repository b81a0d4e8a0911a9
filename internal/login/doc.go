// Package login proves who a person is: the step between an authorization request
// and everything that needs somebody.
//
//	/login?request=H ─▶ sign-in page
//	POST sign-in ─▶ count the try ─▶ verify ─▶ session ─▶ fact: who, when, how ─▶ continue
//	       too many: wait ◀┘   one text ◀┘
//	                                 └─▶ half session, when more is owed ─▶ second step
//	POST continue ─▶ adopt the session that exists     POST cancel ─▶ refused
//
// Pages of a person's own need somebody as well, and no app has asked: then the handle
// names a place, the same page is shown and counted alike, and the browser goes there.
// A place is one of a fixed set; no address that comes with a request is gone to.
//
// Wrong name, wrong password, unknown and disabled accounts get one text and cost
// one hash (LOGIN-10). Tries are counted by account and by address before anything
// is verified, durably and for all processes; too many mean waiting for the end of
// the window, never a lasting lock (LOGIN-11). Who guesses an account's password
// without a pause makes its owner wait as well, as long as that goes on: the count
// is by account, wherever the tries come from (LG-03).
//
// Who has a second factor, or a role of which one is required, is half signed in after the
// password (second.go):
//
//	/login/second?request=H ─▶ half signed in? ─▶ has a factor: code page; has none: secret to set up
//	POST code, or backup code ─▶ count the try ─▶ match ─▶ spend it and begin the session, at once
//	       one text for wrong, used, old ◀┘             └─▶ continue, or backup codes and then continue
//
// Until then nothing takes them for somebody (LG-17).
//
// It knows local accounts only; it makes no accounts, and knows no passkeys.
package login
