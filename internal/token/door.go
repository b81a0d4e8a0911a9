package token

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/internal/trail"
	"github.com/emberlatch/emberlatch/smart"
)

// maxBody bounds a request, in bytes: 32 kB of scopes travel in it (SCOPE-48).
const maxBody = 128 << 10

// Grants is what the endpoint needs of the store.
type Grants interface {
	RedeemCode(ctx context.Context, r store.Redemption) (store.Grant, error)
	RedeemPromised(ctx context.Context, p store.PromisedGrant, r store.Redemption) (store.Grant, error)
	RefreshGrant(ctx context.Context, r store.Refresh) (store.Refreshed, error)
	StandingGrant(ctx context.Context, s store.Standing) (store.Grant, error)
}

// Clients authenticates the caller; an assertion is spent with what it is brought
// for, or by itself.
type Clients interface {
	Prove(r *http.Request, p oauth.Parameters) (clientauth.Unspent, *oauth.Error)
	Spend(ctx context.Context, u clientauth.Unspent) error
}

// Minter makes and reads tokens.
type Minter interface {
	MintAccess(g store.Grant, scopes []string, shown dpop.Proof) (tokens.AccessToken, error)
	MintSystem(g store.Grant, scopes []string, shown dpop.Proof) (tokens.AccessToken, error)
	MintID(g store.Grant, client store.Client, accessToken string) (string, error)
	RefreshToken(n tokens.RefreshName) string
	ParseRefreshToken(text string) (tokens.RefreshName, bool)
	ParsePromisedCode(text string) (store.PromisedGrant, bool)
}

// Deps are the parts that the door needs; all but Proofs are required.
type Deps struct {
	Grants  Grants
	Clients Clients
	// Proofs judges proofs of possession; nil: DPoP is not offered.
	Proofs *dpop.Verifier
	// Client finds a registered client.
	Client func(id store.ClientID) (store.Client, bool)
	// IsOriginOf reports whether pages of an origin are those of the client.
	IsOriginOf func(c store.Client, origin string) bool
	Minter     Minter
	// Offered is the part of scopes that can be used here (SCOPE-16).
	Offered func(asked smart.ScopeSet) smart.ScopeSet
	// Entitled reports whether a user reaches a patient, if any is named (RT-28); an
	// error is a no for this request only.
	Entitled func(ctx context.Context, u store.User, patient string) (bool, error)
	// Revoke ends a grant whose user has lost the patient.
	Revoke func(ctx context.Context, r store.Revocation) (int, error)
	// Ended makes this process see at once that the store has ended a grant.
	Ended func(id store.GrantID)
	// RefreshGrace is how long a refresh token may be used again by the client
	// that lost the answer (RT-23).
	RefreshGrace time.Duration
	// NewGrantID makes the id of a standing grant.
	NewGrantID func() store.GrantID
	FHIRBase   string
	// Trail takes what is issued and refused; nil: nothing is recorded, which is for tests.
	Trail Trail
	// Address is where a request comes from, for the record; nil: it is not told.
	Address func(r *http.Request) string
	Log     *slog.Logger
}

// Door answers the token endpoint.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Grants == nil || deps.Clients == nil || deps.Client == nil || deps.IsOriginOf == nil || deps.Minter == nil || deps.Offered == nil ||
		deps.Entitled == nil || deps.Revoke == nil || deps.Ended == nil || deps.NewGrantID == nil || deps.FHIRBase == "" || deps.Log == nil {
		return nil, errors.New("token: a part is missing")
	}
	return &Door{deps}, nil
}

// request is a token request whose client is proven, but for its assertion and its
// proof of possession, which the grant type's one statement spends.
type request struct {
	ctx    context.Context
	form   oauth.Parameters
	client store.Client
	proof  clientauth.Unspent
	handed bool
	// shown is the key that the tokens will be bound to; zero: a client of Bearer tokens.
	shown dpop.Proof
	// access is what will be recorded.
	access *trail.Entry
}

// assertion is handed to the store together with what is consumed.
func (r *request) assertion() *store.Assertion {
	r.handed = true
	return r.proof.Assertion()
}

// exchange is what one grant type does with a proven client.
type exchange func(d *Door, r *request) (answer, error)

// exchanges are the grant types; the file of that name holds each.
var exchanges = map[string]exchange{
	oauth.GrantAuthorizationCode: (*Door).authorizationCode,
	oauth.GrantRefreshToken:      (*Door).refreshToken,
	oauth.GrantClientCredentials: (*Door).clientCredentials,
}

// ServeHTTP answers one token request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	access := d.begin(r)
	body, err := d.serve(w, r, access)
	d.record(access, err)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	door.JSON(w, http.StatusOK, body)
}

func (d *Door) serve(w http.ResponseWriter, r *http.Request, access *trail.Entry) (answer, error) {
	if err := d.ready(); err != nil {
		return answer{}, err
	}
	form, refused := oauth.ParseBody(r, maxBody)
	if refused != nil {
		return answer{}, refused
	}
	grantType := form.Get("grant_type")
	if grantType == "" {
		return answer{}, missing("grant_type")
	}
	// Order: an unknown grant type is told before the client is asked who it is,
	// so that the answer is the same for everybody (ERR-26).
	run, known := exchanges[grantType]
	if !known {
		return answer{}, oauth.New(oauth.UnsupportedGrantType,
			"This server offers authorization_code, refresh_token and client_credentials only").About("grant_type").Slugged(oauth.SlugGrantTypeUnsupported)
	}
	proven, err := d.client(r, form, grantType)
	if err != nil {
		return answer{}, err
	}
	if origin := r.Header.Get("Origin"); origin != "" && !d.deps.IsOriginOf(proven.client, origin) {
		door.Unshare(w) // TK-24: tokens are read by pages of their own client only
	}
	proven.ctx, proven.form, proven.access = r.Context(), form, access
	access.Client, access.Code = string(proven.client.ID), grantType
	body, err := d.exchange(w, r, proven, grantType, run)
	if proven.handed {
		return body, err
	}
	// Order: an assertion is spent by every request that it proves, a refused one too
	// (RFC 7523 §3: a jti that was encountered before), and when it was used before
	// nothing else is told.
	if spent := d.deps.Clients.Spend(r.Context(), proven.proof); spent != nil {
		return answer{}, spent
	}
	return body, err
}

// exchange runs the grant type for a client that may use it.
func (d *Door) exchange(w http.ResponseWriter, sent *http.Request, r *request, grantType string, run exchange) (answer, error) {
	// RFC 6749 §5.2: a client uses only the grant types it is registered for.
	if !r.client.HasGrantType(grantType) {
		return answer{}, oauth.New(oauth.UnauthorizedClient, "This client is not registered for that grant type").About("grant_type").Slugged(oauth.SlugClientGrantType)
	}
	// RFC 8707 §2.2: the audience was fixed by the authorization request, which
	// tolerates one trailing slash as well.
	if target := r.form.Get("resource"); target != "" && strings.TrimSuffix(target, "/") != d.deps.FHIRBase {
		return answer{}, oauth.New(oauth.InvalidTarget, "resource is not the FHIR base this access was given for").About("resource").Slugged(oauth.SlugTargetUnknown)
	}
	if refused := d.askProof(w, sent, r); refused != nil {
		return answer{}, refused
	}
	return run(d, r)
}

// client proves who sends the request. Divergence: a public client that refreshes
// may leave out client_id, as a widespread FHIR client library does; the token,
// which nobody can make up, says whose it is. A confidential client is never found
// that way.
func (d *Door) client(r *http.Request, form oauth.Parameters, grantType string) (*request, error) {
	silent := !form.Has("client_id") && !form.Has("client_secret") && !form.Has("client_assertion") && r.Header.Get("Authorization") == ""
	if silent && grantType == oauth.GrantRefreshToken {
		if named, ours := d.deps.Minter.ParseRefreshToken(form.Get("refresh_token")); ours {
			if c, known := d.deps.Client(named.ClientID); known && c.Public() && !c.Disabled {
				return &request{client: c}, nil
			}
		}
	}
	caller, refused := d.deps.Clients.Prove(r, form)
	if refused != nil {
		return nil, refused
	}
	return &request{client: caller.Client(), proof: caller}, nil
}

func missing(parameter string) *oauth.Error {
	return oauth.New(oauth.InvalidRequest, "The parameter %s is missing", parameter).About(parameter).Slugged(oauth.SlugRequestParameterMissing)
}

// fail writes the error; what is not meant for the caller goes to the log.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *oauth.Error
	if errors.As(err, &known) {
		door.WriteOAuthError(w, known)
		return
	}
	d.deps.Log.ErrorContext(r.Context(), "token request failed", "error", err, "id", door.RequestID(r.Context()))
	door.WriteOAuthError(w, door.Failure(err, "The request could not be answered now. Try again in a moment"))
}
