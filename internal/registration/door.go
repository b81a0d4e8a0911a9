package registration

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Store is what the door needs of the store.
type Store interface {
	InitialAccessToken(ctx context.Context, hash []byte) (store.InitialAccessToken, error)
	RegisterClient(ctx context.Context, r store.Registration) error
	Client(ctx context.Context, id store.ClientID) (store.Client, error)
	ChangeClient(ctx context.Context, c store.Client, e store.Event) error
	RemoveClient(ctx context.Context, c store.Client, e store.Event) error
	Count(ctx context.Context, key string, window time.Duration) (int, time.Time, error)
}

// Registrar judges what clients say of themselves.
type Registrar interface {
	RegisterSelf(raw []byte) (c store.Client, secret string, err error)
	ReplaceSelf(was store.Client, raw []byte) (now store.Client, changed []string, err error)
}

// Deps are the parts that the door needs; all but Open are required.
type Deps struct {
	Store     Store
	Registrar Registrar
	// Settle makes this process see what the store has just changed.
	Settle func(ctx context.Context) error
	// Endpoint is the absolute URL of the registration endpoint.
	Endpoint string
	// Open: anybody may register, without an initial access token.
	Open bool
	// Limit is how many self-registered clients there may be.
	Limit int
	// Address is what tries are counted by.
	Address func(r *http.Request) string
	Now     func() time.Time
	Log     *slog.Logger
}

// Door answers the registration endpoint and what is below it.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Registrar == nil || deps.Settle == nil || deps.Endpoint == "" || deps.Limit <= 0 ||
		deps.Address == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("registration: a part is missing")
	}
	return &Door{deps}, nil
}

// Register answers POST at the endpoint (RFC 7591 §3.1).
func (d *Door) Register(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		door.MethodNotAllowed(w, http.MethodPost)
		return
	}
	wait, err := d.tooMany(r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	if wait > 0 {
		d.fail(w, r, &oauth.Error{
			Code: oauth.TemporarilyUnavailable, Status: http.StatusTooManyRequests, RetryAfter: wait, Slug: oauth.SlugRegistrationTooMany,
			Description: "Too many registrations from this address. Try again later",
		})
		return
	}
	allowed, err := d.permit(r)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	body, err := d.register(r, allowed)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	write(w, http.StatusCreated, body)
}

// Tries that are free within a window.
const (
	tries  = 60
	window = 10 * time.Minute
)

// tooMany counts a try before anything is verified, and says how long to wait.
func (d *Door) tooMany(r *http.Request) (time.Duration, error) {
	n, until, err := d.deps.Store.Count(r.Context(), register.TriesKey+" "+d.deps.Address(r), window)
	if err != nil || n <= tries {
		return 0, err
	}
	return max(time.Second, until.Sub(d.deps.Now())), nil
}

// permitted is the proof that the caller may register a client; only permit makes one.
type permitted struct {
	proven bool
	hash   []byte // of the initial access token; nil where none is needed
	by     string // the token's name
}

// permit looks at the initial access token; its use is taken when the client is stored.
func (d *Door) permit(r *http.Request) (permitted, error) {
	token, present, refused := oauth.Bearer(r)
	if refused != nil {
		return permitted{}, refused
	}
	if !present {
		if d.deps.Open {
			return permitted{proven: true, by: store.RegisteredByAnyone}, nil
		}
		return permitted{}, &oauth.Error{Status: http.StatusUnauthorized}
	}
	known, err := d.deps.Store.InitialAccessToken(r.Context(), oauth.Hash(token))
	if errors.Is(err, store.ErrNotFound) || err == nil && !strings.HasPrefix(token, register.InitialPrefix) {
		return permitted{}, refusedToken()
	}
	if err != nil {
		return permitted{}, err
	}
	return permitted{true, known.Hash, known.ID}, nil
}

// refusedToken is the one answer to a token that is not good here.
func refusedToken() *oauth.Error {
	return &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized,
		Slug: oauth.SlugRegistrationToken, Description: "The token is not good here: unknown, used up, expired, or of another client"}
}

// register stores the client that the body describes, and returns the client
// information response (RFC 7591 §3.2.1).
func (d *Door) register(r *http.Request, allowed permitted) ([]byte, error) {
	if !allowed.proven {
		return nil, refusedToken()
	}
	raw, refused := document(r)
	if refused != nil {
		return nil, refused
	}
	c, secret, err := d.deps.Registrar.RegisterSelf(raw)
	if err != nil {
		return nil, err
	}
	token := register.NewManagementToken(&c)
	c.RegisteredWith = allowed.by
	err = d.deps.Store.RegisterClient(r.Context(), store.Registration{
		Client: c, TokenHash: allowed.hash, Limit: d.deps.Limit, Event: d.event("client.registered", c.ID, allowed.by),
	})
	switch {
	case errors.Is(err, store.ErrConsumed):
		return nil, refusedToken()
	case errors.Is(err, store.ErrFull):
		d.deps.Log.WarnContext(r.Context(), "no more clients can register themselves: raise registration.max_clients, or remove some")
		return nil, &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable, Slug: oauth.SlugRegistrationFull, Description: "This server takes no more registrations. Ask who runs it"}
	case err != nil:
		return nil, err
	}
	if err := d.deps.Settle(r.Context()); err != nil {
		return nil, err
	}
	return register.Describe(c, register.Once{Secret: secret, Token: token, URI: d.uri(c.ID)})
}

// document reads the body of a request that sends metadata.
func document(r *http.Request) ([]byte, *oauth.Error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" || len(r.Header.Values("Content-Type")) > 1 {
		return nil, &oauth.Error{Code: oauth.InvalidClientMetadata, Status: http.StatusUnsupportedMediaType, Slug: oauth.SlugRegistrationMetadata, Description: "Send the metadata as application/json"}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, register.MaxDocument))
	if err == nil {
		return raw, nil
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &oauth.Error{Code: oauth.InvalidClientMetadata, Status: http.StatusRequestEntityTooLarge, Slug: oauth.SlugRegistrationMetadata, Description: "The metadata is larger than 128 KiB"}
	}
	return nil, oauth.New(oauth.InvalidClientMetadata, "The body could not be read").Slugged(oauth.SlugRegistrationMetadata).Because(err)
}

func (d *Door) event(kind string, id store.ClientID, detail string) store.Event {
	return store.Event{At: d.deps.Now(), Kind: kind, Actor: string(id), ClientID: id, Outcome: "ok", Detail: detail}
}

// write sends a client information response; no cache keeps it (RFC 7591 §3.2.1).
func write(w http.ResponseWriter, status int, body []byte) {
	door.NoStore(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// fail writes the error; what is not meant for the caller goes to the log.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *oauth.Error
	if errors.As(err, &known) {
		door.WriteBearerError(w, known)
		return
	}
	d.deps.Log.ErrorContext(r.Context(), "registration failed", "error", err, "id", door.RequestID(r.Context()))
	door.WriteOAuthError(w, door.Failure(err, "The request could not be answered now. Try again in a moment"))
}
