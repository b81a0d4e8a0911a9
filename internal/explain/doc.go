// Package explain replays a FHIR request for an operator: what came of its token, its
// request line, its scopes and, for one resource, of the row, and which of them was
// the first that said no.
//
//	token ─▶ request ─▶ scope ─▶ row ─▶ content
//	 401       404/405    403   404/403            what the caller is told
//
// The rules are those of package access, asked once more; the resource is looked at
// with the rights of the server, so that an operator learns whether something is
// hidden or missing, which a caller never does. An answer names ids, counts, scopes
// and reasons, and no content of any record.
//
// Of a write the row that it would change is looked at, of a history the current
// version. What a write brings is not part of what is replayed, and a step says so.
//
// It does not evaluate the query of a search: who may see what does not depend on it.
// Conditions of headers (If-None-Match, Accept) are not looked at. It counts as no use
// of the token's grant.
package explain
