package store

import "time"

// Review is how far the organisation is with an app that registered itself: when
// each thing happened (REG-06). Package review makes the changes; State reads them.
type Review struct {
	RegisteredAt time.Time `json:"registered_at,omitzero"` // its developer asked
	AskedAt      time.Time `json:"asked_at,omitzero"`      // the developer was asked for a proof of who they are
	VerifiedAt   time.Time `json:"verified_at,omitzero"`   // who they are is known
	EnabledAt    time.Time `json:"enabled_at,omitzero"`    // people may be asked
	DeclinedAt   time.Time `json:"declined_at,omitzero"`
	SuspendedAt  time.Time `json:"suspended_at,omitzero"`
	// Question is what the developer was asked, and Reason why the app was declined or
	// suspended, in the operator's words; both are told to the developer.
	Question string `json:"question,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// ReviewState is where an app stands.
type ReviewState string

// The states. The zero value is that of an app nobody reviews: an operator's own.
const (
	ReviewRegistered ReviewState = "registered"
	ReviewAsked      ReviewState = "asked"
	ReviewVerified   ReviewState = "verified"
	ReviewEnabled    ReviewState = "enabled"
	ReviewDeclined   ReviewState = "declined"
	ReviewSuspended  ReviewState = "suspended"
)

// Waits reports whether an operator has to do something next.
func (s ReviewState) Waits() bool {
	return s == ReviewRegistered || s == ReviewAsked || s == ReviewVerified
}

// State is where the app stands: what stops it comes before what lets it go on.
func (r Review) State() ReviewState {
	switch {
	case !r.SuspendedAt.IsZero():
		return ReviewSuspended
	case !r.DeclinedAt.IsZero():
		return ReviewDeclined
	case !r.EnabledAt.IsZero():
		return ReviewEnabled
	case !r.VerifiedAt.IsZero():
		return ReviewVerified
	case !r.AskedAt.IsZero():
		return ReviewAsked
	case !r.RegisteredAt.IsZero():
		return ReviewRegistered
	}
	return ""
}

// Ceiling is what an operator has set for one app that registered itself, and what
// it cannot exceed when it changes by itself.
type Ceiling struct {
	Scope         string `json:"scope,omitempty"`          // everything it may ask for; empty: the policy for such apps
	RequirePushed bool   `json:"require_pushed,omitempty"` // its requests have to be pushed
	DPoPBound     bool   `json:"dpop_bound,omitempty"`     // its access tokens are bound to keys
}
