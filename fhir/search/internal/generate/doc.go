// Command generate turns the official R4 definitions into the tables that the
// packages fhir and fhir/search are built on. The definitions themselves are not
// part of the repository; the tables are.
//
//	go run ./fhir/search/internal/generate -definitions DIR
//
// Every search-parameter expression has one of six forms (a plain path, a cast,
// a where on a literal, a where on the reference's type, an index, and the one
// on Patient.deceased); anything else stops the generator.
package main
