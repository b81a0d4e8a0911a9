package store

import "time"

// Sharing names what a person has given to an app for one patient: all grants of
// these three. An empty Patient means the grants that are about no single patient.
type Sharing struct {
	UserID   UserID // who gave it
	ClientID ClientID
	Patient  string // bare id
}

// SharingQuery asks for the grants that a person has given, and for those of others
// that are about the person's own record.
type SharingQuery struct {
	UserID UserID
	// Record is the patient that the person is; empty: no record of their own.
	Record string
	// AccessLife is how long an access token lives.
	AccessLife time.Duration
	// Limit is how many rows are read at most.
	Limit int
}

// SharedGrant is a grant as people look at it.
type SharedGrant struct {
	Grant Grant
	// GivenBy is the account behind the grant.
	GivenBy User
	// TokenAt is when the app last got a token.
	TokenAt time.Time
	// UsedAt is when the app last used one; zero: not that anybody knows (NoteUses).
	UsedAt time.Time
	// RevokedBy is who ended it: a user or client id, "operator", "server"; empty
	// while it lives.
	RevokedBy string
}

// GrantUse is the last time that a grant was used.
type GrantUse struct {
	GrantID GrantID
	At      time.Time
}

// PasswordChange replaces a password.
type PasswordChange struct {
	UserID UserID
	// Was is the hash that was loaded with the account.
	Was, Hash string
	// Keep is the session that goes on; nil: none does.
	Keep []byte
	// Event is recorded with it.
	Event Event
}
