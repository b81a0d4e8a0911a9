package clientauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Authenticated is a client that has proven itself, or a public client that has
// said who it is. The zero value is nobody.
type Authenticated struct{ client store.Client }

// Client is the registered client.
func (a Authenticated) Client() store.Client { return a.client }

// Clients finds registered clients, disabled ones too.
type Clients interface {
	Client(id store.ClientID) (store.Client, bool)
}

// Deps are the parts that the Authenticator needs; all are required.
type Deps struct {
	Clients Clients
	Now     func() time.Time
}

// Authenticator makes Authenticated clients.
type Authenticator struct{ deps Deps }

// New makes it; it refuses missing parts.
func New(deps Deps) (*Authenticator, error) {
	if deps.Clients == nil || deps.Now == nil {
		return nil, errors.New("clientauth: a part is missing")
	}
	return &Authenticator{deps}, nil
}

// credentials is what a request claims; method is the one that was tried.
type credentials struct {
	method store.AuthMethod
	id     store.ClientID
	// candidates are the readings of a secret that the encoding allows.
	candidates []pair
}

type pair struct{ id, secret string }

// Authenticate proves the client of a request with its parsed form. Errors are
// InvalidRequest for contradictions and InvalidClient for everything else, with
// status 401 and a challenge when the Authorization header was used, else 400
// (RFC 6749 §5.2).
func (a *Authenticator) Authenticate(r *http.Request, p oauth.Parameters) (Authenticated, *oauth.Error) {
	c, refused := claimed(r, p)
	if refused != nil {
		return Authenticated{}, refused
	}
	client, ok := a.prove(c)
	if !ok {
		return Authenticated{}, failed(c.method)
	}
	// RFC 6749 §3.2.1: a client_id beside other credentials names the same client.
	if id := p.Get("client_id"); id != "" && id != string(client.ID) {
		return Authenticated{}, oauth.New(oauth.InvalidRequest, "client_id is not the client that authenticated").About("client_id")
	}
	return Authenticated{client}, nil
}

// claimed finds the one method that was tried.
func claimed(r *http.Request, p oauth.Parameters) (credentials, *oauth.Error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return credentials{}, oauth.New(oauth.InvalidRequest, "Send exactly one Authorization header")
	}
	inBody := p.Has("client_secret")
	assertion := p.Has("client_assertion") || p.Has("client_assertion_type")
	tried := 0
	for _, used := range []bool{len(headers) == 1, inBody, assertion} {
		if used {
			tried++
		}
	}
	if tried > 1 {
		return credentials{}, oauth.New(oauth.InvalidRequest, "Use exactly one way of client authentication")
	}
	switch {
	case len(headers) == 1:
		candidates, ok := basicPairs(headers[0])
		if !ok {
			return credentials{}, failed(store.AuthSecretBasic)
		}
		return credentials{store.AuthSecretBasic, "", candidates}, nil
	case assertion:
		return credentials{}, failed(store.AuthPrivateKeyJWT)
	}
	id := p.Get("client_id")
	if id == "" {
		return credentials{}, &oauth.Error{Code: oauth.InvalidClient, Status: http.StatusBadRequest,
			Description: "The client did not say who it is: send client_id, or authenticate", Parameter: "client_id"}
	}
	if inBody {
		return credentials{store.AuthSecretPost, "", []pair{{id, p.Get("client_secret")}}}, nil
	}
	return credentials{store.AuthNone, store.ClientID(id), nil}, nil
}

// prove compares with what is registered. A secret is hashed and compared even
// for a client that does not exist (CAUTH-08).
func (a *Authenticator) prove(c credentials) (store.Client, bool) {
	if c.method == store.AuthNone {
		client, known := a.deps.Clients.Client(c.id)
		return client, known && !client.Disabled && client.AuthMethod == store.AuthNone
	}
	var proven store.Client
	found := false
	for _, candidate := range c.candidates {
		client, known := a.deps.Clients.Client(store.ClientID(candidate.id))
		good := a.secretMatches(client, candidate.secret)
		if known && good && !client.Disabled && mayUse(client, c.method) {
			proven, found = client, true
		}
	}
	return proven, found
}

// mayUse: a client with a secret uses Basic, and the body unless that was turned
// off for it (CAUTH-02, CAUTH-05).
func mayUse(client store.Client, method store.AuthMethod) bool {
	if client.AuthMethod != store.AuthSecretBasic && client.AuthMethod != store.AuthSecretPost {
		return false
	}
	return method != store.AuthSecretPost || !client.RefuseSecretPost
}

// secretMatches compares with every live secret in constant time.
func (a *Authenticator) secretMatches(client store.Client, secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	now := a.deps.Now()
	match := 0
	for _, s := range client.Secrets {
		if s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt) {
			match |= subtle.ConstantTimeCompare(sum[:], s.Hash)
		}
	}
	return match == 1
}

// failed is the one answer to a failed proof.
func failed(method store.AuthMethod) *oauth.Error {
	e := &oauth.Error{Code: oauth.InvalidClient, Status: http.StatusBadRequest,
		Description: "Client authentication failed: unknown client, wrong secret, or not the method this client registered"}
	if method == store.AuthSecretBasic {
		e.Status, e.Challenge = http.StatusUnauthorized, true
	}
	return e
}
