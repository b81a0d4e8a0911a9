package fhirapi

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Offers says what a backend can answer, when that is not everything: what another
// server that holds the records declares.
type Offers interface {
	// Holds reports whether there are resources of a type.
	Holds(t fhir.ResourceType) bool
	// Does reports whether an interaction on a type is answered.
	Does(t fhir.ResourceType, code fhir.InteractionCode) bool
	// Searches reports whether a type can be searched.
	Searches(t fhir.ResourceType) bool
	// CreatesOnce reports whether a creation may depend on criteria.
	CreatesOnce(t fhir.ResourceType) bool
	// Declares reports whether a search of a type takes a parameter.
	Declares(t fhir.ResourceType, code string) bool
}

// narrow leaves what a backend offers of a list of resources: an app is promised
// nothing that will be refused (DISC-30).
func narrow(list []resource, o Offers) []resource {
	var offered []resource
	for _, r := range list {
		t := fhir.ResourceType(r.Type)
		if !o.Holds(t) {
			continue
		}
		r.Interaction = slices.DeleteFunc(r.Interaction, func(i interaction) bool { return !o.Does(t, fhir.InteractionCode(i.Code)) })
		r.narrowWrites(o)
		if !o.Searches(t) {
			r.SearchInclude, r.SearchRevInclude, r.SearchParam = nil, nil, nil
		}
		r.SearchInclude = slices.DeleteFunc(r.SearchInclude, func(name string) bool { return name == "*" })
		r.SearchParam = slices.DeleteFunc(r.SearchParam, func(p searchParam) bool { return !o.Declares(t, p.Name) })
		r.SearchRevInclude = slices.DeleteFunc(r.SearchRevInclude, func(name string) bool {
			source, code, _ := strings.Cut(name, ":")
			return !o.Searches(fhir.ResourceType(source)) && source != "Provenance" || !o.Declares(fhir.ResourceType(source), code)
		})
		offered = append(offered, r)
	}
	return offered
}

// narrowWrites leaves of versions, conditions and operations what is left of the
// interactions.
func (r *resource) narrowWrites(o Offers) {
	t := fhir.ResourceType(r.Type)
	does := func(code fhir.InteractionCode) bool { return slices.Contains(r.Interaction, interaction{string(code)}) }
	r.ReadHistory = does(fhir.HistoryInstance)
	r.ConditionalCreate = does(fhir.Create) && o.CreatesOnce(t)
	r.ConditionalUpdate = does(fhir.Update) && o.Searches(t)
	if !does(fhir.Delete) || !o.Searches(t) {
		r.ConditionalDelete = ""
	}
	if !does(fhir.Update) {
		r.Versioning = "versioned"
	}
	r.Operation = slices.DeleteFunc(r.Operation, func(op operation) bool {
		return op.Name == "validate" && !does(fhir.Create) && !does(fhir.Update) || op.Name == "everything" && !o.Searches(t)
	})
}
