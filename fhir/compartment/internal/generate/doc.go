// Command generate turns the official CompartmentDefinitions of R4 into the
// table of package compartment.
//
//	go run ./fhir/compartment/internal/generate -definitions DIR
package main
