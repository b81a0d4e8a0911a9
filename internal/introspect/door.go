package introspect

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/holder"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/internal/trust"
)

const maxBody = 64 << 10

// Clients authenticates a caller by its client credentials, and finds the client
// that a caller with an access token acts for.
type Clients interface {
	Authenticate(r *http.Request, p oauth.Parameters) (clientauth.Authenticated, *oauth.Error)
}

// Holders judges who presents an access token.
type Holders interface {
	Accept(answer http.Header, r *http.Request) (holder.Held, *oauth.Error)
	Challenges(r *http.Request, e *oauth.Error) []string
}

// Tokens verifies access tokens, and signs answers.
type Tokens interface {
	Verify(ctx context.Context, text string) (tokens.Verified, error)
	SignIntrospection(to store.Client, answer []byte) (string, error)
}

// Grants knows what a token leaves out of its launch context.
type Grants interface {
	Grant(ctx context.Context, id store.GrantID) (store.Grant, error)
}

// Trusted knows which other server a token is of.
type Trusted interface {
	About(text string) (trust.Question, bool)
}

// Deps are the parts that the door needs; all but SignAnswers are required.
type Deps struct {
	Clients Clients
	// Client finds a registered client.
	Client  func(id store.ClientID) (store.Client, bool)
	Holders Holders
	Tokens  Tokens
	Grants  Grants
	// Reaches reports whether a user reaches a patient now.
	Reaches  func(ctx context.Context, user store.UserID, patient string) (bool, error)
	Trusted  Trusted
	Issuer   string
	FHIRBase string
	// SignAnswers: who asks for a signed answer gets one (RFC 9701).
	SignAnswers bool
	Now         func() time.Time
	Log         *slog.Logger
}

// Door answers the introspection endpoint.
type Door struct {
	deps     Deps
	vain     *vain
	contexts *contexts
}

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Clients == nil || deps.Client == nil || deps.Holders == nil || deps.Tokens == nil || deps.Grants == nil || deps.Reaches == nil || deps.Trusted == nil ||
		deps.Issuer == "" || deps.FHIRBase == "" || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("introspect: a part is missing")
	}
	return &Door{deps, newVain(deps.Now), newContexts(deps.Grants)}, nil
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, found, err := d.find(w, r)
	if err == nil {
		err = d.write(w, r, caller, found)
	}
	if err == nil {
		return
	}
	if oauth.SchemeOf(r) != "" {
		door.WriteTokenError(w, err, d.deps.Holders.Challenges(r, err))
		return
	}
	door.WriteOAuthError(w, err)
}

// find is who asks, and what is known of the token.
func (d *Door) find(w http.ResponseWriter, r *http.Request) (store.Client, found, *oauth.Error) {
	form, refused := oauth.ParseBody(r, maxBody)
	if refused != nil {
		return store.Client{}, found{}, refused
	}
	// Order: who asks comes first; a stranger learns nothing (RFC 7662 §2.1).
	caller, refused := d.caller(w, r, form)
	if refused != nil {
		return store.Client{}, found{}, refused
	}
	text := form.Get("token")
	if text == "" {
		return store.Client{}, found{}, oauth.New(oauth.InvalidRequest, "The parameter token is missing").About("token").Slugged(oauth.SlugRequestParameterMissing)
	}
	f, refused := d.judge(r.Context(), caller, text)
	d.audit(r.Context(), caller, f, refused)
	return caller, f, refused
}

// write sends the answer, signed if the caller asked for that. Order: it is made once,
// and both forms are of that one text, so that what is hidden in one is in the other
// (attack P-71).
func (d *Door) write(w http.ResponseWriter, r *http.Request, caller store.Client, f found) *oauth.Error {
	body, err := json.Marshal(f.answer())
	if err != nil {
		return door.Failure(err, "The answer could not be made")
	}
	kind := "application/json"
	if d.deps.SignAnswers && wantsSigned(r.Header.Values("Accept")) {
		text, err := d.deps.Tokens.SignIntrospection(caller, body)
		if err != nil {
			return door.Failure(err, "The answer could not be signed")
		}
		kind, body = signedType, []byte(text)
	}
	h := w.Header()
	door.NoStore(h)
	h.Set("Content-Type", kind)
	_ = door.Body(w, http.StatusOK, body)
	return nil
}

// caller is the client that asks: by an access token, or by its own credentials. A
// client that has none cannot ask (INTRO-02).
func (d *Door) caller(w http.ResponseWriter, r *http.Request, form oauth.Parameters) (store.Client, *oauth.Error) {
	if oauth.SchemeOf(r) == "" {
		return d.authenticated(r, form)
	}
	held, refused := d.deps.Holders.Accept(w.Header(), r)
	if refused != nil {
		return store.Client{}, refused
	}
	client, known := d.deps.Client(held.Token().ClientID())
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
			Slug: oauth.SlugClientWithoutSecret, Description: "Introspection needs a client secret or an access token"}
	}
	return caller.Client(), nil
}
