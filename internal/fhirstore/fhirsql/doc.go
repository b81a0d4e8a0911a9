// Package fhirsql is the embedded FHIR store: resources as bytes, one index row
// for each value of each search parameter, and the patients each resource is
// about, on SQLite or PostgreSQL.
//
// The law: a resource variable of a query is made by view.from, which puts the
// condition of the access decision into FROM and WHERE. There is no other way to
// name fhir_resource in a query that answers an app, so matches, totals, sort
// keys and includes are all evaluated inside the view.
//
//	Query ∧ view ──compile──▶ one SELECT ──▶ page ──▶ includes, each under its own view
//
// A link of a chain or of _has is one more variable, under the same view (join.go).
//
// The compiler of conditions is one function for queries and views alike; it
// says in SQL what search.Match says in Go, and an oracle of the tests compares the two.
//
// Columns: rid numbers a resource; owner is the one patient it is about, empty
// when there are none or several (then fhir_owner lists them); source is the
// SHA-256 of the bytes that were loaded, so that loading the same again changes
// nothing; param is the number of a parameter (parameter.go); fhir_version keeps
// every version with the owners it had.
//
// Elements that composite parameters look at have index rows under rids of their own,
// which are negative (composite.go). fhir_outdated lists resources whose index rows
// are to be made anew after a migration.
//
// Provenance and Binary derive their owners from other resources (derive.go):
// the owners of all of them together, over any number of steps. One that is in
// nobody's record, or of a closed type, puts what derives from it in nobody's
// record too; shared types, and references to what is not here, add nothing. They
// are computed again in the transaction that changes what they depend on, so the
// order of loading does not matter.
//
// Each resource and each version is classified when it is stored (package sensitive):
// classified is what its content says, sensitive is that with what it derives from, spread
// as owners are. fhir_classified names the configuration by which all of it was done; a
// store of another one is classified anew at the start (classify.go).
//
// Beside the search parameters it keeps who leads to whom (fhirstore.TieRules, fhir_tie),
// so that one condition in SQL says whether a practitioner reaches a patient.
//
//	Write ─▶ lock ─▶ state before, under a view ─▶ owners of the state after ─▶ access.Change ─▶ rows ─▶ derive moves nothing
//	         404, 410, 412 ◀┘                                  403, 422 ◀┘                              422 ◀┘
//
// What an app deletes stays as a row with deleted set: its last content, owners and
// index rows say who may know of it. Histories are read from fhir_version, under the
// view of what is there now, and each version is judged as it was then.
//
// An export is read by ranges of ids under the view of now; what has changed since its
// moment is replaced by the version of then, which must be in the view as well
// (export_read.go). Its moment is taken while writers are kept out.
//
// It judges nothing by itself.
package fhirsql
