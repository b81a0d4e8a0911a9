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
// It fulfils FHIR R4 search §3.1.1.3 to §3.1.1.5 for token, reference, date,
// string, number, quantity and uri parameters, their comparators, the modifiers
// :not :missing :exact :contains :[type], and the result parameters _count _sort
// _total _summary _elements _include _revinclude; chains, _has (§3.1.1.4.15,
// §3.1.1.4.16) and _list. It refuses, with a sentence,
// composites, :above, :below, :in, :text, :of-type, :identifier, _filter, _query,
// _content, _text and iterated includes.
//
// Where R4 leaves room, the choices are: dates without a time zone are UTC; a
// resource's number or quantity is its exact value, only the searched value has
// the precision of its digits; ap is ten percent for numbers and the length of
// the searched date, at least a day, for dates; strings compare without case and
// without the accents of Latin letters; codes compare exactly.
package search

//go:generate go run ./internal/generate -definitions ../../../shared/data/definitions
