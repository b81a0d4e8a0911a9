package store

import "time"

// InitialAccessToken lets its holder register clients (RFC 7591 §1.2).
type InitialAccessToken struct {
	ID        string // what operators call it by
	Hash      []byte // SHA-256 of the token
	Note      string // for whom, in the operator's words
	Uses      int    // registrations that are left
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Registration is all that is written when a client registers itself.
type Registration struct {
	Client Client
	// TokenHash is the hash of the initial access token; nil where anybody may
	// register.
	TokenHash []byte
	// Limit is how many self-registered clients there may be.
	Limit int
	// WaitingLimit is how many of them may wait for an operator; it counts when the
	// client is one that waits.
	WaitingLimit int
	Event        Event
}
