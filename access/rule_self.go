package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// isSelf: who logged in may read the record that fhirUser names, and nothing
// else by this rule (SMART App Launch 2.2, scopes: fhirUser; OIDC-15).
func (s Subject) isSelf(i fhir.Interaction) bool {
	return s.readsSelf && (i.Code == fhir.Read || i.Code == fhir.VRead) &&
		i.Type == s.facts.FHIRUser.Type && i.ID == s.facts.FHIRUser.ID
}

// addSelf adds that one record to a view.
func (u *union) addSelf(s Subject, t fhir.ResourceType) {
	if s.readsSelf && t == s.facts.FHIRUser.Type {
		own := fhir.Reference{Type: t, ID: s.facts.FHIRUser.ID}
		u.parts = append(u.parts, search.IsResource{Reference: own})
	}
}
