package store

import "time"

// ChangeKind says which snapshot a Change makes stale.
type ChangeKind string

// The kinds of changes.
const (
	ChangeClient        ChangeKind = "client"
	ChangeUser          ChangeKind = "user"
	ChangeGrantRevoked  ChangeKind = "grant-revoked"
	ChangeTokenRevoked  ChangeKind = "token-revoked"
	ChangeSessionEnded  ChangeKind = "session-ended"
	ChangeKey           ChangeKind = "key"
	ChangePatientPolicy ChangeKind = "reach" // who may reach whom has changed
	ChangeEmergency     ChangeKind = "emergency"
)

// Change is one row of the feed that every process follows.
type Change struct {
	Seq  int64
	At   time.Time
	Kind ChangeKind
	ID   string // client id, user id, grant id, jti, hex of session hash; empty for keys
}

// Event is one line of the security record: who did what, with which outcome.
// It never holds a secret, a token or record content.
type Event struct {
	At       time.Time
	Kind     string // "login", "login.failed", "enrol", "consent", "launch", "code.replayed", "refresh.reused", "revoked", ...
	Actor    string // user or client id
	ClientID ClientID
	Patient  string
	GrantID  GrantID
	Outcome  string // "ok", "refused"
	// Detail is constant words only, but the reason that was stated for an emergency.
	Detail string
}
