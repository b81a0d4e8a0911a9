package fhirstore

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// LocalReferences are what a resource, with all that it contains, refers to on this
// server: literal references, and the urls of attachments (row 61 of the leak catalogue).
func LocalReferences(r fhir.Resource, base string) []fhir.Reference {
	var found []fhir.Reference
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case fhir.Object:
			for name, value := range v {
				text, isText := value.(string)
				if isText && (name == "reference" || name == "url") {
					if ref, local := fhir.ParseReference(text, base); local {
						found = append(found, fhir.Reference{Type: ref.Type, ID: ref.ID})
					}
				}
				walk(value)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(r.Tree())
	slices.SortFunc(found, func(a, b fhir.Reference) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(found)
}

// NewReferences are those of a new state that must be visible to who writes it, by their
// types: what was there before, the resource itself, and whom the writer knows anyway
// are not among them.
func NewReferences(d access.Decision, before, after access.State, base string) map[fhir.ResourceType][]string {
	known := LocalReferences(before.Resource, base)
	byType := map[fhir.ResourceType][]string{}
	for _, ref := range LocalReferences(after.Resource, base) {
		if !slices.Contains(known, ref) && ref != after.Resource.Reference() && !d.Knows(ref, after) {
			byType[ref.Type] = append(byType[ref.Type], ref.ID)
		}
	}
	return byType
}

// MayBeAbout are the patients that content refers to, and each of whom it could be
// about by itself, with what of it is sensitive: known to who writes what derives its
// owners from others.
func MayBeAbout(d access.Decision, content fhir.Resource, held search.Sensitivity, base string) search.Owners {
	var ids []string
	for _, ref := range LocalReferences(content, base) {
		if ref.Type == "Patient" && d.Admits(content, search.Owners{Required: []string{ref.ID}, Sensitivity: held}) {
			ids = append(ids, ref.ID)
		}
	}
	return search.Owners{Required: ids}
}
