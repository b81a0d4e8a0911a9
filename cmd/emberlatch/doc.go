// Command emberlatch is the authorization server, the FHIR gateway, the
// embedded store and the sandbox in one binary.
//
//	emberlatch dev                     a complete sandbox on http://localhost:8765
//	emberlatch dev --upstream URL      before a FHIR server that holds the records
//	emberlatch serve --config FILE     the same in production
//	emberlatch client|user|data|grant  change a running server
//	emberlatch conform run SUITE       check any SMART server from the outside
//
// main.go parses the command line; each command has a file of its name.
package main
