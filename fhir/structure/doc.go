// Package structure says whether a resource is built as FHIR R4 defines its type.
//
//	Check(resource) []Finding     where it is not, and what was expected there
//
// It looks at the names of elements, how often they may occur, the types of choice
// elements, the formats of primitive values, their extensions in "_name", the codes
// of required bindings that R4 can list, contained resources, and the markup of
// narratives, in which nothing may run. An element that is not defined is an error:
// what this server does not understand, another reader might take for something.
//
// It fulfils FHIR R4 json §2.6.2, datatypes §2.24.0, narrative §2.4.0 (the markup)
// and the cardinalities and required bindings of the StructureDefinitions, from a
// table that is generated from the official definitions. It does not evaluate
// invariants, profiles or terminologies, follows no reference and fetches nothing.
//
// Start reading at check.go.
package structure

//go:generate go run ./internal/generate -definitions ../../../shared/data/definitions
