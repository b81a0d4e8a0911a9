package clientauth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Authenticated is a client that has proven itself, or a public client that has
// said who it is. The zero value is nobody.
type Authenticated struct{ client store.Client }

// Client is the registered client.
func (a Authenticated) Client() store.Client { return a.client }

// Unspent is a client whose credentials are good and whose assertion, if it sent
// one, is still to be spent: by handing it to the store with what the client asks
// for, or by Spend. Until then nothing may be answered. The zero value is nobody.
type Unspent struct {
	client    store.Client
	assertion *store.Assertion
}

// Client is the registered client.
func (u Unspent) Client() store.Client { return u.client }

// Assertion is what the store spends; nil when the client sent none.
func (u Unspent) Assertion() *store.Assertion { return u.assertion }

// Clients finds registered clients, disabled ones too.
type Clients interface {
	Client(id store.ClientID) (store.Client, bool)
}

// Keys finds the public key that an assertion names.
type Keys interface {
	Find(ctx context.Context, c store.Client, kid, algorithm string) (clientkey.Key, error)
}

// Assertions remembers which assertions were used.
type Assertions interface {
	UseAssertion(ctx context.Context, a store.Assertion) error
}

// Deps are the parts that the Authenticator needs; all are required.
type Deps struct {
	Clients    Clients
	Keys       Keys
	Assertions Assertions
	// Audiences are the values of aud that mean this server: the token endpoint and
	// the issuer.
	Audiences []string
	Now       func() time.Time
	Log       *slog.Logger
}

// Authenticator makes Authenticated clients.
type Authenticator struct {
	deps      Deps
	strangers strangers
	check     func(s assertion, key crypto.PublicKey) error
}

// New makes it; it refuses missing parts.
func New(deps Deps) (*Authenticator, error) {
	if deps.Clients == nil || deps.Keys == nil || deps.Assertions == nil || len(deps.Audiences) == 0 || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("clientauth: a part is missing")
	}
	keys, err := newStrangers()
	return &Authenticator{deps, keys, checkSignature}, err
}

// credentials is what a request claims; method is the one that was tried.
type credentials struct {
	method store.AuthMethod
	id     store.ClientID
	// candidates are the readings of a secret that the encoding allows.
	candidates []pair
	assertion  assertion
}

type pair struct{ id, secret string }

// Authenticate proves the client of a request with its parsed form, and spends its
// assertion. Errors are InvalidRequest for contradictions, TemporarilyUnavailable
// when nobody can say whether the assertion was used before, and InvalidClient for
// everything else, with status 401 and a challenge when the Authorization header was
// used, else 400 (RFC 6749 §5.2).
func (a *Authenticator) Authenticate(r *http.Request, p oauth.Parameters) (Authenticated, *oauth.Error) {
	u, refused := a.Prove(r, p)
	if refused != nil {
		return Authenticated{}, refused
	}
	if err := a.Spend(r.Context(), u); err != nil {
		if errors.As(err, &refused) {
			return Authenticated{}, refused
		}
		a.deps.Log.ErrorContext(r.Context(), "an assertion could not be spent", "error", err)
		return Authenticated{}, &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable,
			Slug: oauth.SlugServerUnavailable, Description: "The client cannot be authenticated now. Try again in a moment, with a new assertion", Cause: err}
	}
	return Authenticated{u.client}, nil
}

// Prove is Authenticate without spending the assertion: for who spends it in one
// step with what is asked for.
func (a *Authenticator) Prove(r *http.Request, p oauth.Parameters) (Unspent, *oauth.Error) {
	c, refused := a.claimed(r, p)
	if refused != nil {
		return Unspent{}, refused
	}
	if c.method == store.AuthPrivateKeyJWT {
		return a.proveByKey(r.Context(), p, c.assertion)
	}
	client, ok := a.compare(c)
	if !ok {
		return Unspent{}, failed(c.method)
	}
	// RFC 6749 §3.2.1: a client_id beside other credentials names the same client.
	if id := p.Get("client_id"); id != "" && id != string(client.ID) {
		return Unspent{}, oauth.New(oauth.InvalidRequest, "client_id is not the client that authenticated").About("client_id").Slugged(oauth.SlugClientMismatch)
	}
	return Unspent{client: client}, nil
}

// Spend uses up the assertion of a client: once, and never again. Replayed when it
// was used before; any other error is the store's.
func (a *Authenticator) Spend(ctx context.Context, u Unspent) error {
	if u.assertion == nil {
		return nil
	}
	err := a.deps.Assertions.UseAssertion(ctx, *u.assertion)
	if errors.Is(err, store.ErrReplayed) {
		return Replayed()
	}
	return err
}

// Replayed answers an assertion that was used before (RFC 7523 §3, jti).
func Replayed() *oauth.Error {
	return assertionRefused("it was used before: make a new one, with a new jti, for each request")
}

// claimed finds the one method that was tried.
func (a *Authenticator) claimed(r *http.Request, p oauth.Parameters) (credentials, *oauth.Error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return credentials{}, oauth.New(oauth.InvalidRequest, "Send exactly one Authorization header").Slugged(oauth.SlugRequestTwoHeaders)
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
		return credentials{}, oauth.New(oauth.InvalidRequest, "Use exactly one way of client authentication").Slugged(oauth.SlugClientTwoMethods)
	}
	switch {
	case len(headers) == 1:
		candidates, ok := basicPairs(headers[0])
		if !ok {
			return credentials{}, failed(store.AuthSecretBasic)
		}
		return credentials{method: store.AuthSecretBasic, candidates: candidates}, nil
	case assertion:
		return a.claimedByKey(p)
	}
	id := p.Get("client_id")
	if id == "" {
		return credentials{}, &oauth.Error{Code: oauth.InvalidClient, Status: http.StatusBadRequest,
			Slug: oauth.SlugClientNotAuthenticated, Description: "The client did not say who it is: send client_id, or authenticate", Parameter: "client_id"}
	}
	if inBody {
		return credentials{method: store.AuthSecretPost, candidates: []pair{{id, p.Get("client_secret")}}}, nil
	}
	return credentials{method: store.AuthNone, id: store.ClientID(id)}, nil
}

// compare is the proof by a secret, or by nothing for a public client. A secret is hashed and compared even
// for a client that does not exist (CAUTH-08).
func (a *Authenticator) compare(c credentials) (store.Client, bool) {
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
	if !client.Symmetric() {
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
		Slug: oauth.SlugClientNotAuthenticated, Description: "Client authentication failed: unknown client, wrong secret or key, or not the method this client registered"}
	if method == store.AuthSecretBasic {
		e.Status, e.Challenge = http.StatusUnauthorized, true
	}
	return e
}
