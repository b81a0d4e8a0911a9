package search

import (
	"errors"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// ErrScopeQuery: a scope's query is not understood as a whole, so the scope
// grants nothing.
var ErrScopeQuery = errors.New("search: scope query not understood")

// ParseScopeQuery reads the part of a SMART scope after "?" (SMART App Launch
// 2.2, scopes: finer-grained resource constraints): name=value joined by &,
// parameters of the type that are token, reference, date, string or uri, without
// modifiers, chains or result parameters. For the type "" (the wildcard) only
// _tag and _security exist. Anything else is ErrScopeQuery.
func ParseScopeQuery(t fhir.ResourceType, raw string) ([]Clause, error) {
	if raw == "" {
		return nil, ErrScopeQuery
	}
	var list []Clause
	for _, pair := range strings.Split(raw, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || !scopeParameter(t, name) || secondQuery(value) {
			return nil, ErrScopeQuery
		}
		c, err := parseClause(t, name, value, "")
		if err != nil {
			return nil, ErrScopeQuery
		}
		list = append(list, c)
	}
	return list, nil
}

// secondQuery: a question mark has a place in the URL of a code system only.
func secondQuery(value string) bool {
	before, _, found := strings.Cut(value, "?")
	return found && !strings.Contains(before, "://")
}

func scopeParameter(t fhir.ResourceType, name string) bool {
	if name == "_id" || strings.ContainsAny(name, ":.") {
		return false
	}
	if t == "" && name != "_tag" && name != "_security" {
		return false
	}
	p, ok := Lookup(t, name)
	if !ok {
		return false
	}
	switch p.Type {
	case TypeToken, TypeReference, TypeDate, TypeString, TypeURI:
		return true
	}
	return false
}

// NewReferenceClause makes the clause code=Type/id without parsing text.
func NewReferenceClause(t fhir.ResourceType, code string, ref fhir.Reference) (Clause, error) {
	p, ok := Lookup(t, code)
	if !ok || p.Type != TypeReference {
		return Clause{}, errors.New("search: " + code + " is no reference parameter of " + string(t))
	}
	target := fhir.Reference{Type: ref.Type, ID: ref.ID}
	return Clause{Parameter: p, Operands: []Operand{{Reference: target}}, text: target.String()}, nil
}
