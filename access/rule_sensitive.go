package access

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Sensitive is what the operator said about categories of sensitive content: who reads
// which. The zero value has none, and withholds nothing.
type Sensitive struct{ readers map[string][]Reader }

// NewSensitive makes it: for each category its readers. One without readers is read by
// nobody.
func NewSensitive(readers map[string][]Reader) Sensitive { return Sensitive{readers} }

// Reader is an audience that reads a category, in some apps.
type Reader struct {
	Audience Audience
	// Apps are client ids; AnyApp: every app.
	Apps []string
}

// AnyApp stands for every app.
const AnyApp = "*"

// Audience is who stands behind a token, towards whom a resource is about.
type Audience string

// The audiences. Whoever is none of them reads no category.
const (
	// AudiencePatient: a patient, who reads what is about them and about nobody else.
	AudiencePatient Audience = "patient"
	// AudienceRepresentative: somebody who stands for the patient, as a RelatedPerson or
	// as a patient themselves.
	AudienceRepresentative Audience = "representative"
	// AudiencePractitioner: a Practitioner or PractitionerRole.
	AudiencePractitioner Audience = "practitioner"
	// AudienceService: a client that acts for itself.
	AudienceService Audience = "service"
)

// Audiences are all of them.
func Audiences() []Audience {
	return []Audience{AudiencePatient, AudienceRepresentative, AudiencePractitioner, AudienceService}
}

// admits: a page of the server itself is no app, so that who reads a category in some
// app reads it there.
func (r Reader) admits(a Audience, f Facts) bool {
	return r.Audience == a && a != "" && (f.OwnPage || slices.Contains(r.Apps, AnyApp) || f.ClientID != "" && slices.Contains(r.Apps, f.ClientID))
}

// ReadByPatients reports whether patients read a category about themselves, in some app.
func (s Sensitive) ReadByPatients(category string) bool {
	return slices.ContainsFunc(s.readers[category], func(r Reader) bool { return r.Audience == AudiencePatient })
}

// withheld are the categories that an audience does not read.
func (s Sensitive) withheld(a Audience, f Facts) search.Categories {
	var names []string
	for name, readers := range s.readers {
		if !slices.ContainsFunc(readers, func(r Reader) bool { return r.admits(a, f) }) {
			names = append(names, name)
		}
	}
	return search.NewCategories(names...)
}

// audiences are what a subject is towards others, and towards their own record.
func (k *known) audiences() (towardsOthers, towardsOwn Audience) {
	if k.actsForItself() {
		return AudienceService, AudienceService
	}
	if !k.facts.HasUser {
		return "", ""
	}
	switch k.facts.FHIRUser.Type {
	case "Patient":
		return AudienceRepresentative, AudiencePatient
	case "RelatedPerson":
		return AudienceRepresentative, AudienceRepresentative
	case "Practitioner", "PractitionerRole":
		return AudiencePractitioner, AudiencePractitioner
	}
	return "", ""
}

// clearance says what is withheld from the subject; the zero value: nothing is.
func (k *known) clearance() search.Cleared {
	others, own := k.audiences()
	c := search.Cleared{Withheld: k.facts.Sensitive.withheld(others, k.facts), OwnWithheld: k.facts.Sensitive.withheld(own, k.facts)}
	if !c.Withheld.Equal(c.OwnWithheld) {
		c.Own = k.facts.FHIRUser.ID
	}
	return c
}

// cleared is a view of a class without what is withheld. Where none but their own record
// is reached, that is all there is to say.
func (k *known) cleared(class compartment.Class, e search.Expr) search.Expr {
	c := k.withheld
	if c.Own != "" && class == compartment.Record && !k.facts.Everybody && k.facts.Reach.Len() == 1 && k.facts.Reach.Contains(c.Own) {
		c = search.Cleared{Withheld: c.OwnWithheld}
	}
	if e == nil || c.Withheld.Len() == 0 && (c.Own == "" || c.OwnWithheld.Len() == 0) {
		return e
	}
	if all, ok := e.(search.And); ok && len(all) == 0 {
		return c
	}
	return search.And{e, c}
}

// Withholds reports whether some category is withheld: what is in the view depends on
// what resources derive from, also where it depends on nobody's record.
func (d Decision) Withholds() bool {
	return d.known != nil && (d.known.withheld.Withheld.Len() > 0 || d.known.withheld.OwnWithheld.Len() > 0)
}
