package fhirapi

import (
	"slices"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/smart"
)

// answered are the interactions that this door answers, on every type for which the
// policy has them possible.
var answered = []fhir.InteractionCode{
	fhir.Read, fhir.VRead, fhir.Update, fhir.Patch, fhir.Delete, fhir.HistoryInstance, fhir.HistoryType, fhir.Create, fhir.SearchType,
}

// readable are those of them that change nothing and tell of one resource or a search.
var readable = []fhir.InteractionCode{fhir.Read, fhir.VRead, fhir.SearchType}

// passedOn are those of them that are answered where another server holds the records,
// as far as that does: it cannot narrow the history of a type to what somebody may see.
var passedOn = []fhir.InteractionCode{
	fhir.Read, fhir.VRead, fhir.Update, fhir.Patch, fhir.Delete, fhir.HistoryInstance, fhir.Create, fhir.SearchType,
}

// lettersOf are the permissions of interactions, in the order of scopes.
func lettersOf(codes []fhir.InteractionCode) (list string) {
	for _, l := range []byte("cruds") {
		if slices.ContainsFunc(codes, func(code fhir.InteractionCode) bool { return fhir.Interaction{Code: code}.Letter() == l }) {
			list += string(l)
		}
	}
	return list
}

// Offered is the part of a set of scopes that can be used here: permissions that
// are answered and possible for the type, each scope in its own manner (SCOPE-16:
// what is granted is what works). Names such as openid are not about this API and
// stay.
func Offered(asked smart.ScopeSet) smart.ScopeSet {
	return offered(asked, func(fhir.ResourceType) string { return lettersOf(answered) })
}

// OfferedToRead is Offered where nothing is changed: another server holds the records, and
// what it does is not known.
func OfferedToRead(asked smart.ScopeSet) smart.ScopeSet {
	return offered(asked, func(fhir.ResourceType) string { return lettersOf(readable) })
}

// OfferedWithin is Offered where another server holds the records: reading, and the
// changes that it takes. A wildcard keeps those that it takes for some type.
func OfferedWithin(o Offers, asked smart.ScopeSet) smart.ScopeSet {
	return offered(asked, func(t fhir.ResourceType) string {
		types := []fhir.ResourceType{t}
		if t == smart.AnyType {
			types = fhir.ResourceTypes()
		}
		return lettersOf(slices.DeleteFunc(slices.Clone(passedOn), func(code fhir.InteractionCode) bool {
			return !slices.Contains(readable, code) &&
				!slices.ContainsFunc(types, func(t fhir.ResourceType) bool { return o.Does(t, code) })
		}))
	})
}

// offered leaves the permissions of each scope that letters gives for its type.
func offered(asked smart.ScopeSet, letters func(fhir.ResourceType) string) smart.ScopeSet {
	var list []string
	for _, text := range asked.Strings() {
		scope, err := smart.ParseScope(text)
		if err != nil {
			list = append(list, text)
			continue
		}
		// Order: each by itself, or a wildcard beside it would keep what is impossible.
		works := smart.NewScopeSet([]string{smart.Compose(scope.Level(), scope.Type(), possible(scope.Level(), scope.Type(), letters(scope.Type())), false)})
		list = append(list, smart.Allowed(smart.NewScopeSet([]string{text}), works).Strings()...)
	}
	return smart.NewScopeSet(list)
}

// possible are the permissions that a scope of a level can use for a type.
func possible(l smart.Level, t fhir.ResourceType, letters string) (list string) {
	for i := range len(letters) {
		if access.Possible(l, t, letters[i]) {
			list += letters[i : i+1]
		}
	}
	return list
}

// serves are the interactions that some scope can use for a type.
func serves(t fhir.ResourceType, codes []fhir.InteractionCode) (list []fhir.InteractionCode) {
	for _, code := range codes {
		for _, l := range []smart.Level{smart.LevelPatient, smart.LevelUser, smart.LevelSystem} {
			if access.Possible(l, t, fhir.Interaction{Code: code}.Letter()) {
				list = append(list, code)
				break
			}
		}
	}
	return list
}
