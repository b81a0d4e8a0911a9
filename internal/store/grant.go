package store

import (
	"time"

	"github.com/emberlatch/emberlatch/smart"
)

// GrantID is 16 random bytes, base64url without padding.
type GrantID string

// Grant is what was given: the immutable facts of one authorization, its code,
// and the counters of its refresh family. One row, so that redeeming and
// refreshing are one conditional statement each. The standing grant of a backend
// service has no user, no code and no scopes: each token says its own.
type Grant struct {
	ID        GrantID
	ClientID  ClientID
	UserID    UserID
	Username  string // for introspection
	FHIRUser  string // "Practitioner/x"; empty when not known
	Patient   string // patient in context, bare id
	Encounter string
	// LaunchContext is the JSON of smart.LaunchContext with what the token response repeats.
	LaunchContext string
	Scopes        []string
	Audience      string // the FHIR base
	Nonce         string
	AuthTime      time.Time
	AMR           []string
	// KeyThumbprint is of the key that the code, and once it is redeemed the refresh
	// family, is good with; empty: with any, or none (RFC 9449 §5, §10).
	KeyThumbprint string
	// SessionHash ties an online grant to its session; empty for offline grants.
	SessionHash []byte
	// SID is that of the session in which the grant was given, when an ID token goes
	// with it; set by the store.
	SID        string
	CreatedAt  time.Time
	RevokedAt  time.Time
	RevokedFor string

	// Refresh says whether and how a refresh family exists.
	Refresh RefreshPolicy
	// Generation is the number of the live refresh token; 0 before redemption.
	Generation uint32
	// RefreshExpiresAt is the idle end of the live refresh token.
	RefreshExpiresAt time.Time
}

// RefreshPolicy is fixed when the grant is made.
type RefreshPolicy struct {
	Kind     RefreshKind
	Idle     time.Duration // life of an unused token; each use starts it anew
	Absolute time.Duration // end of the family counted from the grant; 0: none
	Rotate   bool          // every use gives a new token
}

// RefreshKind tells whose life a refresh token follows.
type RefreshKind string

// No refresh token, one that ends with the session, one that outlives it.
const (
	RefreshNone    RefreshKind = ""
	RefreshOnline  RefreshKind = "online"
	RefreshOffline RefreshKind = "offline"
)

// AuthorizationCode is what a code is bound to (RFC 6749 §4.1.3).
type AuthorizationCode struct {
	Hash          []byte // SHA-256 of the code
	RedirectURI   string
	CodeChallenge string
	Life          time.Duration // counted by the database's clock
}

// Issue is all that is written when a code leaves: in one transaction.
type Issue struct {
	Grant Grant
	Code  AuthorizationCode
	// RequestHandleHash marks the stored request as answered; nil when the
	// request was never stored (silent authorization). Already answered:
	// ErrConsumed and nothing is written.
	RequestHandleHash []byte
	// IDSessionHash is the session that an ID token will tell of; nil: none will.
	IDSessionHash []byte
	Decision      *ConsentDecision
	Remember      *RememberedConsent
}

// Redemption is the attempt to exchange a code.
type Redemption struct {
	CodeHash      []byte
	ClientID      ClientID
	RedirectURI   string
	CodeChallenge string // S256(code_verifier), empty when no verifier was sent
	Possession    Possession
	Assertion     *Assertion
}

// Refresh is the attempt to use a refresh token whose MAC was verified.
type Refresh struct {
	GrantID    GrantID
	ClientID   ClientID
	Generation uint32
	Grace      time.Duration // how long the previous token may be retried
	Within     Within
	Possession Possession
	Assertion  *Assertion
}

// Within is what the scopes of a grant must hold for its token to be used. The zero
// value is no condition.
type Within struct {
	AnyOf   [][]string     // one scope of each, word for word
	Whole   int            // and, with AnyOf, this many scopes in all; 0: however many
	Demands []smart.Demand // and each of these, by what the scopes mean
}

// Assertion is one use of a client assertion whose signature was verified (RFC 7523
// §3). Handed to a method that consumes something, it is spent in the same step,
// whatever comes of the rest; nil: the client did not send one.
type Assertion struct {
	IDHash    []byte    // SHA-256 of client and jti
	ExpiresAt time.Time // its exp
}

// Standing asks for the grant by which a backend service acts for itself.
type Standing struct {
	ID        GrantID // of the grant, should it have to be made
	ClientID  ClientID
	Audience  string // the FHIR base
	Proof     *Proof
	Assertion *Assertion
}

// Possession is what a client has shown to possess. The zero value: nothing.
type Possession struct {
	Key   string // thumbprint of the key; empty: none was shown
	Bind  bool   // from now on the refresh family is good with this key only
	Proof *Proof
}

// Bound is the key that the refresh family is bound to; empty: none.
func (p Possession) Bound() string {
	if !p.Bind {
		return ""
	}
	return p.Key
}

// Proof is one use of a DPoP proof that was verified (RFC 9449 §11.1). It is spent as
// an Assertion is.
type Proof struct {
	IDHash    []byte    // SHA-256 of key and jti
	ExpiresAt time.Time // when it ends by itself
}

// Refreshed is the outcome of a successful Refresh.
type Refreshed struct {
	Grant Grant // Generation is the number of the token to answer with
	// User is the account behind the grant as it was at that moment, not disabled.
	User User
	// Retried: the previous token was repeated inside the grace; nothing moved.
	Retried bool
	// Judged: that the user reaches the patient was found in the same statement. False
	// where the records are elsewhere, and then the caller asks.
	Judged bool
}

// Revocation names what ends. Exactly one of the selectors is set, or Client
// together with User or with Patient (REVOKE-13).
type Revocation struct {
	GrantID  GrantID
	UserID   UserID
	ClientID ClientID
	Patient  string
	Reason   string
	Actor    string // who did it, for the record
}

// RevokedToken is an access token that ended before its time.
type RevokedToken struct {
	TokenID   string // jti
	ExpiresAt time.Time
}
