package developer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/review"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Store is what the door needs of the store.
type Store interface {
	RegisterClient(ctx context.Context, r store.Registration) error
	Client(ctx context.Context, id store.ClientID) (store.Client, error)
	Count(ctx context.Context, key string, window time.Duration) (int, time.Time, error)
}

// Registrar judges what developers say of their apps.
type Registrar interface {
	RegisterByForm(raw []byte) (c store.Client, secret string, err error)
	OpenScope() string
}

// Approval makes the words that people read of an app.
type Approval struct {
	Preview func(c store.Client) page.Approve
	Offer   func(offered, chosen []string) (read, write []page.ScopeRow)
	Choose  func(offered, ticked []string) []string
}

// Deps are the parts that the door needs; all but Calendar, TermsURI and Reviewed are
// required.
type Deps struct {
	Store     Store
	Registrar Registrar
	Approval  Approval
	Flow      *flow.Flow
	Sessions  *session.Sessions
	Calendar  review.Calendar
	// Settle makes this process see what the store has just changed.
	Settle func(ctx context.Context) error
	// Path is that of the first page; the others stand below it.
	Path string
	// Endpoint is the absolute URL below which apps look after their registration.
	Endpoint         string
	Issuer, FHIRBase string
	TermsURI         string
	Reviewed         bool // apps wait until an operator has let them in
	// Limit and WaitingLimit are how many apps there may be, and how many may wait.
	Limit, WaitingLimit int
	// Address is what tries are counted by.
	Address func(r *http.Request) string
	Key     func() []byte // of the tickets, 32 bytes, shared by all processes
	Now     func() time.Time
	Log     *slog.Logger
}

// Door answers the pages for developers.
type Door struct {
	deps  Deps
	cross *http.CrossOriginProtection
}

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Registrar == nil || deps.Approval.Preview == nil || deps.Approval.Offer == nil || deps.Approval.Choose == nil ||
		deps.Flow == nil || deps.Sessions == nil || deps.Settle == nil || deps.Path == "" || deps.Endpoint == "" || deps.Issuer == "" || deps.FHIRBase == "" ||
		deps.Limit <= 0 || deps.WaitingLimit <= 0 || deps.Address == nil || deps.Key == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("developer: a part is missing")
	}
	return &Door{deps, http.NewCrossOriginProtection()}, nil
}

// Mount puts the pages on their paths.
func (d *Door) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+d.deps.Path, d.home)
	mux.HandleFunc("GET "+d.registerPath(), d.showForm)
	mux.HandleFunc("POST "+d.registerPath(), d.register)
	mux.HandleFunc("GET "+d.statePath(), d.askForToken)
	mux.HandleFunc("POST "+d.statePath(), d.showState)
}

func (d *Door) registerPath() string { return d.deps.Path + "/register" }
func (d *Door) statePath() string    { return d.deps.Path + "/app" }

// uri is where an app looks after its registration (RFC 7592 §3).
func (d *Door) uri(id store.ClientID) string {
	return d.deps.Endpoint + "/" + url.PathEscape(string(id))
}

func (d *Door) home(w http.ResponseWriter, r *http.Request) {
	d.deps.Flow.Show(w, r, http.StatusOK, page.Developers{
		Shell: page.Shell{Self: d.deps.Path}, Issuer: d.deps.Issuer, FHIRBase: d.deps.FHIRBase, Configuration: d.deps.FHIRBase + "/.well-known/smart-configuration",
		RegisterURL: d.registerPath(), StateURL: d.statePath(), Reviewed: d.deps.Reviewed,
		VerifyWithin: review.VerifyWithin, EnableWithin: review.EnableWithin, TermsURI: d.deps.TermsURI,
	})
}

// Budgets of a network: tries of any kind, which the registration endpoint counts as
// well, and apps that are registered (security DC-18).
const (
	tries     = 60
	tryWindow = 10 * time.Minute
	apps      = 10
	appWindow = 24 * time.Hour
)

// spent counts one use of a budget, and says how long to wait when it is spent.
func (d *Door) spent(r *http.Request, name string, budget int, window time.Duration) (time.Duration, error) {
	n, until, err := d.deps.Store.Count(r.Context(), name+" "+d.deps.Address(r), window)
	if err != nil || n <= budget {
		return 0, err
	}
	return max(time.Second, until.Sub(d.deps.Now())), nil
}

// maxForm bounds a form, in bytes: an inline key set is the largest part of it.
const maxForm = 128 << 10

// form reads a form of ours. false: a page was written. fresh says whether its ticket
// is good; a form that was open for too long comes from here all the same.
func (d *Door) form(w http.ResponseWriter, r *http.Request, path string) (typed url.Values, fresh, ok bool) {
	if err := d.cross.Check(r); err != nil {
		d.forbidden(w, r)
		return nil, false, false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		d.forbidden(w, r)
		return nil, false, false
	}
	return r.PostForm, d.good(r, path, r.PostForm.Get("ticket")), true
}

func (d *Door) forbidden(w http.ResponseWriter, r *http.Request) {
	d.deps.Flow.Error(w, r, page.Error{Title: "developer-form", Slug: oauth.SlugFormNotAccepted, Description: "The form does not come from a page of this server, or is too large."}, http.StatusForbidden)
}
