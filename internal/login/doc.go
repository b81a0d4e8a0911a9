// Package login proves who a person is: the step between an authorization request
// and everything that needs somebody.
//
//	/login?request=H ─▶ sign-in page
//	POST sign-in ─▶ count the try ─▶ verify ─▶ session ─▶ fact: who, when, how ─▶ continue
//	       too many: wait ◀┘   one text ◀┘
//	POST continue ─▶ adopt the session that exists     POST cancel ─▶ refused
//	POST /logout ─▶ end the session
//
// Wrong name, wrong password, unknown and disabled accounts get one text and cost
// one hash (LOGIN-10). Tries are counted by account and by address before anything
// is verified, durably and for all processes; too many mean waiting, never a lock
// that somebody else could put on an account (LOGIN-11).
//
// It knows local accounts only; it makes no accounts and asks for no second factor.
package login
