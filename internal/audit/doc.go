// Package audit makes the security record one in which nothing changes unseen. Events
// are written by whoever makes a change, in the transaction of the change
// (store.Event), and sheets of the trail soon after the requests (package trail); this
// package gives each a place in a chain soon after its commit, and finds later what was
// changed, removed, inserted or moved.
//
//	change + event ──COMMIT──▶ waits ──Keeper, each second──▶ place n, link n
//	         sheet ──COMMIT──▶            link n = HMAC(key, link n-1, n, event, sheet)
//	Verify: every place again ─▶ findings, and the head: the last place and link
//	Prune:  the oldest go; the last place that is gone is sealed, and verified from
//
// Events are chained behind their commits, so that no writer waits for another. The
// key is a secret of the server, sealed like the signing keys: whoever can write to
// the database alone cannot make links. Whoever has the key as well can, and the end
// of the chain can be cut off: a head that was noted elsewhere shows both.
//
// A Teller says events as FHIR AuditEvents (R4): those of the trail after IHE BALP, one
// for each patient, others with codes of DICOM (DCM) where there is one. Operators export
// all of them, or follow them from a place. Patients read, by a Reader, those that are
// about them: by app, and with nobody's name who treats them (docs/adr/0027).
//
// An event holds ids, constant words and queries: no token, code, password or content of
// a record.
//
// It does not write events, and forbids nothing.
// Requirements AUD-02 to AUD-10, AUD-12 to AUD-17; security E-35, LO-07.
package audit
