package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/chart"
	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/review"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Store is what operators change.
type Store interface {
	ChangeClient(ctx context.Context, c store.Client, e store.Event) error
	RemoveClient(ctx context.Context, c store.Client, e store.Event) error
	ImportClients(ctx context.Context, all []store.Client, e store.Event) error
	Client(ctx context.Context, id store.ClientID) (store.Client, error)
	ListClients(ctx context.Context) ([]store.Client, error)
	CreateInitialAccessToken(ctx context.Context, t store.InitialAccessToken) error
	ListInitialAccessTokens(ctx context.Context) ([]store.InitialAccessToken, error)
	RemoveInitialAccessToken(ctx context.Context, id string) error
	CreateUser(ctx context.Context, u store.User) error
	PutUser(ctx context.Context, u store.User) error
	Represent(ctx context.Context, c store.RepresentationChange) error
	User(ctx context.Context, id store.UserID) (store.User, error)
	UserByName(ctx context.Context, usernameKey string) (store.User, error)
	ChangePassword(ctx context.Context, c store.PasswordChange) error
	CreateRecovery(ctx context.Context, r store.Recovery, e store.Event) error
	Factor(ctx context.Context, id store.UserID) (store.Factor, error)
	ChangeFactor(ctx context.Context, c store.FactorChange) error
	Revoke(ctx context.Context, r store.Revocation) (int, error)
	ListEmergencies(ctx context.Context, open bool, limit int) ([]store.Emergency, error)
	EndEmergency(ctx context.Context, e store.EmergencyEnd) error
	Announce(ctx context.Context, kind store.ChangeKind, id string) error
	Record(ctx context.Context, e store.Event) error
}

// Loader brings resources in.
type Loader interface {
	Load(ctx context.Context, resources iter.Seq[fhirstore.Incoming], progress func(int)) (fhirstore.LoadReport, error)
}

// Registrar turns RFC 7591 metadata into clients; a new secret is shown once. Its
// refusals are *oauth.Error.
type Registrar interface {
	RegisterAs(metadata []byte, trusted bool) (client store.Client, response []byte, err error)
	Change(was store.Client, raw []byte) (now store.Client, changed []string, err error)
	Import(raw []byte) (store.Client, error)
	NewSecret(c store.Client, overlap, life time.Duration) (now store.Client, secret string, err error)
}

// Accounts makes the parts of an account that need care: the compare key and
// the password hash.
type Accounts interface {
	UsernameKey(username string) (string, error)
	HashPassword(ctx context.Context, password string) (string, error)
}

// Keys changes the signing keys.
type Keys interface {
	List() []keys.Listed
	Rotate(ctx context.Context) error
	Replace(ctx context.Context) error
	Reseal(ctx context.Context) error
}

// Starter starts apps from a chart.
type Starter interface {
	Start(ctx context.Context, actor string, r chart.Request) (chart.Started, error)
}

// Deps are the parts that the door needs; all but Calendar are required.
type Deps struct {
	Store     Store
	Loader    Loader
	Registrar Registrar
	Accounts  Accounts
	Keys      Keys
	Starter   Starter
	Explainer Explainer
	Auditor   Auditor
	// HasRecord reports whether the FHIR store holds a resource.
	HasRecord func(ctx context.Context, ref fhir.Reference) (bool, error)
	// BirthDate is that of a patient, as FHIR writes it; empty: not known.
	BirthDate func(ctx context.Context, patient string) (string, error)
	// Majority is the age in years at which a child is a child no more; 0: never.
	Majority int
	// Refresh makes this process see a change at once.
	Refresh func(ctx context.Context) error
	// FetchKeys gets the key set of a client, as it is fetched for an assertion.
	FetchKeys clientkey.Fetch
	// Calendar says by when an app has to be decided about.
	Calendar review.Calendar
	// RecoveryPage is the address of the page that takes recovery codes.
	RecoveryPage string
	// TokenPrefix begins an initial access token.
	TokenPrefix string
	NewID       func() string
	Now         func() time.Time
	Log         *slog.Logger
}

// Door answers operators.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Loader == nil || deps.Registrar == nil || deps.Accounts == nil || deps.Keys == nil || deps.Starter == nil || deps.Explainer == nil || deps.Auditor == nil ||
		deps.HasRecord == nil || deps.BirthDate == nil || deps.Refresh == nil || deps.FetchKeys == nil || deps.RecoveryPage == "" || deps.TokenPrefix == "" || deps.NewID == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("admin: a part is missing")
	}
	return &Door{deps}, nil
}

// Handler routes the operators' requests.
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", d.answer(d.status))
	mux.HandleFunc("GET /clients", d.answer(d.listClients))
	mux.HandleFunc("POST /clients", d.answer(d.addClient))
	mux.HandleFunc("GET /clients/{id}", d.answer(d.showClient))
	mux.HandleFunc("PATCH /clients/{id}", d.answer(d.editClient))
	mux.HandleFunc("DELETE /clients/{id}", d.answer(d.removeClient))
	mux.HandleFunc("POST /clients/{id}/disable", d.answer(d.disableClient))
	mux.HandleFunc("POST /clients/{id}/enable", d.answer(d.enableClient))
	mux.HandleFunc("GET /queue", d.answer(d.queue))
	mux.HandleFunc("POST /clients/{id}/ask", d.answer(d.decide("client.asked", ask)))
	mux.HandleFunc("POST /clients/{id}/verify", d.answer(d.decide("client.verified", verify)))
	mux.HandleFunc("POST /clients/{id}/approve", d.answer(d.decide("client.approved", approve)))
	mux.HandleFunc("POST /clients/{id}/decline", d.answer(d.decide("client.declined", decline)))
	mux.HandleFunc("POST /clients/{id}/suspend", d.answer(d.decide("client.suspended", suspend)))
	mux.HandleFunc("POST /clients/{id}/secret", d.answer(d.rotateSecret))
	mux.HandleFunc("POST /clients/{id}/check-jwks", d.answer(d.checkKeys))
	mux.HandleFunc("GET /export/clients", d.exportClients)
	mux.HandleFunc("POST /import/clients", d.answer(d.importClients))
	mux.HandleFunc("GET /registration-tokens", d.answer(d.listTokens))
	mux.HandleFunc("POST /registration-tokens", d.answer(d.addToken))
	mux.HandleFunc("DELETE /registration-tokens/{id}", d.answer(d.removeToken))
	mux.HandleFunc("POST /users", d.answer(d.addUser))
	mux.HandleFunc("POST /users/{name}/disable", d.answer(d.disableUser))
	mux.HandleFunc("POST /users/{name}/represents", d.answer(d.represent))
	mux.HandleFunc("DELETE /users/{name}/represents/{patient}", d.answer(d.representNoMore))
	mux.HandleFunc("POST /users/{name}/password", d.answer(d.setPassword))
	mux.HandleFunc("POST /users/{name}/recover", d.answer(d.recoverUser))
	mux.HandleFunc("DELETE /users/{name}/factor", d.answer(d.removeFactor))
	mux.HandleFunc("POST /grants/revoke", d.answer(d.revoke))
	mux.HandleFunc("GET /emergencies", d.answer(d.listEmergencies))
	mux.HandleFunc("POST /emergencies/{id}/end", d.answer(d.endEmergency))
	mux.HandleFunc("GET /keys", d.answer(d.listKeys))
	mux.HandleFunc("POST /keys/rotate", d.answer(d.rotateKeys))
	mux.HandleFunc("POST /keys/replace", d.answer(d.replaceKeys))
	mux.HandleFunc("POST /keys/reseal", d.answer(d.resealKeys))
	mux.HandleFunc("POST /launches", d.answer(d.launch))
	mux.HandleFunc("POST /audit/verify", d.answer(d.verifyAudit))
	mux.HandleFunc("GET /audit/export", d.exportAudit)
	mux.HandleFunc("GET /audit/follow", d.followAudit)
	mux.HandleFunc("POST /audit/prune", d.answer(d.pruneAudit))
	mux.HandleFunc("POST /explain", d.answer(d.explain))
	mux.HandleFunc("POST /data", d.load)
	return mux
}

// badInput is a mistake of the operator, answered with its own sentence.
type badInput struct{ text string }

func (e badInput) Error() string { return e.text }

func bad(format string, args ...any) error { return badInput{fmt.Sprintf(format, args...)} }

// conflicting is what exists already.
type conflicting struct{ text string }

func (e conflicting) Error() string { return e.text }

func conflict(format string, args ...any) error { return conflicting{fmt.Sprintf(format, args...)} }

// absent is what is not there, by its name.
type absent struct{ text string }

func (e absent) Error() string { return e.text }

// answer writes what f returns as JSON, or its error as {"error": …}.
func (d *Door) answer(f func(r *http.Request) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, body, err := f(r)
		if err != nil {
			status, body = d.failure(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if raw, ok := body.(json.RawMessage); ok {
			_, _ = w.Write(append(raw, '\n'))
			return
		}
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (d *Door) failure(err error) (int, any) {
	var input badInput
	var exists conflicting
	var gone absent
	switch {
	case errors.As(err, &gone):
		return http.StatusNotFound, map[string]string{"error": gone.text}
	case errors.As(err, &input):
		return http.StatusBadRequest, map[string]string{"error": input.text}
	case errors.As(err, &exists):
		return http.StatusConflict, map[string]string{"error": exists.text}
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, map[string]string{"error": "not found"}
	}
	d.deps.Log.Error("admin request failed", "error", err)
	return http.StatusInternalServerError, map[string]string{"error": err.Error()}
}

func (d *Door) status(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]string{"status": "running"}, nil
}

// record keeps what an operator did.
func (d *Door) record(ctx context.Context, kind string, e store.Event) error {
	e.At, e.Kind, e.Actor, e.Outcome = d.deps.Now(), kind, "operator", "ok"
	return d.deps.Store.Record(ctx, e)
}

// decode reads one strict JSON object: unknown members are mistakes.
func decode(r *http.Request, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return bad("the input is not the expected JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
