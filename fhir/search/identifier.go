package search

import "github.com/emberlatch/emberlatch/fhir"

// Identifiers is the parameter on the identifiers that references carry, which the
// modifier :identifier asks (FHIR R4 search §3.1.1.4.11): a token. It says nothing of
// the resource that is meant, nor of its own identifiers.
func (p Parameter) Identifiers() Parameter {
	return Parameter{Base: p.Base, Code: p.Code + ":identifier", Type: TypeToken, paths: p.paths, identifiers: true}
}

// Asked is the clause as it is put to an index: with :identifier that of the
// identifiers; any other as it is.
func (c Clause) Asked() Clause {
	if c.Modifier != "identifier" {
		return c
	}
	c.Parameter, c.Modifier = c.Parameter.Identifiers(), ""
	return c
}

// appendIdentifier adds the identifier of a Reference, if it has one.
func appendIdentifier(list []Value, reference fhir.Node) []Value {
	identifier := reference.Member("identifier")
	if identifier.Kind() != '{' {
		return list
	}
	return append(list, Value{System: str(identifier, "system"), Code: str(identifier, "value")})
}
