// Package brand judges the user-access brands of a server: the Bundle by which apps
// show people which organisation they connect to, and where its API is.
//
//	file of the operator ─▶ Parse ─▶ every rule, or the first mistake in a sentence ─▶ Bundle, served as it is
//	a sandbox ───────────▶ Generate ─┘
//
// The Bundle is a collection with a timestamp, of Organizations (brands) and
// Endpoints only. An active Endpoint is this server's FHIR base; every Endpoint is
// some brand's; references lead into the Bundle; a brand whose access another one
// provides (partOf) is one step from it. The primary brand is named by an identifier
// that exactly one Organization has.
//
// It fulfils SMART App Launch 2.2 user-access brands (the profiles of Bundle,
// Organization and Endpoint, and discovery by smart-configuration). It fetches
// nothing: logos and pages are addresses. It does not look at the elements that the
// profiles leave to base FHIR.
package brand
