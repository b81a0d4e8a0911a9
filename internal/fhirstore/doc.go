// Package fhirstore is the contract between the FHIR door and whatever holds
// the records: the embedded store (fhirsql) or, in front of an existing server,
// a gateway backend.
//
// Every method of Backend takes an access.Decision. Without one the call does
// not compile; with the zero one it sees nothing. The backend must answer from
// the decision's view alone: what lies outside of it may as well not exist, and
// changing it changes no byte of any answer (design law of access).
//
// The contract covers read, vread and type search (FHIR R4 http §3.1.0.1 and
// search §3.1.1). Writes, history, batch and operations have no method yet, so
// no door can reach them.
//
// fhirtest is the suite that every backend passes.
package fhirstore
