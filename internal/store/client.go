package store

import (
	"encoding/json"
	"time"
)

// ClientID names an OAuth client (RFC 6749 §2.2). Ours are random and never
// equal to a subject.
type ClientID string

// AuthMethod is how a client authenticates at the token endpoint
// (RFC 7591 §2 token_endpoint_auth_method).
type AuthMethod string

// The methods. The zero value authenticates nobody.
const (
	AuthNone          AuthMethod = "none"
	AuthSecretBasic   AuthMethod = "client_secret_basic"
	AuthSecretPost    AuthMethod = "client_secret_post"
	AuthPrivateKeyJWT AuthMethod = "private_key_jwt"
)

// ApplicationType says where the client runs.
type ApplicationType string

// Web clients run on a server, Browser ones in a page, Native ones on a device.
// Only Native clients may use the out-of-band redirect and private-use schemes.
const (
	ApplicationWeb     ApplicationType = "web"
	ApplicationBrowser ApplicationType = "browser"
	ApplicationNative  ApplicationType = "native"
)

// OutOfBand is the redirect URI of desktop apps that read the code off a page.
const OutOfBand = "urn:ietf:wg:oauth:2.0:oob"

// Client is a registered application (RFC 7591 §2).
type Client struct {
	ID              ClientID        `json:"id"`
	Name            string          `json:"name"`
	Maker           string          `json:"maker,omitempty"` // developer or registrant, shown to people
	ClientURI       string          `json:"client_uri,omitempty"`
	LogoURI         string          `json:"logo_uri,omitempty"`
	PolicyURI       string          `json:"policy_uri,omitempty"`
	TermsURI        string          `json:"tos_uri,omitempty"`
	Contacts        []string        `json:"contacts,omitempty"`
	ApplicationType ApplicationType `json:"application_type"`
	AuthMethod      AuthMethod      `json:"auth_method"`
	// RefuseSecretPost turns off client_secret_post for a client with a secret.
	RefuseSecretPost bool           `json:"refuse_secret_post,omitempty"`
	Secrets          []ClientSecret `json:"secrets,omitempty"` // at most two alive: rotation overlaps
	// RedirectURIs are compared byte for byte (RFC 9700 §2.1), loopback IPs up to the port.
	RedirectURIs []string `json:"redirect_uris,omitempty"`
	// PostLogoutRedirectURIs are where the browser may return to after logout, byte
	// for byte (OpenID Connect RP-Initiated Logout §3.1).
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	// BackchannelLogoutURI is told when a session ends in which the client got an ID
	// token (OpenID Connect Back-Channel Logout 1.0 §2.2); empty: nowhere.
	BackchannelLogoutURI string `json:"backchannel_logout_uri,omitempty"`
	// BackchannelLogoutSession: the client needs the sid, which is always sent.
	BackchannelLogoutSession bool `json:"backchannel_logout_session_required,omitempty"`
	// Origins may call from a browser, beside the origins of RedirectURIs.
	Origins []string `json:"origins,omitempty"`
	// LaunchURI is where an EHR sends its user's browser to start the app.
	LaunchURI  string   `json:"launch_uri,omitempty"`
	Scope      string   `json:"scope"` // everything it may ask for
	GrantTypes []string `json:"grant_types"`
	// JWKS or JWKSURI, never both, are the public keys of a client that
	// authenticates by private_key_jwt.
	JWKS    json.RawMessage `json:"jwks,omitempty"`
	JWKSURI string          `json:"jwks_uri,omitempty"`
	// AssertionAlg pins the algorithm of its assertions; empty: any that fits the key.
	AssertionAlg string `json:"assertion_alg,omitempty"`
	// Data is what it reaches by rights of its own: a backend service.
	Data ClientData `json:"data,omitzero"`
	// IDTokenAlg is RS256 unless the client registered ES256.
	IDTokenAlg string `json:"id_token_alg,omitempty"`
	// IntrospectionAlg signs introspection answers to it (RFC 9701 §6): RS256 unless the
	// client registered ES256.
	IntrospectionAlg string `json:"introspection_alg,omitempty"`
	// PKCEOptional is the legacy switch of a confidential client: a request
	// without code_challenge is accepted. Never true for a public client.
	PKCEOptional bool `json:"pkce_optional,omitempty"`
	// RequirePushed: asks for authorization by pushed requests only (RFC 9126 §6).
	RequirePushed bool `json:"require_pushed,omitempty"`
	// DPoPBound: its access tokens are bound to keys that it proves to have (RFC 9449
	// §5.2), always; else they are Bearer tokens, always.
	DPoPBound bool `json:"dpop_bound,omitempty"`
	// KeepRefreshToken: no rotation; only for confidential clients.
	KeepRefreshToken bool `json:"keep_refresh_token,omitempty"`
	// RefreshLife is how long an unused offline refresh token lives; zero means the server's default (93 days).
	RefreshLife time.Duration `json:"refresh_life,omitempty"`
	// Trusted: the operator lets browsers be sent to the redirect URIs with an error,
	// and to where they return after logout, without asking (RFC 9700 §4.11.2). Set by the operator who adds the client,
	// never by what a client says of itself.
	Trusted bool `json:"trusted,omitempty"`
	// Checked: the organisation has verified who is behind this app.
	Checked bool `json:"checked,omitempty"`
	// Preapproved: clinicians are not asked (never applies to patients, CONS-22).
	Preapproved bool `json:"preapproved,omitempty"`
	// MayIntrospect: may ask about tokens of other clients.
	MayIntrospect bool `json:"may_introspect,omitempty"`
	// MayLaunch: an EHR, which may start other apps from a chart. Never a public client.
	MayLaunch bool `json:"may_launch,omitempty"`
	// FHIRContextReferences: is given fhirContext as SMART App Launch 2.0.0 wrote it.
	FHIRContextReferences bool `json:"fhir_context_references,omitempty"`
	// SoftwareID and SoftwareVersion name the program, the same for all its
	// installations (RFC 7591 §2).
	SoftwareID      string `json:"software_id,omitempty"`
	SoftwareVersion string `json:"software_version,omitempty"`
	// SoftwareStatement is the verified one that it registered with (RFC 7591 §2.3).
	SoftwareStatement string `json:"software_statement,omitempty"`
	// SelfRegistered: nobody of the organisation made this registration; what it says
	// of itself is not vouched for.
	SelfRegistered bool `json:"self_registered,omitempty"`
	// RegisteredWith is the id of the initial access token it registered with, or one
	// of the words below.
	RegisteredWith string `json:"registered_with,omitempty"`
	// Ceiling is what an operator has set for it when it registered itself.
	Ceiling Ceiling `json:"ceiling,omitzero"`
	// Review is how far an operator is with it when it registered itself.
	Review    Review    `json:"review,omitzero"`
	Disabled  bool      `json:"disabled,omitempty"`
	CreatedAt time.Time `json:"created_at"`

	// RegistrationHash is the hash of the registration access token (RFC 7592 §1.2);
	// empty: the client does not manage itself.
	RegistrationHash []byte `json:"-"`
	// OperatorSet: an operator has decided something about a client that registered
	// itself, so that it stays though nobody has used it.
	OperatorSet bool `json:"-"`
	// Version is set by the store and grows with every change.
	Version int64 `json:"-"`
}

// How a client registered itself without an initial access token. The ids of tokens
// are longer.
const (
	RegisteredByForm   = "form"    // its developer filled in the page for developers
	RegisteredByAnyone = "anybody" // at the endpoint of a sandbox that is open
)

// MayAsk reports whether people may be asked to approve it: it is not disabled, and
// one that registered itself has been enabled (REG-06).
func (c Client) MayAsk() bool {
	return !c.Disabled && (!c.SelfRegistered || c.Review.State() == ReviewEnabled)
}

// ClientSecret is the SHA-256 of a server-made 256-bit secret.
type ClientSecret struct {
	Hash      []byte    `json:"hash"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: does not expire
}

// ClientData is whose records a client reaches with system/ scopes; the operator
// says so. The zero value is nobody's.
type ClientData struct {
	All bool `json:"all,omitempty"` // everybody's, and what is about nobody
	// Bare ids: the members of Groups, the patients whom Organizations manage, and
	// single patients.
	Groups        []string `json:"groups,omitempty"`
	Organizations []string `json:"organizations,omitempty"`
	Patients      []string `json:"patients,omitempty"`
}

// IsZero reports whether nobody's records are reached.
func (d ClientData) IsZero() bool {
	return !d.All && len(d.Groups) == 0 && len(d.Organizations) == 0 && len(d.Patients) == 0
}

// Public reports whether the client cannot keep a secret (RFC 6749 §2.1).
func (c Client) Public() bool { return c.AuthMethod == AuthNone }

// Symmetric reports whether the client authenticates by a secret.
func (c Client) Symmetric() bool {
	return c.AuthMethod == AuthSecretBasic || c.AuthMethod == AuthSecretPost
}

// HasGrantType reports whether the client is registered for a grant type.
func (c Client) HasGrantType(grantType string) bool {
	for _, g := range c.GrantTypes {
		if g == grantType {
			return true
		}
	}
	return false
}
