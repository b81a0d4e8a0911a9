// Command generate turns the official element definitions and required value sets
// of R4 into the tables of package structure.
//
//	go run ./fhir/structure/internal/generate -definitions DIR
//
// What an element shares with its base type is left out of its line.
package main
