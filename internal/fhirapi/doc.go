// Package fhirapi is the FHIR REST door (FHIR R4 http): it reads a request as an
// interaction, asks who is calling, has the policy decide, lets the backend
// answer from the decision's view, judges every resource once more, and writes.
//
//	request ─▶ access token ─▶ Subject ─▶ fhir.ParseInteraction ─▶ access.Decide
//	         401/400 ◀─┘       503 ◀┘        404/405 ◀┘               403 ◀┘
//	        ─▶ backend.Read|VRead|Search, keeper.History(decision) ─▶ decision.Admits ─▶ answer
//	                          404 ◀┘                              dropped ◀┘
//	        ─▶ body read and checked ─▶ keeper.Write(decision, content) ─▶ decision.Shows ─▶ answer
//	                      400, 415 ◀┘     403, 404, 410, 412, 422 ◀┘        without body ◀┘
//
// Order: the token comes first, so that a stranger learns nothing about paths;
// the decision comes from the token and the request line alone, so that 403
// says nothing about data; hidden and missing resources give the same 404.
//
// A search with joins is judged once more (Decision.Traverse): each type that one leads
// over needs a scope, which the request alone tells.
//
// Patient/id/$everything is a read and as many searches as there are types of the record
// in the scopes, each with a decision of its own (everything.go).
//
// Another server may hold the records (package upstream). What it cannot narrow to a view
// is refused then with a sentence (elsewhere in door.go), what it does not do is not
// promised (capability_narrow.go), and no scope for it is granted (offered.go).
//
// Who is calling is found before anything is asked: what is missing or too costly
// there is the server's (500, 503), never told as if the request had asked for it.
//
// Page links are sealed: they hold the query, the position and the grant, so a
// link works only for the grant that it was made for, and the view is evaluated
// anew on every page (design law of access, row 50).
//
// What is written is strict JSON of the type and id in the path, built as R4 defines
// its type. An update does not create: what is hidden and what is missing are the
// same 404. The backend has each change permitted by the policy, by the state before
// and the state after, in the transaction that makes it.
//
// A Bundle of requests is no request of its own: each entry is made one (batch.go) and
// passes the same gate and the same readers; a transaction hands all its writes to the
// store at once (transaction.go).
//
// $export of backend services (FHIR Bulk Data Access 2.0.0) is answered later: the
// question is kept, and how it was divided into ranges of ids, but no content. A status
// request counts for a while; a file is read when it is fetched, as things stood at one
// moment, under the rights of who fetches it (export.go, ADR 25).
//
// It fulfils RFC 6750 §3, RFC 9449 §7.1, RFC 7240 (return), RFC 6902, FHIR R4 http
// §3.1.0 (read, vread, history, create, update, patch, delete, conditional ones, batch
// and transaction, search by GET and POST), search §3.1.1, $everything of a patient,
// $export, and $validate against the element definitions. It answers no other operation and no FHIRPath Patch, speaks JSON
// only, and holds no rule about who may see or change what. How a token is read and
// what it is bound to is package holder's question.
package fhirapi
