package authorize

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// Store is what the endpoint needs of the store.
type Store interface {
	CreateRequest(ctx context.Context, r store.AuthorizationRequest) error
	ClaimRequest(ctx context.Context, handleHash, unclaimed, browserHash []byte) error
	SaveFacts(ctx context.Context, r store.AuthorizationRequest) error
	AnswerRequest(ctx context.Context, handleHash []byte, d *store.ConsentDecision) error
	Request(ctx context.Context, handleHash, browserHash []byte) (store.AuthorizationRequest, error)
	PushedRequest(ctx context.Context, referenceHash []byte, client store.ClientID) (store.PushedRequest, error)
	UsePushedRequest(ctx context.Context, referenceHash []byte, client store.ClientID) error
	ConsumeLaunch(ctx context.Context, handleHash []byte, client store.ClientID) (store.Launch, error)
	IssueCode(ctx context.Context, i store.Issue) error
	Remembered(ctx context.Context, user store.UserID, client store.ClientID, patient string) (store.RememberedConsent, error)
}

// Deps are the parts that the door needs; all are required, but for the switches.
type Deps struct {
	Store    Store
	Flow     *flow.Flow
	Sessions *session.Sessions
	Client   func(id store.ClientID) (store.Client, bool)
	// Person returns an enabled user with the patients they reach now;
	// store.ErrNotFound otherwise.
	Person func(ctx context.Context, id store.UserID) (store.User, reach.Whom, error)
	// MayOpen reports whether a user may open the record of a patient whom they do not
	// reach, in an emergency; nil: nobody may.
	MayOpen func(ctx context.Context, u store.User) (bool, error)
	// HasVisits reports whether a user can choose among visits of a patient.
	HasVisits func(ctx context.Context, u store.User, patient string) (bool, error)
	// Offered is the part of a set of scopes that the FHIR API answers (SCOPE-16).
	Offered func(smart.ScopeSet) smart.ScopeSet
	// HintedUser is the subject of an ID token of ours, expired or not; false for
	// any other text.
	HintedUser func(idToken string) (store.UserID, bool)
	// Paths of the steps.
	LoginPath, PatientPath, EncounterPath, ApprovePath string
	Issuer, FHIRBase                                   string
	CodeLife, RefreshIdle                              time.Duration
	// OfferPushed: pushed requests are taken; RequirePushed: from every client, and
	// nothing else is (RFC 9126 §5).
	OfferPushed, RequirePushed bool
	// PromisedCode makes a code that carries its grant; empty when it would be too long.
	PromisedCode func(p store.PromisedGrant) string
	NewID        func() string
	// Trail takes which codes were issued; nil: nothing is recorded, which is for tests.
	Trail Trail
	// Address is where a request comes from, for the record; nil: it is not told.
	Address func(r *http.Request) string
	Now     func() time.Time
	Log     *slog.Logger
}

// Door answers the authorization endpoint.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Flow == nil || deps.Sessions == nil || deps.Client == nil || deps.Person == nil || deps.HasVisits == nil ||
		deps.Offered == nil || deps.HintedUser == nil || deps.LoginPath == "" || deps.PatientPath == "" || deps.EncounterPath == "" ||
		deps.ApprovePath == "" || deps.Issuer == "" ||
		deps.FHIRBase == "" || deps.CodeLife <= 0 || deps.RefreshIdle <= 0 || deps.PromisedCode == nil || deps.NewID == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("authorize: a part is missing")
	}
	return &Door{deps}, nil
}

const (
	maxQuery = 8 << 10   // of a request by GET, in bytes (AUTHZ-57)
	maxBody  = 128 << 10 // of a request by POST
	maxState = 2 << 10   // of a state, which goes into a URL of the app
	// requestLife is how long a person may take (WCAG 2.2.1: longer than ten minutes).
	requestLife = 20 * time.Minute
)

// ServeHTTP answers a new request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, repeated, problem, status := parse(r)
	if problem != nil {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", "GET, HEAD, POST")
		}
		d.deps.Flow.Error(w, r, *problem, status)
		return
	}
	if reference, pushed := oauth.PushedReference(p.Get("request_uri")); pushed && d.deps.OfferPushed {
		d.servePushed(w, r, p, reference)
		return
	}
	target, problem := d.match(p)
	if problem != nil {
		d.deps.Flow.Error(w, r, *problem, http.StatusBadRequest)
		return
	}
	if !target.client.MayAsk() {
		d.mayNotAsk(w, r, target.client)
		return
	}
	if repeated != nil { // RFC 6749 §3.1
		d.refuse(w, r, target, repeated)
		return
	}
	request, refused := d.check(p, target)
	if refused != nil {
		d.refuse(w, r, target, refused)
		return
	}
	if refused := d.checkPushed(target); refused != nil {
		d.refuse(w, r, target, refused)
		return
	}
	if r.Method == http.MethodHead {
		nothingBegins(w)
		return
	}
	d.begin(w, r, oauth.RandomToken("rq_"), target, request)
}

// nothingBegins answers HEAD, which is safe (RFC 9110 §9.3.2).
func nothingBegins(w http.ResponseWriter) {
	page.Headers(w.Header(), nil)
	w.WriteHeader(http.StatusOK)
}

// mayNotAsk tells that an app is switched off (ERR-02), or not let in yet (REG-06).
func (d *Door) mayNotAsk(w http.ResponseWriter, r *http.Request, client store.Client) {
	e := page.Error{Title: "app", Slug: oauth.SlugClientNotEnabled, ErrorCode: string(oauth.UnauthorizedClient),
		Description: "This app has registered itself, and the organisation has not let it in yet."}
	if client.Disabled {
		e.Slug, e.Description = oauth.SlugClientDisabled, "This client is not enabled on this server."
	}
	d.deps.Flow.Error(w, r, e, http.StatusForbidden)
}

// parse reads the parameters by GET or POST. Malformed parameters are a page;
// repeated ones are an error of their own, which may travel back.
func parse(r *http.Request) (p oauth.Parameters, repeated *oauth.Error, problem *page.Error, status int) {
	var err *oauth.Error
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if len(r.URL.RawQuery) > maxQuery {
			return p, nil, appError(oauth.SlugRequestTooLong, "", "The request is longer than 8 kB. Send it by POST."), http.StatusRequestURITooLong
		}
		p, err = oauth.ParseParameters(r.URL.RawQuery)
	case http.MethodPost:
		// Parameters of the URL are never merged with those of the body (AZ-05).
		p, err = oauth.ParseBody(r, maxBody)
	default:
		return p, nil, appError(oauth.SlugRequestMethod, "", "Use GET or POST."), http.StatusMethodNotAllowed
	}
	if err == nil {
		return p, nil, nil, 0
	}
	if err.Parameter != "" && p.Repeated(err.Parameter) {
		return p, err, nil, 0
	}
	status = err.HTTPStatus()
	if r.Method == http.MethodPost && !isForm(r) { // ERR-04
		status = http.StatusUnsupportedMediaType
	}
	return p, nil, appError(oauth.SlugRequestMalformed, err.Parameter, err.Description+"."), status
}

func isForm(r *http.Request) bool {
	const form = "application/x-www-form-urlencoded"
	media := r.Header.Get("Content-Type")
	return len(media) >= len(form) && media[:len(form)] == form
}

// begin stores a checked request under its handle, or answers it at once when nobody
// needs to be asked.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, handle string, target redirectable, q store.AuthorizationRequest) {
	if err := d.launched(r, &q); err != nil {
		d.fail(w, r, target, err)
		return
	}
	who, adopted, err := d.adopt(r, &q)
	if err != nil {
		d.fail(w, r, target, err)
		return
	}
	where, err := d.whereFor(r, &q, target.client, adopted)
	if err != nil {
		d.fail(w, r, target, err)
		return
	}
	switch {
	case where.step == stepRefuse:
		d.refuse(w, r, target, where.refusal)
	case where.step == stepIssue && !target.outOfBand() && where.approval.DoNotAsk:
		d.promise(w, r, target, q, who, where.approval)
	case where.step == stepIssue && !target.outOfBand():
		d.issue(w, r, target, q, where.recalled)
	case has(q.Prompt, "none"):
		d.refuse(w, r, target, where.promptNone())
	default:
		d.store(w, r, handle, target, q)
	}
}

// store keeps the request under a handle that is good in this browser only.
func (d *Door) store(w http.ResponseWriter, r *http.Request, handle string, target redirectable, q store.AuthorizationRequest) {
	// A form of another site comes without cookies (AUTHZ-03): naming the browser
	// anew would end what is under way in it, so the name is asked for at the GET.
	nameless := r.Method == http.MethodPost && d.deps.Sessions.KnownBrowser(r) == nil
	q.HandleHash, q.BrowserHash = oauth.Hash(handle), unclaimed(handle)
	if !nameless {
		q.BrowserHash = d.deps.Sessions.Browser(w, r)
	}
	if err := d.deps.Store.CreateRequest(r.Context(), q); err != nil {
		d.fail(w, r, target, err)
		return
	}
	if nameless {
		d.deps.Flow.Redirect(w, flow.ContinuePath+"?request="+url.QueryEscape(handle)+"&claim=1")
		return
	}
	d.deps.Flow.Continue(w, handle)
}

const failure = "The request could not be answered. Try again in a moment"

// fail tells the app that the request was refused, or that the server could not
// answer it, or cannot at present (ERR-21).
func (d *Door) fail(w http.ResponseWriter, r *http.Request, target redirectable, err error) {
	var refused *oauth.Error
	if errors.As(err, &refused) {
		d.refuse(w, r, target, refused)
		return
	}
	d.deps.Log.ErrorContext(r.Context(), "an authorization request failed", "error", err, "id", door.RequestID(r.Context()))
	known := oauth.New(oauth.ServerError, "%s", failure).Slugged(oauth.SlugServerFailure)
	if door.Unavailable(err) {
		known = oauth.New(oauth.TemporarilyUnavailable, "%s", failure).Slugged(oauth.SlugServerUnavailable)
	}
	d.refuse(w, r, target, known)
}
