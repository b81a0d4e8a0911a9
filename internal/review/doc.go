// Package review is how an operator decides about apps that registered themselves,
// and by when (45 CFR 170.404(b)(1); rows REG-05 and REG-06).
//
//	registered ──ask──▶ asked ──┐
//	    │                       ├─verify─▶ verified ─enable─▶ enabled ──suspend──▶ suspended
//	    └───────────────────────┤          (5 business days)     ▲                    │
//	      (10 business days     └─decline─▶ declined ─approve────┘◀──────resume───────┘
//	       from the registration)
//
// approve is verify and enable in one step. Asking the developer does not stop the
// clock: the rule counts from the request to register. Business days are Monday to
// Friday in the time zone of the organisation, without its holidays; the day on which
// something happened does not count, and the last day counts to its end.
//
// calendar.go counts days, standing.go says what is due, decide.go makes the changes:
// each takes a client and returns the next one, or a Refusal for the operator.
//
// Who decides names the revision that was looked at (package admin compares): an app
// may become another one while it waits.
//
// A declined or suspended app is disabled, so that every door refuses it and its
// grants end with the change; one that only waits may not ask people (Client.MayAsk).
// It stores nothing, and knows no clock but the time it is given.
package review
