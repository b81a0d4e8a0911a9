package store

import "time"

// AuthorizationRequest is a validated request under way (RFC 6749 §4.1.1): the
// checks on client, redirect URI, audience, PKCE and scopes were made before it
// was stored. Steps add facts; nothing a form sends can widen it.
type AuthorizationRequest struct {
	HandleHash  []byte // SHA-256 of the handle in the URL
	BrowserHash []byte // SHA-256 of the cookie of the browser that began it
	Version     int64  // compare-and-set

	ClientID      ClientID
	RedirectURI   string
	State         string
	HasState      bool
	Scopes        []string // requested ∩ registered, in the order asked
	Audience      string
	CodeChallenge string // S256; empty only under the legacy switch
	DPoPKey       string // thumbprint of the key that the code is for; empty: any (RFC 9449 §10)
	Nonce         string
	// ResponseMode is how the answer goes back: form_post, or empty for query.
	ResponseMode  string
	Prompt        []string
	MaxAge        int64 // seconds, -1 when not sent
	LoginHint     string
	HintedUser    UserID // whom id_token_hint names: nobody else answers unasked
	UILocales     string
	LaunchHash    []byte // SHA-256 of the launch value, until it is used up
	LaunchContext string // JSON of smart.LaunchContext; set by an EHR launch
	LaunchUser    UserID // who must log in, when an EHR launch says so
	CreatedAt     time.Time
	ExpiresAt     time.Time
	AnsweredAt    time.Time // set once, when a code or a refusal was given

	// Facts, each written by its door.
	UserID        UserID    // login
	SessionHash   []byte    // login: the session that proves UserID
	AuthTime      time.Time // login
	AMR           []string  // login
	EnrolPatient  string    // enrol: identity confirmed for this patient
	EnrolCodeHash []byte    // enrol: by this invitation
	Patient       string    // launch: the patient in context
	// Sought are patients whom the user does not reach and who were shown by an exact search,
	// launch; one alone is whose record they are about to open in an emergency.
	Sought        []string
	Encounter     string   // launch
	EncounterSet  bool     // launch: asked for; an empty Encounter is none of them
	Approved      []string // consent: scopes the person chose
	ApprovedSet   bool     // consent was given in this request
	Remember      bool     // consent: "do not ask again"
	RefreshLife   time.Duration
	ConsentTicket string // one-time ticket of the form last shown
	// Refused is the error to answer the client with, once the person has declined
	// or no patient can be chosen; empty: not refused.
	Refused string
}

// ConsentDecision is one answer of a person, kept for ever (CONS-24).
type ConsentDecision struct {
	ID          string
	At          time.Time
	UserID      UserID
	ClientID    ClientID
	Patient     string
	Requested   []string
	Approved    []string // empty when refused
	Allowed     bool
	TextVersion string // version of the words shown
	Language    string
	GrantID     string // when a grant followed
}

// RememberedConsent is the last choice of a user for an app and a patient (CONS-14).
type RememberedConsent struct {
	UserID       UserID
	ClientID     ClientID
	Patient      string
	Requested    []string
	Approved     []string
	Audience     string
	RedirectHost string
	DoNotAsk     bool
	RefreshLife  time.Duration // the length that was chosen; 0: the server's
	DecidedAt    time.Time
}
