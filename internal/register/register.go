package register

import (
	stdjson "encoding/json"
	"errors"
	"time"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Deps are the parts that the Registrar needs; Now is required.
type Deps struct {
	Now func() time.Time
	// Sandbox: apps under development run on this machine, servers too.
	Sandbox bool
	// Outbound says where the server may go: to fetch key sets, and to tell of logouts;
	// the zero value is strict.
	Outbound egress.Policy
	// Self is what clients that register themselves may say.
	Self Policy
}

// Registrar makes clients of metadata.
type Registrar struct{ deps Deps }

// New makes it; it refuses missing parts.
func New(deps Deps) (*Registrar, error) {
	if deps.Now == nil {
		return nil, errors.New("register: a part is missing")
	}
	return &Registrar{deps}, nil
}

// Once are the things that a response shows and nobody can look up later.
type Once struct {
	Secret string // empty: none was made
	// Token is the registration access token and URI the place where it is good
	// (RFC 7592 §3); empty for a client that does not manage itself.
	Token, URI string
}

// response is the client information response (RFC 7591 §3.2.1, RFC 7592 §3).
type response struct {
	ClientID        store.ClientID `json:"client_id"`
	ClientSecret    string         `json:"client_secret,omitempty"`
	IssuedAt        int64          `json:"client_id_issued_at"`
	SecretExpiresAt *int64         `json:"client_secret_expires_at,omitempty"`
	Token           string         `json:"registration_access_token,omitempty"`
	URI             string         `json:"registration_client_uri,omitempty"`
	metadata
	// SoftwareStatement is returned as it came (RFC 7591 §3.2.1).
	SoftwareStatement string `json:"software_statement,omitempty"`
	// Review is how far an operator is with an app that registered itself.
	Review   *reviewed `json:"emberlatch_review,omitempty"`
	Warnings []string  `json:"emberlatch_warnings,omitempty"`
}

// reviewed is a review with its state, which is not stored.
type reviewed struct {
	State store.ReviewState `json:"state"`
	store.Review
}

// Describe is the client information response: all that is registered, with what is
// shown once.
func Describe(c store.Client, once Once) ([]byte, error) {
	return stdjson.Marshal(describe(c, once))
}

func describe(c store.Client, once Once) response {
	out := response{
		ClientID: c.ID, ClientSecret: once.Secret, IssuedAt: c.CreatedAt.Unix(), Token: once.Token, URI: once.URI, metadata: metadataOf(c),
		SoftwareStatement: c.SoftwareStatement,
	}
	if state := c.Review.State(); state != "" {
		out.Review = &reviewed{state, c.Review}
	}
	if last, ok := newest(c.Secrets, time.Time{}); ok {
		var expires int64 // RFC 7591 §3.2.1: 0 does not expire
		if !last.ExpiresAt.IsZero() {
			expires = last.ExpiresAt.Unix()
		}
		out.SecretExpiresAt = &expires
	}
	return out
}

// Register reads metadata, checks it, and makes the client with a random id and,
// when it authenticates by one, a random secret of 256 bits that only the response
// holds (CAUTH-09). Errors are *oauth.Error that name the member. It is for operators.
func (r *Registrar) Register(raw []byte) (store.Client, []byte, error) {
	return r.RegisterAs(raw, true)
}

// RegisterAs is Register for an app that is trusted unless its document says
// otherwise, or one that is not, whatever it says (AZ-29).
func (r *Registrar) RegisterAs(raw []byte, trusted bool) (store.Client, []byte, error) {
	m, refused := read[metadata](raw, true)
	if refused != nil {
		return store.Client{}, nil, refused
	}
	if m.Trusted == nil || !trusted {
		m.Trusted = &trusted
	}
	m.complete(r.deps.Sandbox)
	if refused := r.judge(&m); refused != nil {
		return store.Client{}, nil, refused
	}
	c, secret := r.newClient(&m)
	out := describe(c, Once{Secret: secret})
	if secret != "" && c.ApplicationType == store.ApplicationNative { // RFC 8252 §8.5
		out.Warnings = []string{"A secret that is built into an app for many devices is none: give each installation its own, or register token_endpoint_auth_method none"}
	}
	body, err := stdjson.Marshal(out)
	return c, body, err
}

// judge asks every rule, and tells the first mistake.
func (r *Registrar) judge(m *metadata) *oauth.Error {
	for _, rule := range rules {
		if refused := rule(m); refused != nil {
			return refused
		}
	}
	if refused := checkServer(m); refused != nil && !r.deps.Sandbox {
		return refused
	}
	if refused := r.checkLogoutURL(m); refused != nil {
		return refused
	}
	return r.checkKeyURL(m)
}

// newClient gives the client of judged metadata its id and, when it authenticates by
// one, its secret.
func (r *Registrar) newClient(m *metadata) (store.Client, string) {
	now := r.deps.Now().UTC().Truncate(time.Millisecond) // as it is kept
	c := m.client(now)
	c.ID = newID()
	if !c.Symmetric() {
		return c, ""
	}
	secret := oauth.RandomToken("")
	c.Secrets = []store.ClientSecret{{Hash: oauth.Hash(secret), CreatedAt: now}}
	return c, secret
}

// newID is 144 random bits (REG-19). It begins with a letter or a digit, so that no
// command line takes it for a flag.
func newID() store.ClientID {
	for {
		if id := oauth.RandomToken("")[:24]; id[0] != '-' && id[0] != '_' {
			return store.ClientID(id)
		}
	}
}
