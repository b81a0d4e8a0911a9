// Package upstream is a fhirstore.Backend over a FHIR R4 server that knows nothing of
// us: what makes the door an enforcing gateway. The server behind it may be honest,
// lax or hostile; what leaves is judged here on full content.
//
//	query, view ─▶ plan ─▶ GET|POST upstream ─▶ read strictly ─▶ verify each entry ─▶ page
//	   refused ◀┘  (own credentials, narrowed)     502 ◀┘        dropped, counted ◀┘    │
//	                     ▲                                                             │
//	                     └───────── the next page, until there are enough ◀────────────┘
//
// A page is read in one pass, into a room that is used again: entries are places in its
// bytes, and stay that until the door has written the answer and gives the room back
// (room.go, fhirstore.Page.Release). Looked at after that they panic, and show nothing of
// the answer that stands there then. Reads keep bytes of their own.
//
// Nothing that a client wrote is sent on. A plan is made of the parsed query and of
// the view of the decision: the patients of the view as one parameter (`patient`,
// `subject`, `_id`), intersected with those that the query names; the conditions of
// granular scopes where one query can say them; conditions of the query that the
// CapabilityStatement of the upstream declares. Results are never subsetted there:
// _elements and _summary are applied to what was verified.
//
// What the upstream answers is a claim. An entry counts when it is a resource of the
// type that was asked for, with an id, that the decision admits and the query
// matches, whatever its search.mode says. Includes are reads and searches of our own,
// verified in the same way. A total is passed on only where the plan says the view
// exactly and the pages seen held nothing else.
//
// What is sensitive is classified by the code of the embedded store (package sensitive), on
// full content. What is withheld cannot be asked for, so that nothing is exact then.
//
// Chains, _has and _list are refused: whether one holds cannot be seen on the match. One
// chain is none of these: from whom a resource is about to the patient (chain.go).
//
// A change is made of the version that is there now, and never of any other:
//
//	write ─▶ read the current version ─▶ access.Change(old, new) ─▶ PUT|DELETE, If-Match ─▶ judged again ─▶ answer
//	  501 ◀┘    404, 412 ◀┘              403, 404, 422 ◀┘     anew ◀┘ 409, 412     502: not known ◀┘
//
// A patch is applied here, criteria are a search of ours, content is written anew before
// it is sent (leaving.go). What the upstream makes of it counts as its answers to reads
// do: it is what was written, or nothing (made.go, ADR 26).
//
// Every version of a history is judged by its own content, and none is told of what is not
// in the view now.
//
// Whom Provenance and Binary are about follows from other resources: the targets, the
// security context. These are read with the rights of the server itself; a Binary
// without a security context is nobody's.
//
// On a read, what depends on the resource (unreadable, another one than asked for,
// too large) is told as missing, so that nobody learns that it is there; what depends
// on the server is 502, 503 or 504 (fhirstore.Failure). The upstream's own words go to
// the log only.
//
// It fulfils ERR-46, RS-07, RS-16, RSP-07, RSG-10, RSG-11, the rows marked G of the leak
// catalogue (design law of access), and E-25, E-27 of the security design. It makes no
// transaction, and tells no history of a type or of all.
//
// Start reading at backend.go, then plan.go and search.go; for changes at write.go.
package upstream
