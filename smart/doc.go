// Package smart holds the words of SMART App Launch 2.2: scopes, sets of them,
// the launch context of a token response, and its fhirContext.
//
// A scope that is not understood as a whole grants nothing: it is kept as
// unknown, so that it can be reported, and never widened to what was understood
// of it.
//
//	patient/Observation.rs?category=laboratory
//	└level  └type      └permissions └query: search parameters of the type
//
// It fulfils SMART App Launch 2.2 "Scopes and Launch Context": clinical scopes of
// version 2 with finer-grained constraints, those of version 1 (read, write, *),
// and the names openid, fhirUser, profile, launch, launch/patient,
// launch/encounter, offline_access and online_access (RFC 6749 §3.3 for the
// characters). Constraints use what fhir/search.ParseScopeQuery reads: no
// modifiers, no chains.
//
// It does not decide who may see what: package access does.
package smart
