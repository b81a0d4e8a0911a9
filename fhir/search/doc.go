// Package search is FHIR R4 search as values: what parameters exist, what a
// resource holds for each, what a query asks, and whether a resource matches.
//
// One generated table (type → parameter → paths) drives everything: indexes,
// evaluation, the CapabilityStatement and, through package compartment, who a
// resource is about. A query is parsed once and never forwarded as text.
//
//	url.Values ──Parse──▶ Query ──Expr──▶ Expr ──Match, MatchAmong──▶ bool
//	                                        └─ compiled to SQL by a backend
//
// An Expr is a boolean tree over clauses; the view of an access decision is an
// Expr too, so the same evaluator and the same compiler answer and filter.
//
// A condition on other resources is a Join: a Chain or a Has in the Expr, one for each
// link. MatchAmong evaluates it over what is visible; whoever decides about access
// asks Join.Permitted, and makes sure that nothing else is visible.
//
//	subject:Patient.name=x            Chain{subject, Patient, Holds{name=x}}
//	_has:Observation:patient:code=x   Has{Observation.patient, Holds{code=x}}
//	_list=x                           Has{List.item, Holds{_id=x}}
//
// A composite is a list of places where its parts stand together (Together), from the
// same table; what elements hold is numbered, so that an index can tell them apart.
//
// It fulfils FHIR R4 search §3.1.1.3 to §3.1.1.5 for token, reference, date, string,
// number, quantity, uri and composite parameters, their comparators, the modifiers
// :not :missing :exact :contains :identifier :above :below :[type], and the result
// parameters _count _sort _total _summary _elements, _include and _revinclude
// with :iterate and Type:*; chains, _has
// (§3.1.1.4.15, §3.1.1.4.16) and _list. It refuses, with a sentence, :above and :below
// of codes, :in, :text, :of-type, :missing of a composite, _filter, _query, _content,
// _text, _revinclude=* and :recurse.
//
// Where R4 leaves room, the choices are: dates without a time zone are UTC; a
// resource's number or quantity is its exact value, only the searched value has
// the precision of its digits; ap is ten percent for numbers and the length of
// the searched date, at least a day, for dates; strings compare without case and
// without the accents of Latin letters; codes compare exactly. A link without a type
// stands for all types that it can point to and that have what follows. A chain follows
// references that are local, never canonical URLs; every item of a List counts,
// whatever its flag. :above and :below go by the segments of a URL. A reference without
// a text is of the type that it states, or of none: patient:identifier does not find
// one that states nothing, subject:identifier does.
package search

//go:generate go run ./internal/generate -definitions ../../../shared/data/definitions
