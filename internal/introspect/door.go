package introspect

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

const maxBody = 64 << 10

// Clients authenticates a caller by its client credentials, and finds the client
// that a Bearer caller acts for.
type Clients interface {
	Authenticate(r *http.Request, p oauth.Parameters) (clientauth.Authenticated, *oauth.Error)
}

// Verifier verifies access tokens.
type Verifier interface {
	Verify(ctx context.Context, text string) (tokens.Verified, error)
}

// Grants knows what a token leaves out of its launch context.
type Grants interface {
	Grant(ctx context.Context, id store.GrantID) (store.Grant, error)
}

// Deps are the parts that the door needs; all are required.
type Deps struct {
	Clients Clients
	// Client finds a registered client.
	Client   func(id store.ClientID) (store.Client, bool)
	Tokens   Verifier
	Grants   Grants
	Issuer   string
	FHIRBase string
	Log      *slog.Logger
}

// Door answers the introspection endpoint.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Clients == nil || deps.Client == nil || deps.Tokens == nil || deps.Grants == nil || deps.Issuer == "" || deps.FHIRBase == "" || deps.Log == nil {
		return nil, errors.New("introspect: a part is missing")
	}
	return &Door{deps}, nil
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := d.answer(r)
	if err != nil {
		if door.IsBearer(r) {
			door.WriteBearerError(w, err)
			return
		}
		door.WriteOAuthError(w, err)
		return
	}
	door.JSON(w, http.StatusOK, answer)
}

func (d *Door) answer(r *http.Request) (any, *oauth.Error) {
	form, refused := oauth.ParseBody(r, maxBody)
	if refused != nil {
		return nil, refused
	}
	// Order: who asks comes first; a stranger learns nothing (RFC 7662 §2.1).
	caller, refused := d.caller(r, form)
	if refused != nil {
		return nil, refused
	}
	text := form.Get("token")
	if text == "" {
		return nil, oauth.New(oauth.InvalidRequest, "The parameter token is missing").About("token").Slugged(oauth.SlugRequestParameterMissing)
	}
	token, err := d.deps.Tokens.Verify(r.Context(), text)
	switch {
	case errors.Is(err, tokens.ErrUnavailable):
		return nil, tokens.BearerError(err)
	case err != nil, token.ClientID() != caller.ID && !caller.MayIntrospect:
		return inactive{}, nil
	}
	return d.active(r.Context(), token)
}

// caller is the client that asks: by Bearer token, or by its own credentials. A
// client that has none cannot ask (INTRO-02).
func (d *Door) caller(r *http.Request, form oauth.Parameters) (store.Client, *oauth.Error) {
	text, present, refused := oauth.Bearer(r)
	if refused != nil {
		return store.Client{}, refused
	}
	if !present {
		return d.authenticated(r, form)
	}
	token, err := d.deps.Tokens.Verify(r.Context(), text)
	if err != nil {
		return store.Client{}, tokens.BearerError(err)
	}
	client, known := d.deps.Client(token.ClientID())
	if !known || client.Disabled {
		return store.Client{}, tokens.BearerError(tokens.ErrInvalid)
	}
	return client, nil
}

func (d *Door) authenticated(r *http.Request, form oauth.Parameters) (store.Client, *oauth.Error) {
	caller, refused := d.deps.Clients.Authenticate(r, form)
	if refused != nil {
		if refused.Code == oauth.InvalidClient { // RFC 7662 §2.3
			refused.Status, refused.Challenge = http.StatusUnauthorized, true
		}
		return store.Client{}, refused
	}
	if caller.Client().Public() {
		return store.Client{}, &oauth.Error{Code: oauth.InvalidClient, Status: http.StatusUnauthorized, Challenge: true,
			Slug: oauth.SlugClientWithoutSecret, Description: "Introspection needs a client secret or a Bearer token"}
	}
	return caller.Client(), nil
}
