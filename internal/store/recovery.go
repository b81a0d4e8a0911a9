package store

import (
	"context"
	"time"
)

// Recovery lets one person choose another password, once: proof of who they are comes to
// them out of band (LOGIN-19).
type Recovery struct {
	CodeHash  []byte
	UserID    UserID
	CreatedAt time.Time
	ExpiresAt time.Time
	// DisconnectApps: all apps lose their access with it, whatever the person says.
	DisconnectApps bool
	Tries          int // counted before anything is compared
}

// RecoveryUse is a recovery code used up.
type RecoveryUse struct {
	CodeHash []byte
	UserID   UserID
	// Hash is that of the new password.
	Hash string
	// DisconnectApps: the person wants all apps to lose their access.
	DisconnectApps bool
	// Event is recorded with it; its Detail says what became of the apps.
	Event Event
}

// What becomes of the apps of an account that is recovered, as Detail of its event.
const (
	AppsKept         = "apps kept"
	AppsDisconnected = "apps disconnected"
)

// Recoveries are the codes by which people get back into their accounts.
type Recoveries interface {
	// CreateRecovery stores a code for an account and records the event, both or neither.
	// One that the account had is good no more. ErrNotFound when there is no such account,
	// or it is disabled.
	CreateRecovery(ctx context.Context, r Recovery, e Event) error
	// TryRecovery counts one try and returns the recovery. The count is taken before
	// anything is compared. ErrNotFound for unknown, replaced, used, expired, or tried
	// maxTries times before: the caller cannot tell which.
	TryRecovery(ctx context.Context, codeHash []byte, maxTries int) (Recovery, error)
	// Recover uses the code up and replaces the password, ends all sessions of the account
	// with what lives by them, and records the event, all or nothing. All its grants and
	// what is remembered of apps end too when the person or the code says so, which is
	// returned. ErrConsumed when the code is good no more, is another account's, or the
	// account is disabled: nothing has changed.
	Recover(ctx context.Context, u RecoveryUse) (disconnected bool, err error)
}
