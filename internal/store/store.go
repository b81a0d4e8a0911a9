package store

import (
	"context"
	"time"
)

// Store is everything the authorization server keeps. Doors declare the few
// methods they need.
type Store interface {
	Clients
	Registrations
	Users
	Recoveries
	Sessions
	Factors
	Requests
	PushedRequests
	Launches
	Grants
	Sharings
	Consents
	Keys
	Feed
	EventChain
	Trail
	Throttle
	LogoutNotices
	Emergencies
}

// Clients are the registered applications.
type Clients interface {
	// CreateClient stores a new client. ErrConflict when the id exists.
	CreateClient(ctx context.Context, c Client) error
	// PutClient replaces a client. Disabling it (Disabled newly true) revokes all
	// its grants in the same transaction. ErrNotFound when it does not exist.
	PutClient(ctx context.Context, c Client) error
	// ChangeClient replaces a client that was loaded and records the event, in one
	// transaction; what PutClient says of disabling holds. ErrConflict when the client
	// has changed since it was loaded (Version), ErrNotFound when it is gone.
	ChangeClient(ctx context.Context, c Client, e Event) error
	// RemoveClient removes a client that was loaded and records the event: its grants
	// end and what people chose for it is forgotten in the same transaction. The id
	// stays taken. Errors as for ChangeClient.
	RemoveClient(ctx context.Context, c Client, e Event) error
	// ImportClients stores new clients with their events, all or none. ErrConflict when
	// one of the ids is or was taken.
	ImportClients(ctx context.Context, all []Client, e Event) error
	// Client returns one client, ErrNotFound otherwise.
	Client(ctx context.Context, id ClientID) (Client, error)
	// ListClients returns all clients ordered by id.
	ListClients(ctx context.Context) ([]Client, error)
}

// Registrations are clients that register themselves (RFC 7591).
type Registrations interface {
	// CreateInitialAccessToken stores a token that lets others register clients.
	CreateInitialAccessToken(ctx context.Context, t InitialAccessToken) error
	// InitialAccessToken returns a token that is still good. ErrNotFound for unknown,
	// used up and expired ones alike.
	InitialAccessToken(ctx context.Context, hash []byte) (InitialAccessToken, error)
	// ListInitialAccessTokens returns all tokens that are kept, newest first.
	ListInitialAccessTokens(ctx context.Context) ([]InitialAccessToken, error)
	// RemoveInitialAccessToken ends a token, ErrNotFound when there is none.
	RemoveInitialAccessToken(ctx context.Context, id string) error
	// RegisterClient takes one use of the initial access token, stores the client and
	// records the event, all or nothing. ErrConsumed when the token is not good any
	// more, ErrFull when so many self-registered clients exist, or so many of them wait
	// for an operator already. The numbers are exact, whoever registers at the same time.
	RegisterClient(ctx context.Context, r Registration) error
}

// Users are the people with accounts.
type Users interface {
	// CreateUser stores a new account. ErrConflict when UsernameKey is taken, or
	// when Role is patient and another account has the same FHIRUser (LOGIN-07).
	CreateUser(ctx context.Context, u User) error
	// PutUser replaces an account's facts, and not its password. Disabling it ends its sessions and
	// revokes its grants in the same transaction.
	PutUser(ctx context.Context, u User) error
	// Represent changes for whom a user stands and records the event, all or nothing.
	// ErrNotFound when there is no such user, or nothing to end.
	Represent(ctx context.Context, c RepresentationChange) error
	// User returns one account by id, ErrNotFound otherwise.
	User(ctx context.Context, id UserID) (User, error)
	// UserByName returns one account by its compare key, ErrNotFound otherwise.
	UserByName(ctx context.Context, usernameKey string) (User, error)
	// SetPasswordHash replaces the hash only (upgrade of parameters).
	SetPasswordHash(ctx context.Context, id UserID, hash string) error
	// ChangePassword replaces the password, ends all sessions of the user but the one
	// kept, with what lives by them, and records the event, all or nothing. ErrConflict
	// when the password is not the one that was loaded any more, ErrNotFound when there
	// is no such user. A recovery code that was handed out is good no more.
	ChangePassword(ctx context.Context, c PasswordChange) error
	// ListUsers returns all accounts ordered by username key.
	ListUsers(ctx context.Context) ([]User, error)

	// CreateInvitation stores an invitation for a patient.
	CreateInvitation(ctx context.Context, i Invitation) error
	// TryInvitation counts one try and returns the invitation. The count is taken
	// before anything is compared. ErrNotFound for unknown, used, expired, or
	// tried maxTries times before: the caller cannot tell which.
	TryInvitation(ctx context.Context, codeHash []byte, maxTries int) (Invitation, error)
	// Enrol consumes the invitation and creates the account in one transaction.
	// ErrConsumed when the invitation is no longer good, ErrConflict when the
	// username key or the patient has an account: then the invitation stays good.
	Enrol(ctx context.Context, codeHash []byte, u User) error
}

// Sessions are browser sessions.
type Sessions interface {
	CreateSession(ctx context.Context, s Session) error
	// ContinueSession begins a session in the place of another of the same user,
	// which ends; the online grants of the old one live by the new one from then on
	// (RT-02). The new one keeps the SID of the old one, so that to apps it is the same
	// session, and nobody is told of an end. An old one of somebody else, or none,
	// changes nothing else.
	ContinueSession(ctx context.Context, s Session, old []byte) error
	// Session returns a live session (not ended, not past either limit) whose
	// user is not disabled; ErrNotFound otherwise.
	Session(ctx context.Context, idHash []byte) (Session, error)
	// TouchSession moves LastSeenAt and IdleUntil. No error when it has ended; it
	// does not come back.
	TouchSession(ctx context.Context, idHash []byte, idleUntil time.Time) error
	// EndSession ends one session and revokes its online grants (RT-02, LOGOUT-07), and
	// those whose ID token would tell of it and whose code nobody has redeemed yet. In the
	// same transaction it writes a LogoutNotice for each enabled client that has redeemed
	// such a code and has registered where it wants to be told (LOGOUT-10). So does all
	// that ends sessions.
	EndSession(ctx context.Context, idHash []byte, reason string) error
	// EndUserSessions ends all sessions of a user, but the one kept (may be nil).
	EndUserSessions(ctx context.Context, id UserID, keep []byte, reason string) error
	// ListSessions returns the live sessions of a user, the last seen first, at most
	// limit of them.
	ListSessions(ctx context.Context, id UserID, limit int) ([]Session, error)
}

// Requests are authorization requests under way.
type Requests interface {
	// CreateRequest stores a request; the store evicts the oldest requests that
	// nobody has logged in to when clearly more than the cap are kept, and the oldest
	// of its person when that person has too many (B1 AZ-36).
	CreateRequest(ctx context.Context, r AuthorizationRequest) error
	// ClaimRequest gives a request that belongs to no browser yet, but to the hash
	// unclaimed, to a browser. One claim wins; ErrNotFound for all others.
	ClaimRequest(ctx context.Context, handleHash, unclaimed, browserHash []byte) error
	// Request returns an unexpired request of this browser. ErrNotFound for
	// another browser's and unknown ones alike, ErrExpired when its time is over;
	// an answered one is returned, with AnsweredAt set.
	Request(ctx context.Context, handleHash, browserHash []byte) (AuthorizationRequest, error)
	// SaveFacts writes the facts of r if r.Version is still the stored one and the
	// request is neither answered nor expired; the stored version grows by one.
	// ErrConflict otherwise. Nothing but the facts is written; when the facts name a
	// person who has too many requests, the oldest of the others make room.
	SaveFacts(ctx context.Context, r AuthorizationRequest) error
	// AnswerRequest marks a request as answered without a code (refused).
	// ErrConsumed when it was answered before or its time is over. The decision is
	// kept, if any.
	AnswerRequest(ctx context.Context, handleHash []byte, d *ConsentDecision) error
}

// PushedRequests are authorization requests that no browser has begun yet.
type PushedRequests interface {
	// CreatePushedRequest stores a request of the client that it names. When too many
	// are kept of that client, or of all together, the oldest make room. ErrFull: as
	// many of its network are kept as may be, and nothing made room.
	CreatePushedRequest(ctx context.Context, p PushedRequest) error
	// PushedRequest returns a request of this client, a used one too. ErrNotFound for
	// unknown, expired and other clients' ones: the caller cannot tell which.
	PushedRequest(ctx context.Context, referenceHash []byte, client ClientID) (PushedRequest, error)
	// UsePushedRequest uses it up, in one conditional statement. ErrConsumed when it
	// was used before, or is none that PushedRequest would return.
	UsePushedRequest(ctx context.Context, referenceHash []byte, client ClientID) error
}

// Launches are apps that an EHR has started and that have not asked yet.
type Launches interface {
	// CreateLaunch stores a launch with the event that says who made it, both or
	// neither.
	CreateLaunch(ctx context.Context, l Launch, made Event) error
	// ConsumeLaunch returns a launch of this client and uses it up, in one
	// conditional statement. ErrNotFound for unknown, used, expired and other
	// clients' ones: the caller cannot tell which, and nothing changed.
	ConsumeLaunch(ctx context.Context, handleHash []byte, client ClientID) (Launch, error)
}

// Grants are what was given, with code and refresh family.
type Grants interface {
	// IssueCode writes the grant with its code, answers the request and keeps the
	// decision, all or nothing. ErrConsumed when the request was answered before or
	// its time is over; ErrRevoked when the session of its ID token is over.
	IssueCode(ctx context.Context, i Issue) error
	// RedeemCode consumes a code in one conditional statement (RFC 6749 §4.1.3).
	// On success the first refresh token exists (Generation 1) if the policy has
	// one. ErrNotFound: unknown code. ErrMismatch: another client, redirect URI,
	// verifier or key; the code is dead and its grant revoked. ErrExpired. ErrConsumed: it
	// was presented before; the grant with all its tokens is revoked by this call.
	// ErrRevoked: the grant ended before, its client or user is disabled, or the
	// session that an online grant lives by has ended. A refusal that leaves the grant
	// revoked is an EndedError.
	RedeemCode(ctx context.Context, r Redemption) (Grant, error)
	// RedeemPromised makes a grant whose code carries it, in one conditional statement. It
	// is as if the code had been issued and redeemed at this moment: errors as for
	// RedeemCode, but that a code that is not good any more is ErrRevoked, whatever the
	// reason. What it was promised on stands until the commit: who ends the session,
	// forgets the approval (as every revocation does that means this grant), or disables
	// client or user either ends this grant, or it is not made.
	RedeemPromised(ctx context.Context, p PromisedGrant, r Redemption) (Grant, error)
	// RefreshGrant uses a refresh token in one conditional statement. ErrConsumed:
	// reuse of an older token outside of the grace, the family is revoked by this
	// call. ErrMismatch: another client or key; nothing changed. ErrExpired, ErrNotFound.
	// ErrRevoked as for RedeemCode: online families need their session alive; also when
	// the user has lost the patient, and the grant is revoked by this call, with the
	// consent that was remembered (REVOKE-15). ErrNotHeld: the token is good and the
	// grant does not hold Within; nothing changed, and the grant is returned so that
	// the caller can say why.
	RefreshGrant(ctx context.Context, r Refresh) (Refreshed, error)
	// StandingGrant returns the live grant by which a client acts for itself; it is
	// made when there is none. ErrRevoked: the client is disabled, or not there.
	StandingGrant(ctx context.Context, s Standing) (Grant, error)
	// UseAssertion spends a client assertion by itself. RedeemCode, RefreshGrant and
	// StandingGrant spend the one that they are given in their own step: ErrReplayed
	// when it was used before, by whichever process, and then nothing else has
	// happened. The same holds of the proof that they are given, with
	// ErrProofReplayed; when both were used before, of the assertion.
	UseAssertion(ctx context.Context, a Assertion) error
	// Grant returns one grant, revoked ones too.
	Grant(ctx context.Context, id GrantID) (Grant, error)
	// ListGrants returns the grants of a user whose code was redeemed and which have
	// not been revoked, newest first.
	ListGrants(ctx context.Context, user UserID) ([]Grant, error)
	// Revoke ends all live grants that match and forgets the remembered consent of
	// the same user and client (REVOKE-15). It returns how many ended.
	Revoke(ctx context.Context, r Revocation) (int, error)
	// RevokeToken ends one access token.
	RevokeToken(ctx context.Context, t RevokedToken) error
}

// Sharings are grants as people look after them.
type Sharings interface {
	// LivingGrants returns what the query asks for and may still give access: redeemed,
	// not revoked, and with a refresh token that is good, or an access token that may
	// be. The latest first.
	LivingGrants(ctx context.Context, q SharingQuery) ([]SharedGrant, error)
	// StoppedGrants returns what the query asks for, was redeemed, and has been revoked
	// since then, the latest first. Grants that ended because their session did are
	// left out, and so are those of practitioners about the person's record.
	StoppedGrants(ctx context.Context, q SharingQuery, since time.Time) ([]SharedGrant, error)
	// StopSharing ends all live grants of a sharing, with codes that nobody has redeemed
	// yet, and forgets what is remembered of that user and client (REVOKE-15). It
	// returns how many ended. ErrNotFound when the sharing names no user or no client.
	StopSharing(ctx context.Context, s Sharing, reason, actor string) (int, error)
	// NoteUses keeps when grants were last used. An earlier time than the one that is
	// kept changes nothing; a grant that does not exist is no error.
	NoteUses(ctx context.Context, uses []GrantUse) error
}

// Consents are decisions and what is remembered of them.
type Consents interface {
	// Remembered returns the last choice, ErrNotFound when there is none.
	Remembered(ctx context.Context, user UserID, client ClientID, patient string) (RememberedConsent, error)
	// ListDecisions returns the decisions of a user, newest first.
	ListDecisions(ctx context.Context, user UserID) ([]ConsentDecision, error)
}

// Keys are signing keys and server secrets, sealed.
type Keys interface {
	// CreateKeysOnce stores the keys if no key exists yet; it returns all stored
	// keys either way, so that two processes starting together agree.
	CreateKeysOnce(ctx context.Context, keys []SigningKey) ([]SigningKey, error)
	// ListKeys returns all keys, the oldest first.
	ListKeys(ctx context.Context) ([]SigningKey, error)
	// ChangeKeys writes the change if what is stored is exactly what was read, all
	// or nothing. ErrConflict otherwise: somebody else was faster.
	ChangeKeys(ctx context.Context, c KeyChange) error
	// ListSecrets returns all secrets ordered by name.
	ListSecrets(ctx context.Context) ([]ServerSecret, error)
	// CreateSecretOnce stores a secret unless one of that name exists; it returns
	// the stored one.
	CreateSecretOnce(ctx context.Context, s ServerSecret) (ServerSecret, error)
}

// Feed is how processes learn what changed.
type Feed interface {
	// Changes returns the rows of the last window, oldest first, and the highest
	// sequence number. Rows may come again; the caller forgets the ones it knows.
	Changes(ctx context.Context, window time.Duration) ([]Change, error)
	// RevokedSince returns the grants revoked and the tokens revoked whose access
	// tokens may still live, to fill a snapshot at start.
	RevokedSince(ctx context.Context, since time.Time) ([]GrantID, []RevokedToken, error)
	// Announce adds a change that no other method makes (policy sources loaded).
	Announce(ctx context.Context, kind ChangeKind, id string) error
	// Record appends an event to the security record.
	Record(ctx context.Context, e Event) error
	// ListEvents returns the newest events, newest first.
	ListEvents(ctx context.Context, limit int) ([]Event, error)
	// Sweep removes what has ended: expired requests, pushed ones too, sessions, half ones too,
	// throttle windows, assertions, old changes, self-registered clients that were never
	// used, about which an operator has set nothing and has nothing to decide. It never removes grants, decisions or events.
	Sweep(ctx context.Context) error
	// Ping answers nil when the database can be read and written.
	Ping(ctx context.Context) error
}

// LogoutNotices are apps that have to be told of the end of a session, kept until
// they were. Time is that of the database.
type LogoutNotices interface {
	// ClientsToTell returns the clients with notices that are due or too old.
	ClientsToTell(ctx context.Context) ([]ClientID, error)
	// ClaimLogoutNotice returns a due notice of a client, counts an attempt and makes it
	// due again only after the lease, in one statement: no two callers have the same, and
	// what a process leaves behind that dies is found by another. ErrNotFound: none is due.
	ClaimLogoutNotice(ctx context.Context, client ClientID, lease time.Duration) (LogoutNotice, error)
	// PostponeLogoutNotice makes one notice due after a while.
	PostponeLogoutNotice(ctx context.Context, id int64, wait time.Duration) error
	// PostponeLogoutNoticesOf lets a while pass before any notice of a client is due.
	PostponeLogoutNoticesOf(ctx context.Context, client ClientID, wait time.Duration) error
	// RemoveLogoutNotice forgets a notice.
	RemoveLogoutNotice(ctx context.Context, id int64) error
	// ExpireLogoutNotices forgets those of a client that are too old (a day) and returns
	// how many there were.
	ExpireLogoutNotices(ctx context.Context, client ClientID) (int, error)
}

// Throttle counts tries, durably, shared by all processes (security E-29).
type Throttle interface {
	// Count adds one to the key's window before anything is verified and reports
	// the count after it and when the window ends.
	Count(ctx context.Context, key string, window time.Duration) (n int, until time.Time, err error)
	// ResetCount forgets a key after a success.
	ResetCount(ctx context.Context, key string) error
}
