package access

import (
	"maps"
	"sync/atomic"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// Facts is what is known about a caller when its token has been verified.
type Facts struct {
	ClientID, GrantID, UserID string
	// TokenID names the token, for the record.
	TokenID string
	Scopes  smart.ScopeSet
	// Patient is the patient in context, a bare id; empty: none.
	Patient string
	// FHIRUser is the record of who logged in; zero: not known.
	FHIRUser fhir.Reference
	// HasUser says that a user stands behind the token; Reach are the patients
	// that user may see at this moment.
	HasUser bool
	Reach   search.IDSet
	// Everybody: the user reaches all patients, and what is about nobody, by a role that
	// the operator named.
	Everybody bool
	// AgeLeads: how long somebody reaches a patient goes by their age, so that no app
	// changes a birth date.
	AgeLeads bool
	// Why is which ways lead the user to a patient, for the record; nil: nobody knows.
	Why func(patient string) Ways
	// Own is what the client reaches by itself, when nobody stands behind the token.
	Own Own
	// Sensitive is who reads which category of sensitive content.
	Sensitive Sensitive
	// OwnPage: a page of the server itself asks, for who logged in, and no app.
	OwnPage bool
	// Base is the FHIR base whose absolute references count as local.
	Base string
}

// Subject is who asks. The zero value may do nothing. It is safe for concurrent
// use. What its scopes come to is worked out once a type, so keep a Subject while
// the facts hold.
type Subject struct{ known *known }

// known is a subject with what was worked out about it.
type known struct {
	facts Facts
	// inContext is the record of the patient in context, nothing when the user does
	// not reach it.
	inContext ground
	readsSelf bool
	withheld  search.Cleared

	ofType  map[fhir.ResourceType][]int // scopes that name a type, by place in the set
	anyType []int                       // scopes on the wildcard

	byType atomic.Pointer[map[fhir.ResourceType]*covered] // what was asked for so far; replaced, never changed
}

// NewSubject makes a Subject of verified facts.
func NewSubject(f Facts) Subject {
	k := &known{
		facts:  f,
		ofType: map[fhir.ResourceType][]int{},
		readsSelf: f.HasUser && f.FHIRUser.ID != "" && f.Scopes.Has(smart.OpenID) &&
			(f.Scopes.Has(smart.FHIRUser) || f.Scopes.Has(smart.Profile)),
	}
	k.withheld = k.clearance()
	if f.Patient != "" && (!f.HasUser || f.reaches(f.Patient)) {
		k.inContext = aboutPatients(inContext, search.NewIDSet(f.Patient))
	}
	for place, scope := range f.Scopes.Clinical() {
		if t := scope.Type(); t != smart.AnyType {
			k.ofType[t] = append(k.ofType[t], place)
		} else {
			k.anyType = append(k.anyType, place)
		}
	}
	k.byType.Store(&map[fhir.ResourceType]*covered{})
	return Subject{k}
}

// of returns what the subject's scopes come to for a type.
func (k *known) of(t fhir.ResourceType) *covered {
	if k == nil {
		return &covered{}
	}
	before := k.byType.Load()
	if c, ok := (*before)[t]; ok {
		return c
	}
	class := compartment.ClassOf(t)
	if class == compartment.Closed {
		return &covered{} // a wildcard does not open it
	}
	c := k.cover(t, class)
	after := maps.Clone(*before)
	after[t] = c
	// Whoever loses this race has worked out the same and does so once more.
	k.byType.CompareAndSwap(before, &after)
	return c
}

// ClientID is the client that asks.
func (s Subject) ClientID() string { return s.facts().ClientID }

// GrantID is the grant that the token belongs to.
func (s Subject) GrantID() string { return s.facts().GrantID }

// UserID is the user behind the token, empty when there is none.
func (s Subject) UserID() string { return s.facts().UserID }

// FHIRUser is the record of who logged in; zero: not known.
func (s Subject) FHIRUser() fhir.Reference { return s.facts().FHIRUser }

// TokenID names the token.
func (s Subject) TokenID() string { return s.facts().TokenID }

// Reaches reports whether the user, or the client by itself, reaches a patient now.
func (s Subject) Reaches(patient string) bool {
	f := s.facts()
	if f.HasUser {
		return f.reaches(patient)
	}
	return f.Own.Patients.Contains(patient) || f.Own.All && patient != ""
}

// Why is which ways lead the user to a patient, for the record.
func (s Subject) Why(patient string) Ways {
	f := s.facts()
	if !f.HasUser || f.Why == nil {
		return 0
	}
	return f.Why(patient)
}

// reaches reports whether the user reaches a patient.
func (f Facts) reaches(patient string) bool {
	return f.Reach.Contains(patient) || f.Everybody && patient != ""
}

// Patient is the patient in context, empty when there is none.
func (s Subject) Patient() string { return s.facts().Patient }

func (s Subject) facts() Facts {
	if s.known == nil {
		return Facts{}
	}
	return s.known.facts
}
