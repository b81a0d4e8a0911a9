package access

import (
	"reflect"
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// exporting is the permission of an export: r and s together. No scope has it by
// itself.
const exporting byte = 'x'

// DecideExport judges whether a subject may export a type, or, without one, anything at
// all (row 86 of the leak catalogue). An export is a read and a search of many
// patients, so it needs both permissions, and a client that acts for itself: no user or
// patient stands behind the token, whose rights would be the bound. What leaves is
// within the views of both.
func DecideExport(s Subject, t fhir.ResourceType) Decision {
	k := s.known
	d := Decision{known: k, permission: exporting}
	if !k.actsForItself() {
		return d.refuse(ScopeWithoutEffect, Refusal{InsufficientScope: true, Text: "Exports are for clients that act for themselves, with system/ scopes: nobody may stand behind the token."})
	}
	g := gate{}
	switch {
	case t == "":
		g = k.ofSystem()
	case compartment.ClassOf(t) == compartment.Closed:
		return d.refuse(TypeClosed, Refusal{Text: "No app reaches resources of the type " + string(t) + "."})
	default:
		g = k.of(t).gate
	}
	_, reads := g.scope('r')
	place, finds := g.scope('s')
	if !reads || !finds {
		return d.refuse(whyNoScope(s, fhir.Interaction{Code: fhir.SearchType, Type: t}), Refusal{InsufficientScope: true, Text: "The access token has no scope to read and search " + named(t) + "."})
	}
	return d.allow(ScopeForSystem, "scope ", k.facts.Scopes.Clinical()[place].String())
}

func named(t fhir.ResourceType) string {
	if t == "" {
		return "any type"
	}
	return string(t)
}

// ExportsGroup reports whether the subject may export a Group as such: it reaches
// everybody, or the operator gave it this very Group. That it reaches all the members
// by other ways does not tell it who they are together.
func (s Subject) ExportsGroup(id string) bool {
	own := s.facts().Own
	return s.known.actsForItself() && id != "" && (own.All || own.Groups.Contains(id))
}

func (k *known) actsForItself() bool {
	return k != nil && !k.facts.HasUser && k.facts.UserID == "" && k.facts.Patient == ""
}

// exported is the view of an export: what may be read and found.
func (c *covered) exported() search.Expr {
	switch {
	case c.read == nil || c.find == nil:
		return nil
	case reflect.DeepEqual(c.read, c.find): // the common case: one scope gives both
		return c.find
	}
	return search.And{c.read, c.find}
}

// Exportable are the types that are part of the exports of patients: those of records,
// and the directories that they refer to. Definitions leave with exports of everything
// only.
func Exportable(t fhir.ResourceType, ofPatients bool) bool {
	switch compartment.ClassOf(t) {
	case compartment.Record:
		return true
	case compartment.Shared:
		return !ofPatients || slices.Contains(directories, t)
	}
	return false
}

var directories = []fhir.ResourceType{
	"Endpoint", "HealthcareService", "Location", "Medication", "Organization", "OrganizationAffiliation", "Practitioner", "PractitionerRole", "Substance",
}
