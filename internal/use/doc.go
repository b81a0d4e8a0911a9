// Package use remembers when each grant was last used, for the people who gave it
// (45 CFR 170.315(g)(10)(vi); CONS-18).
//
//	FHIR request ─▶ Note: one entry of a map in memory
//	every interval, at the end, and before somebody looks ─▶ Flush ─▶ store, in batches
//
// A request costs no message to the database: a grant is written once in an interval,
// however often it is used. What was not written yet is lost with a process that
// crashes, and what does not fit is left out until the next flush: it says when an app
// was last seen, and proves nothing.
//
// It knows neither what was read nor whether it was allowed.
package use
