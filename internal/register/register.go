package register

import (
	stdjson "encoding/json"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Deps are the parts that the Registrar needs; Now is required.
type Deps struct {
	Now func() time.Time
	// Sandbox: apps under development run on this machine, servers too.
	Sandbox bool
	// KeyURLs says from where key sets may be fetched; the zero value is strict.
	KeyURLs egress.Policy
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

// response is the client information response (RFC 7591 §3.2.1): what was
// registered, and the secret once.
type response struct {
	ClientID        store.ClientID `json:"client_id"`
	ClientSecret    string         `json:"client_secret,omitempty"`
	IssuedAt        int64          `json:"client_id_issued_at"`
	SecretExpiresAt *int64         `json:"client_secret_expires_at,omitempty"`
	metadata
}

// Register reads metadata, checks it, and makes the client with a random id and,
// when it authenticates by one, a random secret of 256 bits that only the response
// holds (CAUTH-09). Errors are *oauth.Error that name the member.
func (r *Registrar) Register(raw []byte) (store.Client, []byte, error) {
	var m metadata
	err := json.Unmarshal(raw, &m, json.RejectUnknownMembers(true), jsontext.AllowDuplicateNames(false))
	if err != nil {
		return store.Client{}, nil, oauth.New(oauth.InvalidClientMetadata, "The metadata is not one JSON object of known members, each once").Because(err)
	}
	m.complete(r.deps.Sandbox)
	for _, rule := range rules {
		if wrong := rule(&m); wrong != nil {
			return store.Client{}, nil, wrong
		}
	}
	if wrong := checkServer(&m); wrong != nil && !r.deps.Sandbox {
		return store.Client{}, nil, wrong
	}
	if wrong := r.checkKeyURL(&m); wrong != nil {
		return store.Client{}, nil, wrong
	}
	now := r.deps.Now().UTC()
	c := m.client(now)
	c.ID = store.ClientID(oauth.RandomToken("")[:24])
	out := response{ClientID: c.ID, IssuedAt: now.Unix(), metadata: m}
	if c.Symmetric() {
		out.ClientSecret = oauth.RandomToken("")
		out.SecretExpiresAt = new(int64) // 0: does not expire
		c.Secrets = []store.ClientSecret{{Hash: oauth.Hash(out.ClientSecret), CreatedAt: now}}
	}
	body, err := stdjson.Marshal(out)
	return c, body, err
}
