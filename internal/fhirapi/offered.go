package fhirapi

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/smart"
)

// answered are the interactions that this door answers, on every type that is not
// closed.
var answered = []fhir.InteractionCode{fhir.Read, fhir.VRead, fhir.SearchType}

// Offered is the part of a set of scopes that can be used here: permissions of
// answered interactions on types that are not closed, each scope in its own manner
// (SCOPE-16: what is granted is what works). Names such as openid are not about
// this API and stay.
func Offered(asked smart.ScopeSet) smart.ScopeSet {
	offers := wildcards()
	for _, text := range asked.Strings() {
		if _, err := smart.ParseScope(text); err != nil {
			offers = append(offers, text)
		}
	}
	return smart.Allowed(asked, smart.NewScopeSet(offers)).Without(onlyClosed)
}

// wildcards are the widest scopes of which every part can be used.
func wildcards() []string {
	letters := ""
	for _, l := range []byte("cruds") { // the order that a scope has them in
		if slices.ContainsFunc(answered, func(code fhir.InteractionCode) bool { return fhir.Interaction{Code: code}.Letter() == l }) {
			letters += string(l)
		}
	}
	var list []string
	for _, level := range []smart.Level{smart.LevelPatient, smart.LevelUser, smart.LevelSystem} {
		list = append(list, smart.Compose(level, smart.AnyType, letters, false))
	}
	return list
}

// onlyClosed reports whether a scope is about a type that nobody reaches.
func onlyClosed(text string) bool {
	scope, err := smart.ParseScope(text)
	return err == nil && scope.Type() != smart.AnyType && compartment.ClassOf(scope.Type()) == compartment.Closed
}
