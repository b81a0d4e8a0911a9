package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// isSelf: who logged in may read the record that fhirUser names, and nothing
// else by this rule: it finds nothing, and brings nothing along (SMART App Launch
// 2.2, scopes: fhirUser; OIDC-15, RS-13).
func (k *known) isSelf(i fhir.Interaction) bool {
	return k != nil && k.readsSelf && (i.Code == fhir.Read || i.Code == fhir.VRead) &&
		i.Type == k.facts.FHIRUser.Type && i.ID == k.facts.FHIRUser.ID
}

// self is that one record, for the view of reads; nil for other types.
func (k *known) self(t fhir.ResourceType) search.Expr {
	if !k.readsSelf || t != k.facts.FHIRUser.Type {
		return nil
	}
	return search.IsResource{Reference: fhir.Reference{Type: t, ID: k.facts.FHIRUser.ID}}
}
