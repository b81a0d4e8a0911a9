package store

import "errors"

// Sentinels, compared with errors.Is.
var (
	// ErrNotFound: nothing is stored under that key for that owner.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict: a unique value is taken, or a compare-and-set lost its race.
	ErrConflict = errors.New("store: conflict")
	// ErrConsumed: the single-use thing was used before. Where the contract
	// says so, the grant behind it has been revoked by this very call.
	ErrConsumed = errors.New("store: already used")
	// ErrExpired: it existed and its time is over.
	ErrExpired = errors.New("store: expired")
	// ErrMismatch: it exists and is bound to something else. A code is dead
	// afterwards.
	ErrMismatch = errors.New("store: bound to something else")
	// ErrReplayed: the client assertion was used before, and nothing else was done.
	ErrReplayed = errors.New("store: client assertion already used")
	// ErrProofReplayed: the same of the DPoP proof.
	ErrProofReplayed = errors.New("store: proof already used")
	// ErrFull: as many are stored as may be.
	ErrFull = errors.New("store: full")
	// ErrRevoked: the grant behind it has been revoked.
	ErrRevoked = errors.New("store: revoked")
	// ErrNotHeld: the grant does not hold what was asked of it, and nothing was changed.
	ErrNotHeld = errors.New("store: not held by the grant")
)

// EndedError is a refusal that left a grant ended, by this call or before it: who
// keeps what has ended in memory learns of it without asking again.
type EndedError struct {
	GrantID GrantID
	Because error // one of the sentinels
}

// Error is that of the sentinel.
func (e *EndedError) Error() string { return e.Because.Error() }

// Unwrap makes errors.Is find the sentinel.
func (e *EndedError) Unwrap() error { return e.Because }
