// Package emergency opens one patient's record to somebody at work who does not reach it,
// for minutes to hours (docs/adr/0034).
//
//	exact search ─▶ Look: may they? counted, recorded ─▶ who it is: name, birth date, sex
//	form ─▶ Open: may they? a reason, a length? ─▶ their password again, counted like sign-in
//	        problems, wait ◀─┘                           wrong: recorded ◀─┘
//	     ─▶ counted ─▶ one statement opens it, with its event (purpose of use BTG) ─▶ Settle, a line in the log
//
// What is open is a source of package reach: it enlarges whom a user reaches by that one
// patient until it ends. Scopes, the patient in context and what is withheld as sensitive
// stay what they are.
//
// It fulfils C.8 of the design of access (break-glass, and the mode directory that starts it)
// and row GW-38. It shows no pages, sends no messages, and does not judge reasons: those who
// review them are people, by `emberlatch emergency list` and the security record.
package emergency
