package store

import (
	"context"
	"time"
)

// Factor is the second factor of a person: a secret that their authenticator shares with
// this server (RFC 6238).
type Factor struct {
	UserID UserID
	// Sealed is the secret; who keeps it cannot read it.
	Sealed []byte
	// LastStep is the time step of the last code that was taken.
	LastStep int64
	// ConfirmedAt is when a code of it was first shown.
	ConfirmedAt time.Time
	// BackupCodes are left. It is counted when it is read.
	BackupCodes int
}

// FactorChange sets up a second factor, in the place of another or of none, or removes it.
type FactorChange struct {
	UserID UserID
	// Was is the secret that is there, sealed, as it was loaded; nil: there is none.
	Was []byte
	// Sealed is the new one; nil: there is none from now on.
	Sealed []byte
	// Step is the time step of the code that confirmed it, which is used up by that.
	Step int64
	// BackupHashes take the place of the ones before.
	BackupHashes [][]byte
	// Keep is the session that goes on; nil: none does.
	Keep []byte
	// Event is recorded with it.
	Event Event
}

// FactorUse is a code that somebody has shown, and that is good once: the step of a code
// by time, or the hash of a backup code.
type FactorUse struct {
	Step       int64
	BackupHash []byte // not nil: a backup code
}

// HalfSession is somebody who has proven a password and owes a second factor. It is no
// Session, and no method that returns sessions returns one.
type HalfSession struct {
	IDHash    []byte
	UserID    UserID
	AMR       []string // RFC 8176
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Completion makes a session of a half one, by a code of the factor that is there or by
// setting one up.
type Completion struct {
	Half    []byte
	Session Session
	// Use is spent; it counts unless SetUp is there.
	Use   FactorUse
	SetUp *FactorChange
	// Old is the session that the browser had, which ends: nil: none.
	Old []byte
	// Event is recorded with it.
	Event Event
}

// Factors are second factors, and the sign-ins that owe one.
type Factors interface {
	// Factor returns the factor of a user, ErrNotFound when there is none.
	Factor(ctx context.Context, id UserID) (Factor, error)
	// ChangeFactor changes it, ends all sessions of the user but the one kept, half ones
	// too, and records the event, all or nothing. ErrConflict when the factor is not the
	// one that was loaded any more, ErrNotFound when there is no such user.
	ChangeFactor(ctx context.Context, c FactorChange) error
	// RenewBackupCodes replaces all backup codes and records the event. ErrNotFound
	// when the user has no factor.
	RenewBackupCodes(ctx context.Context, id UserID, hashes [][]byte, e Event) error
	// CreateHalfSession stores a half session.
	CreateHalfSession(ctx context.Context, h HalfSession) error
	// HalfSession returns one that is not over and whose user is not disabled,
	// ErrNotFound otherwise.
	HalfSession(ctx context.Context, idHash []byte) (HalfSession, error)
	// EndHalfSession ends one, if it is there.
	EndHalfSession(ctx context.Context, idHash []byte) error
	// CompleteSession spends the code by one conditional statement, uses the half session
	// up, makes the session, as ContinueSession does when the old one is of the same user,
	// ends an old one of anybody else, and records the event, all or nothing. ErrConsumed:
	// the code was used before, or a later one was, or it is none. ErrNotFound: the half
	// session is over, was used, or is somebody else's. ErrConflict: SetUp, and the factor
	// is not as it was loaded.
	CompleteSession(ctx context.Context, c Completion) error
}
