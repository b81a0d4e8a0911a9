// Package storesql keeps what package store describes on SQLite and PostgreSQL,
// with one SQL text for both.
//
// A code and a refresh token are consumed by one UPDATE each: every right-hand
// side sees the row as it was, so the statement decides, changes and tells its
// outcome (column outcome) in one step, on SQLite inside of a shared commit and
// on PostgreSQL in one round trip.
//
//	present code ─▶ WITH facts (is everybody active?)
//	                UPDATE … SET outcome = CASE … END, code_used, generation, revoked … RETURNING
//
// A code that carries its grant is redeemed by one INSERT … ON CONFLICT
// (grant_promised.go): it writes the grant if client, person, session and approval stand,
// and holds their rows until the commit; a grant that is there already has been redeemed,
// and ends.
//
//	present code ─▶ INSERT … SELECT … FROM session, account, client, approval … ON CONFLICT DO UPDATE … RETURNING
//
// A refresh decides more in that step: whether the grant holds the scopes that are asked
// for (grant_holds.go) and whether its user still reaches the patient (grant_lost.go).
//
// The assertion by which a client proved itself, and its proof of possession, are
// spent in that step as well: on PostgreSQL one more common table expression each of
// the same message, on SQLite one more statement each of the same commit. When one of
// them was used before, nothing else is done.
//
// A backend service acts by one standing grant, found or made by one INSERT …
// ON CONFLICT: what ends grants ends its access too, and its page links outlive its
// short tokens.
//
// The facts are looked up once and may be older than the row, which is locked and
// read again when two meet. That is why disabling a client or a user, and ending
// a session, change the grants themselves: the row decides.
//
// Ending a grant writes the change feed and the security record by a trigger, so
// no statement can forget it.
//
// Columns worth a word: body and asked hold the facts that never change, as JSON;
// facts holds what steps add; anonymous is 1 while nobody has logged in, user_id whose it is from then on;
// key_thumbprint is the key that the code, and after it the refresh family, is bound to;
// session_hash ties an online grant to its session and is empty for others; sid is the
// session that the ID token of a grant tells of, empty where none goes with it;
// revoked, ended, used and answered are the time when, 0 while not.
//
// A record that was opened in an emergency (emergency.go) is a row of emergency; ended is 0
// while nobody has ended it by hand, and whether it lasts is asked of the clock.
//
// The end of a session writes a row of logout_notice for each app that has to be told,
// in the same transaction (logout.go). Redeeming a code and ending its session meet at the
// row of the grant, issuing a code and ending the session at the row of the session, so
// that nobody who got in is missed. A notice is claimed by one UPDATE.
//
// Start reading at Store, then grant_code.go, grant_refresh.go and assertion.go. It decides
// nothing about protocol answers and mints nothing.
package storesql
