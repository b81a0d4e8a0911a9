// Package patch reads FHIRPath Patch and says it as JSON Patch.
//
//	Parse(Parameters) Patch ── Operations() ── Steps(resource) []Step    (RFC 6902)
//	                                             │
//	         path ── parse ── select in the tree ┘ ── where the values stand in JSON
//
// An operation is said in the terms of the resource that the one before it left, so
// each is asked for its steps after the last one's were applied. Steps name what is to
// change and nothing else: whoever applies them keeps the bytes of the rest. A step of
// a primitive value takes what extends it ("_name") along.
//
// It fulfils FHIR R4 fhirpatch: add, insert, delete, replace and move; values of every
// data type, and of elements without a type of their own (backbone elements,
// extensions) as parts; an element that loses the last of its content is taken out,
// since objects are never empty (json §2.6.2). Which elements there are, how JSON
// writes them and which types they take comes from the table of package structure. A
// value of another type than the element's is refused.
//
// Of FHIRPath it reads what names a place in a resource: elements, [index], first(),
// last(), where(path = literal and …) with texts, true, false and whole numbers,
// ofType(Type) and extension('url'). It does not read resolve(), so that a path never
// leaves the resource, nor functions that compute. It applies nothing, and does not
// judge what comes of it: that is the work of package structure.
//
// Start reading at patch.go.
package patch
