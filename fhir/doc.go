// Package fhir holds the words of FHIR R4 that the server speaks: resource
// types, ids, references, interactions, outcomes and searchset bundles.
//
// A Resource keeps its bytes as they came: content is never rebuilt from typed
// structs, so extensions, unknown fields and the precision of decimals survive.
// Parsing is strict where two readers could differ: duplicate keys, invalid
// UTF-8, a byte order mark or trailing data are errors (RFC 8259 §4, FHIR R4
// json §2.6.2).
//
// It fulfils FHIR R4 http §3.1.0 (the request line), references §2.3.0 (local
// literal references only), json §2.6.2 and bundle §2.36. It does no I/O, knows
// no search parameters and no policy; packages fhir/search and access do.
//
// Start reading at ParseResource and ParseInteraction.
package fhir
