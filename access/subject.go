package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// Facts is what is known about a caller when its token has been verified.
type Facts struct {
	ClientID, GrantID, UserID string
	Scopes                    smart.ScopeSet
	// Patient is the patient in context, a bare id; empty: none.
	Patient string
	// FHIRUser is the record of who logged in; zero: not known.
	FHIRUser fhir.Reference
	// HasUser says that a user stands behind the token; Reach are the patients
	// that user may see at this moment.
	HasUser bool
	Reach   search.IDSet
	// Base is the FHIR base whose absolute references count as local.
	Base string
}

// Subject is who asks. The zero value may do nothing. It is immutable and safe
// for concurrent use.
type Subject struct {
	facts Facts
	// reachesPatient: the patient in context is set and the user reaches it.
	reachesPatient bool
	readsSelf      bool
}

// NewSubject makes a Subject of verified facts.
func NewSubject(f Facts) Subject {
	return Subject{
		facts:          f,
		reachesPatient: f.Patient != "" && (!f.HasUser || f.Reach.Contains(f.Patient)),
		readsSelf: f.HasUser && f.FHIRUser.ID != "" && f.Scopes.Has(smart.OpenID) &&
			(f.Scopes.Has(smart.FHIRUser) || f.Scopes.Has(smart.Profile)),
	}
}

// ClientID is the client that asks.
func (s Subject) ClientID() string { return s.facts.ClientID }

// GrantID is the grant that the token belongs to.
func (s Subject) GrantID() string { return s.facts.GrantID }

// UserID is the user behind the token, empty when there is none.
func (s Subject) UserID() string { return s.facts.UserID }

// Patient is the patient in context, empty when there is none.
func (s Subject) Patient() string { return s.facts.Patient }
