// Package recovery lets a person who cannot sign in choose another password, with a code
// that came to them out of band (RFC 9700 §4.14.2, LOGIN-19).
//
//	operator ─▶ code, once ─▶ letter, desk, telephone ─▶ the person
//	/recover?request=H ─▶ user name, code, birth date, new password
//	POST ─▶ mistakes of the form cost nothing
//	     ─▶ count the try: address, total ─▶ hash the new password ─▶ code (counted) ∧ account ∧ birth date
//	         too many: wait ◀┘                one text for every failure ◀┘
//	     ─▶ one transaction: code used, password, all sessions ended, apps if so wished ─▶ done ─▶ /login?request=H
//
// Nobody is signed in here: the page leads to sign-in, inside of the request that brought the
// person or to a page of their own, and what is asked there is asked of them too (a second
// factor, LOGIN-14). There is one form and no step between, so that none can be skipped
// (LG-15).
//
// Unknown names, wrong, used, replaced and expired codes, a code of somebody else, a wrong
// birth date and disabled accounts get the same page after the same work: the new password
// is hashed before anything is looked up, and a record is read in any case (LOGIN-04,
// LOGIN-10). Tries are counted by code, by address and in total before anything is compared
// (LOGIN-05). Whoever has a patient record of their own proves the birth date as well, so
// that a letter that went astray is not enough (EN-07).
//
// It makes no codes and sends none; operators make them (internal/admin).
package recovery
