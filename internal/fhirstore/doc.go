// Package fhirstore is the contract between the FHIR door and whatever holds
// the records: the embedded store (fhirsql) or, in front of an existing server,
// a gateway backend.
//
// Every method of Backend takes an access.Decision. Without one the call does
// not compile; with the zero one it sees nothing. The backend must answer from
// the decision's view alone: what lies outside of it may as well not exist, and
// changing it changes no byte of any answer (design law of access).
//
// Changes of apps go through Keeper, which needs an access.Change for each, made
// of the state before and the state after. Operators load through Loader.
//
// Exports keeps what clients asked to export, and answers it as of one moment.
//
// The contract covers read, vread, history, type search, create, update and delete
// (FHIR R4 http §3.1.0, search §3.1.1).
//
// The tests of fhirsql compare it with an oracle that shares nothing with it.
package fhirstore
