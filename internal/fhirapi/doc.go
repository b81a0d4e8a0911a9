// Package fhirapi is the FHIR REST door (FHIR R4 http): it reads a request as an
// interaction, asks who is calling, has the policy decide, lets the backend
// answer from the decision's view, judges every resource once more, and writes.
//
//	request ─▶ access token ─▶ Subject ─▶ fhir.ParseInteraction ─▶ access.Decide
//	         401/400 ◀─┘       503 ◀┘        404/405 ◀┘               403 ◀┘
//	        ─▶ backend.Read|VRead|Search(decision) ─▶ decision.Admits ─▶ answer
//	                          404 ◀┘                      dropped ◀┘
//
// Order: the token comes first, so that a stranger learns nothing about paths;
// the decision comes from the token and the request line alone, so that 403
// says nothing about data; hidden and missing resources give the same 404.
//
// Who is calling is found before anything is asked: what is missing or too costly
// there is the server's (500, 503), never told as if the request had asked for it.
//
// Page links are sealed: they hold the query, the position and the grant, so a
// link works only for the grant that it was made for, and the view is evaluated
// anew on every page (design law of access, row 50).
//
// It fulfils RFC 6750 §3, RFC 9449 §7.1, FHIR R4 http §3.1.0 (read, vread, search by
// GET and POST) and search §3.1.1. It does not write, does not answer batches or
// operations, speaks JSON only, and holds no rule about who may see what.
// How a token is read and what it is bound to is package holder's question.
package fhirapi
