package store

import (
	"strings"
	"time"
)

// UserID is the subject identifier (`sub`): random, stable, never reassigned
// (OpenID Connect Core §2).
type UserID string

// Role is what a person is to the organisation. The zero value has no rights.
type Role string

// The roles.
const (
	RolePatient        Role = "patient"
	RoleRepresentative Role = "representative"
	RolePractitioner   Role = "practitioner"
	RoleAdministrator  Role = "administrator"
)

// User is a person with an account.
type User struct {
	ID       UserID `json:"id"`
	Username string `json:"username"` // as typed at creation
	// UsernameKey is the compare key (PRECIS UsernameCaseMapped), unique.
	UsernameKey string `json:"username_key"`
	Display     string `json:"display"`
	Role        Role   `json:"role"`
	// FHIRUser is the person's own record: "Patient/x", "Practitioner/x", "RelatedPerson/x".
	FHIRUser string `json:"fhir_user"`
	// FactorAt is when a second factor was set up; zero: there is none. Only Factors
	// change it.
	FactorAt time.Time `json:"-"`
	// PasswordHash is an encoded argon2id string; empty: no password, nobody logs in with one.
	PasswordHash string           `json:"-"`
	Represents   []Representation `json:"represents,omitempty"`
	Disabled     bool             `json:"disabled,omitempty"`
	CreatedAt    time.Time        `json:"created_at"`
}

// OwnPatient is the id of the patient record that is the person's own; empty: none is.
func (u User) OwnPatient() string {
	id, own := strings.CutPrefix(u.FHIRUser, "Patient/")
	if !own {
		return ""
	}
	return id
}

// Representation is the server's own record that a user stands for a patient;
// it is made by staff or by identity proofing, never by a FHIR write.
type Representation struct {
	Patient      string    `json:"patient"` // bare id
	Relationship string    `json:"relationship,omitempty"`
	Until        time.Time `json:"until,omitzero"` // zero: no end set
}

// RepresentationChange says for whom a user stands from now on.
type RepresentationChange struct {
	UserID UserID
	// Representation takes the place of the one for its patient.
	Representation Representation
	// End: the user does not stand for the patient any more.
	End bool
	// Event is recorded with it.
	Event Event
}

// Invitation lets one patient without an account prove who they are (LOGIN-03).
type Invitation struct {
	CodeHash  []byte
	Patient   string // bare id
	CreatedAt time.Time
	ExpiresAt time.Time
	Tries     int // counted before the answer is checked
	UsedAt    time.Time
}

// Session is a browser session of a logged-in user.
type Session struct {
	IDHash []byte
	// SID names the session to apps, in ID tokens (Back-Channel Logout 1.0 §2.1). It is
	// no part of the cookie. Whoever proves their credentials again keeps it.
	SID        string
	UserID     UserID
	AuthTime   time.Time // when credentials were last proven
	AMR        []string  // RFC 8176
	CreatedAt  time.Time
	LastSeenAt time.Time
	IdleUntil  time.Time
	ExpiresAt  time.Time
	// Role and FactorAt are those of the user when it was read, and say whether the
	// methods suffice. They are not kept with it.
	Role     Role
	FactorAt time.Time
	// ReadAt is the database's time when it was read. It is not kept.
	ReadAt time.Time
}
