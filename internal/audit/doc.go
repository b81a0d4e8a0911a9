// Package audit makes the security record one in which nothing changes unseen. Events
// are written by whoever makes a change, in the transaction of the change
// (store.Event); this package gives each a place in a chain soon after its commit, and
// finds later what was changed, removed, inserted or moved.
//
//	change + event ──COMMIT──▶ waits ──Keeper, each second──▶ place n, link n
//	                                    link n = HMAC(key, link n-1, n, event)
//	Verify: every place again ─▶ findings, and the head: the last place and link
//
// Events are chained behind their commits, so that no writer waits for another. The
// key is a secret of the server, sealed like the signing keys: whoever can write to
// the database alone cannot make links. Whoever has the key as well can, and the end
// of the chain can be cut off: a head that was noted elsewhere shows both.
//
// Export writes events as FHIR AuditEvents (R4), with codes of DICOM (DCM) where
// there is one. An event holds ids and constant words: no token, code, password,
// search value or content of a record.
//
// It does not write events, forbid anything, or record what apps do with records.
// Requirements AUD-02, AUD-07, AUD-13, AUD-15, AUD-17; security E-35, LO-07.
package audit
