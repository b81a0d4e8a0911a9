// Package trail is who looked at whose record: who asked for what through which app, and
// what became of it. Requests do not wait for a database.
//
//	request ─▶ Put: one entry in memory ─▶ answer        full, or not written for long: 503
//	every 100 ms, or sooner when many wait ─▶ one transaction: sheets of up to 500 entries,
//	    each one event of the security record, and one row for each patient in it
//	              ─▶ chained behind its commit like every other event (package audit)
//
// A write is recorded when it was made, and answered when the entry is in the database
// (Sync). A read is answered when the entry is in memory: a process that is killed loses
// what waited, as a rule the last 100 ms. One that ends writes all of it first.
//
// What cannot be written waits; after five seconds of that, or when too much waits,
// nothing more is let through until it can (docs/adr/0027). Requests without a good token
// are told apart up to a bound, and counted beyond it, so that strangers cannot fill the
// trail.
//
// An entry holds ids, constant words, the address, and the query as it was sent without
// what looks like a credential (clean.go). It holds nothing of what was answered.
//
// Requirements AUD-01, AUD-04 to AUD-09, AUD-12 to AUD-14; security LO-05. How entries
// are told to people and as FHIR is package audit's question.
package trail
