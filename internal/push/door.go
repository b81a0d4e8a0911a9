package push

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// maxBody bounds a request, in bytes, as at the authorization endpoint.
	maxBody = 128 << 10
	// life is how long a browser has to bring the reference (RFC 9126 §2.2: short).
	life = 90 * time.Second
)

// Requests keeps what was pushed.
type Requests interface {
	CreatePushedRequest(ctx context.Context, p store.PushedRequest) error
}

// Clients authenticates the caller.
type Clients interface {
	Authenticate(r *http.Request, p oauth.Parameters) (clientauth.Authenticated, *oauth.Error)
}

// Deps are the parts that the door needs; all but Proofs are required.
type Deps struct {
	Requests Requests
	Clients  Clients
	// Proofs judges proofs of possession; nil: DPoP is not offered.
	Proofs *dpop.Verifier
	// Check makes the checks of the authorization endpoint.
	Check func(p oauth.Parameters) (store.AuthorizationRequest, *oauth.Error)
	// IsOriginOf reports whether pages of an origin are those of the client.
	IsOriginOf func(c store.Client, origin string) bool
	// Address is the network that what strangers can push is counted by.
	Address func(r *http.Request) string
	Log     *slog.Logger
}

// Door answers the pushed authorization request endpoint.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Requests == nil || deps.Clients == nil || deps.Check == nil || deps.IsOriginOf == nil || deps.Address == nil || deps.Log == nil {
		return nil, errors.New("push: a part is missing")
	}
	return &Door{deps}, nil
}

// answer is the response (RFC 9126 §2.2).
type answer struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"`
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, refused := oauth.ParseBody(r, maxBody)
	if refused != nil {
		door.WriteOAuthError(w, refused)
		return
	}
	// Order: who asks comes first; a stranger learns nothing (RFC 9126 §2.1).
	caller, refused := d.deps.Clients.Authenticate(r, form)
	if refused != nil {
		door.WriteOAuthError(w, refused)
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" && !d.deps.IsOriginOf(caller.Client(), origin) {
		door.Unshare(w) // as at the token endpoint (TK-24)
	}
	request, refused := d.check(caller.Client(), form)
	if refused == nil {
		refused = d.bind(w, r, caller.Client(), &request)
	}
	if refused != nil {
		door.WriteOAuthError(w, refused)
		return
	}
	requestURI, reference := oauth.NewRequestURI()
	err := d.deps.Requests.CreatePushedRequest(r.Context(), store.PushedRequest{
		ReferenceHash: oauth.Hash(reference), Request: request, Life: life, Network: counted(caller.Client(), d.deps.Address(r)),
	})
	if err != nil {
		d.fail(w, r, err)
		return
	}
	door.JSON(w, http.StatusCreated, answer{requestURI, int(life / time.Second)})
}

func (d *Door) check(caller store.Client, form oauth.Parameters) (store.AuthorizationRequest, *oauth.Error) {
	if form.Has("request_uri") { // RFC 9126 §2.1
		return store.AuthorizationRequest{}, oauth.New(oauth.InvalidRequest, "A pushed request has no request_uri: it gets one").About("request_uri").Slugged(oauth.SlugRequestPushedTwice)
	}
	request, refused := d.deps.Check(form)
	if refused == nil && request.ClientID != caller.ID { // RFC 9126 §2.1: the client pushes for itself
		refused = oauth.New(oauth.InvalidRequest, "client_id is not the client that authenticated").About("client_id").Slugged(oauth.SlugClientMismatch)
	}
	return request, refused
}

// bind makes the code be for the key that the client shows, which is the other way of
// saying dpop_jkt (RFC 9449 §10.1). Order: the proof is spent when all else is right.
func (d *Door) bind(w http.ResponseWriter, r *http.Request, caller store.Client, q *store.AuthorizationRequest) *oauth.Error {
	if !caller.DPoPBound || d.deps.Proofs == nil || len(r.Header.Values(dpop.Header)) == 0 {
		return nil
	}
	shown, refused := d.deps.Proofs.Prove(w.Header(), r)
	if refused != nil {
		return refused
	}
	if q.DPoPKey != "" && q.DPoPKey != shown.Thumbprint() {
		return oauth.New(oauth.InvalidRequest, "dpop_jkt is of another key than the DPoP proof").About("dpop_jkt").Slugged(oauth.SlugDPoPKey)
	}
	q.DPoPKey = shown.Thumbprint()
	return d.deps.Proofs.Spend(shown)
}

// counted is the network by which what a client pushes is counted; empty for one that
// has proven itself and that the operator knows, which is one server for many people.
func counted(c store.Client, network string) string {
	if !c.Public() && c.Trusted {
		return ""
	}
	return network
}

// fail answers that too much was pushed, or a failure on our side, whose cause goes to
// the log.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrFull) {
		door.WriteOAuthError(w, &oauth.Error{
			Code: oauth.TemporarilyUnavailable, Status: http.StatusTooManyRequests, RetryAfter: life, Slug: oauth.SlugRequestPushedTooMany,
			Description: "Too many pushed requests from this address that no browser has brought yet. Try again later", Cause: err,
		})
		return
	}
	d.deps.Log.ErrorContext(r.Context(), "a pushed request could not be kept", "error", err, "id", door.RequestID(r.Context()))
	door.WriteOAuthError(w, door.Failure(err, "The request could not be kept now. Try again in a moment"))
}
