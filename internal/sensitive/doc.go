// Package sensitive decides which of the operator's categories of sensitive content a
// resource holds. The decision is made once, and by this code alone: for every version
// that the embedded store keeps, for every resource that a gateway returns, and for what
// the record of accesses says.
//
//	configuration ─▶ Definition ─┐
//	value set files ─▶ ReadValueSet ─▶ New ─▶ Categories ─┬─ Of(resource) ─▶ search.Sensitivity ─▶ view, record
//	                                                       └─ Policy() ─▶ access.Sensitive: who reads which
//
// A category is recognised by codes that stand anywhere in a resource, also in what it
// contains, and by security labels (FHIR R4 security-labels, meta.security). A label that
// the operator has not named, and that does not say that there is nothing to protect
// (Confidentiality U, L, M, N), puts a resource into the category Unlisted: unknown means
// no. Of directories and definitions, which are about no patient, the labels count alone;
// but of medicines the codes do, for statements about them may refer to one (medicine.go).
//
// What a resource derives from is known to its backend, which adds it (search.Sensitivity.And):
// the targets of a Provenance, what holds a Binary, the medicine of a statement.
//
// It does not read texts: what stands in a narrative, in a document or in a concept
// without a code is recognised by its labels only. It does not look behind references
// to other servers. It fulfils GW-40 of the security design: a resource is seen whole, or
// not at all. Start reading at categories.go.
package sensitive
