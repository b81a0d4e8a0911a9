package launch

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/chart"
	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// maxBody bounds a request of an EHR, in bytes.
const maxBody = 32 << 10

// Clients authenticates the caller.
type Clients interface {
	Authenticate(r *http.Request, p oauth.Parameters) (clientauth.Authenticated, *oauth.Error)
}

// Starter makes launches.
type Starter interface {
	Start(ctx context.Context, actor string, r chart.Request) (chart.Started, error)
}

// EHRDeps are the parts that the endpoint needs; all are required.
type EHRDeps struct {
	Clients Clients
	Starter Starter
	Log     *slog.Logger
}

// EHR is the endpoint by which a trusted client starts other apps from a chart.
type EHR struct{ deps EHRDeps }

// NewEHR makes the endpoint; it refuses missing parts.
func NewEHR(deps EHRDeps) (*EHR, error) {
	if deps.Clients == nil || deps.Starter == nil || deps.Log == nil {
		return nil, errors.New("launch: a part of the endpoint is missing")
	}
	return &EHR{deps}, nil
}

// ServeHTTP answers one request of an EHR.
func (e *EHR) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started, err := e.serve(r)
	if err == nil {
		door.JSON(w, http.StatusOK, started)
		return
	}
	var known *oauth.Error
	if !errors.As(err, &known) {
		e.deps.Log.ErrorContext(r.Context(), "starting an app failed", "error", err, "id", door.RequestID(r.Context()))
		known = door.Failure(err, "The app could not be started now. Try again in a moment")
	}
	door.WriteOAuthError(w, known)
}

func (e *EHR) serve(r *http.Request) (chart.Started, error) {
	form, refused := oauth.ParseBody(r, maxBody)
	if refused != nil {
		return chart.Started{}, refused
	}
	// Order: who asks comes first; a stranger learns nothing about charts (CTX-35).
	caller, refused := e.caller(r, form)
	if refused != nil {
		return chart.Started{}, refused
	}
	request, refused := requestOf(form)
	if refused != nil {
		return chart.Started{}, refused
	}
	started, err := e.deps.Starter.Start(r.Context(), string(caller.ID), request)
	var refusal *chart.Refusal
	if errors.As(err, &refusal) {
		return started, &oauth.Error{Code: oauth.InvalidRequest, Status: http.StatusUnprocessableEntity, Slug: oauth.SlugLaunchRefused, Description: refusal.Error(), Parameter: refusal.Field}
	}
	return started, err
}

// caller is a confidential client that is registered as an EHR.
func (e *EHR) caller(r *http.Request, form oauth.Parameters) (store.Client, *oauth.Error) {
	caller, refused := e.deps.Clients.Authenticate(r, form)
	if refused != nil {
		if refused.Code == oauth.InvalidClient {
			refused.Status, refused.Challenge = http.StatusUnauthorized, true
		}
		return store.Client{}, refused
	}
	client := caller.Client()
	if client.Public() || !client.MayLaunch {
		return store.Client{}, &oauth.Error{Code: oauth.UnauthorizedClient, Status: http.StatusForbidden,
			Slug: oauth.SlugClientMayNotLaunch, Description: "This client is not registered to start apps from a chart"}
	}
	return client, nil
}

// parameters of the endpoint, beside those by which the caller authenticates.
func requestOf(form oauth.Parameters) (chart.Request, *oauth.Error) {
	r := chart.Request{
		Client: store.ClientID(form.Get("client")), Patient: form.Get("patient"), Encounter: form.Get("encounter"), Username: form.Get("user"),
		Intent: form.Get("intent"), Tenant: form.Get("tenant"), StyleURL: form.Get("style_url"), FHIRContext: []byte(form.Get("fhirContext")),
	}
	for _, required := range []string{"client", "patient"} {
		if !form.Has(required) {
			return r, oauth.New(oauth.InvalidRequest, "The parameter %s is missing", required).About(required).Slugged(oauth.SlugRequestParameterMissing)
		}
	}
	switch banner := form.Get("need_patient_banner"); banner {
	case "":
	case "true", "false":
		shown := banner == "true"
		r.Banner = &shown
	default:
		return r, oauth.New(oauth.InvalidRequest, "need_patient_banner is true or false").About("need_patient_banner").Slugged(oauth.SlugLaunchRefused)
	}
	return r, nil
}
