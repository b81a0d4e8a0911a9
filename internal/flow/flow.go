package flow

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// ContinuePath is where a request goes on after each step.
const ContinuePath = "/authorize/continue"

// Store is what steps need of the store.
type Store interface {
	Request(ctx context.Context, handleHash, browserHash []byte) (store.AuthorizationRequest, error)
	SaveFacts(ctx context.Context, r store.AuthorizationRequest) error
}

// Deps are the parts that Flow needs; all are required.
type Deps struct {
	Store    Store
	Sessions *session.Sessions
	Pages    *page.Renderer
	Client   func(id store.ClientID) (store.Client, bool)
	Key      func() []byte // of the tickets, 32 bytes, shared by all processes
	Now      func() time.Time
	Log      *slog.Logger
}

// Flow opens and continues requests.
type Flow struct {
	deps  Deps
	cross *http.CrossOriginProtection
}

// New makes it; it refuses missing parts.
func New(deps Deps) (*Flow, error) {
	if deps.Store == nil || deps.Sessions == nil || deps.Pages == nil || deps.Client == nil || deps.Key == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("flow: a part is missing")
	}
	return &Flow{deps, http.NewCrossOriginProtection()}, nil
}

// Step is a request under way that belongs to the browser that asks.
type Step struct {
	Request store.AuthorizationRequest
	Client  store.Client
	Handle  string
}

// errAnswered: the request has its answer already.
var errAnswered = errors.New("flow: answered")

// Open finds the request of a step. When it cannot go on a page is written and ok
// is false.
func (f *Flow) Open(w http.ResponseWriter, r *http.Request, handle string) (s Step, ok bool) {
	s, err := f.find(r, handle)
	switch {
	case err == nil:
		return s, true
	case errors.Is(err, errAnswered):
		f.Error(w, r, page.Error{Shell: page.Shell{AppName: s.Client.Name}, Title: "answered", Slug: oauth.SlugRequestAnswered,
			Description: "This authorization request was answered before."}, http.StatusBadRequest)
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrExpired):
		f.Error(w, r, page.Error{Title: "expired", Slug: oauth.SlugRequestExpired,
			Description: "There is no such authorization request in this browser, or it is too old."}, http.StatusBadRequest)
	default:
		f.Fail(w, r, err)
	}
	return Step{}, false
}

func (f *Flow) find(r *http.Request, handle string) (Step, error) {
	browser := f.deps.Sessions.KnownBrowser(r)
	if browser == nil || handle == "" {
		return Step{}, store.ErrNotFound
	}
	request, err := f.deps.Store.Request(r.Context(), oauth.Hash(handle), browser)
	if err != nil {
		return Step{}, err
	}
	client, known := f.deps.Client(request.ClientID)
	if !known || !client.MayAsk() {
		return Step{}, store.ErrNotFound
	}
	s := Step{request, client, handle}
	if !request.AnsweredAt.IsZero() {
		return s, errAnswered
	}
	return s, nil
}

// Shell is what the page of a step starts from.
func (f *Flow) Shell(s Step, path string) page.Shell {
	return page.Shell{
		AppName: s.Client.Name, UILocales: s.Request.UILocales, Action: path, Handle: s.Handle,
		Self: path + "?request=" + url.QueryEscape(s.Handle), Ticket: f.ticket(s, path),
		FormTargets: []string{page.FormTarget(s.Request.RedirectURI)},
	}
}

// ticket is good for one step of one version of the request.
func (f *Flow) ticket(s Step, path string) string {
	h := hmac.New(sha256.New, f.deps.Key())
	for _, part := range [][]byte{
		s.Request.HandleHash, s.Request.BrowserHash, s.Request.SessionHash, []byte(path),
		strconv.AppendInt(nil, s.Request.Version, 10),
	} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":"))
		h.Write(part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// maxForm bounds a form of ours, in bytes.
const maxForm = 256 << 10

// Form opens the request that a posted form belongs to and proves that the form
// was shown here. What was typed is returned; values may repeat (checkboxes).
func (f *Flow) Form(w http.ResponseWriter, r *http.Request, path string) (s Step, typed url.Values, ok bool) {
	if typed, ok = f.Typed(w, r); !ok {
		return Step{}, nil, false
	}
	if s, ok = f.Open(w, r, typed.Get("request")); !ok {
		return Step{}, nil, false
	}
	if !hmac.Equal([]byte(typed.Get("ticket")), []byte(f.ticket(s, path))) {
		f.Forbidden(w, r, s)
		return Step{}, nil, false
	}
	return s, typed, true
}

// Typed reads a form that comes from our own site; its ticket proves the rest.
func (f *Flow) Typed(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	if err := f.cross.Check(r); err != nil {
		f.Forbidden(w, r, Step{})
		return nil, false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		f.Forbidden(w, r, Step{})
		return nil, false
	}
	return r.PostForm, true
}

// Forbidden answers a form that was not shown here, or was used (ERR-23).
func (f *Flow) Forbidden(w http.ResponseWriter, r *http.Request, s Step) {
	f.Error(w, r, page.Error{Shell: page.Shell{AppName: s.Client.Name}, Title: "form", Slug: oauth.SlugFormNotAccepted,
		Description: "The form carries no ticket of this page, or one that was used."}, http.StatusForbidden)
}

// Save adds a fact and goes on. When another tab was faster, what it decided
// stands and the browser goes on from there (AUTHZ-30).
func (f *Flow) Save(w http.ResponseWriter, r *http.Request, s Step, change func(*store.AuthorizationRequest)) {
	change(&s.Request)
	err := f.deps.Store.SaveFacts(r.Context(), s.Request)
	if err != nil && !errors.Is(err, store.ErrConflict) {
		f.Fail(w, r, err)
		return
	}
	f.Continue(w, s.Handle)
}

// Keep writes the facts of s for a page that is shown at once, whose ticket then
// belongs to the new version; false when something else was answered.
func (f *Flow) Keep(w http.ResponseWriter, r *http.Request, s *Step) bool {
	err := f.deps.Store.SaveFacts(r.Context(), s.Request)
	switch {
	case errors.Is(err, store.ErrConflict): // another tab was faster
		f.Continue(w, s.Handle)
		return false
	case err != nil:
		f.Fail(w, r, err)
		return false
	}
	s.Request.Version++
	return true
}

// SaveAndShow writes the facts of s and shows the same step again, which looks
// different with them.
func (f *Flow) SaveAndShow(w http.ResponseWriter, r *http.Request, s Step, path string) {
	err := f.deps.Store.SaveFacts(r.Context(), s.Request)
	if err != nil && !errors.Is(err, store.ErrConflict) {
		f.Fail(w, r, err)
		return
	}
	f.Redirect(w, path+"?request="+url.QueryEscape(s.Handle))
}

// Refuse adds that the person declined and goes on to tell the app.
func (f *Flow) Refuse(w http.ResponseWriter, r *http.Request, s Step) {
	f.Save(w, r, s, func(q *store.AuthorizationRequest) { q.Refused = string(oauth.AccessDenied) })
}

// Continue sends the browser to the one place that decides what comes next; 303,
// so that a form is never sent on (RFC 9700 §4.12).
func (f *Flow) Continue(w http.ResponseWriter, handle string) {
	f.Redirect(w, ContinuePath+"?request="+url.QueryEscape(handle))
}

// Redirect answers 303 with the headers of a page.
func (f *Flow) Redirect(w http.ResponseWriter, target string) {
	h := w.Header()
	page.Headers(h, nil)
	h.Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// Show renders a page; an error becomes the error page.
func (f *Flow) Show(w http.ResponseWriter, r *http.Request, status int, p page.Page) {
	if err := f.deps.Pages.Render(w, r, status, p); err != nil {
		f.deps.Log.ErrorContext(r.Context(), "a page could not be rendered", "error", err, "id", door.RequestID(r.Context()))
		http.Error(w, "Something went wrong on our side.", http.StatusInternalServerError)
	}
}

// Error shows an error page; its id is that of the request in the log, which names
// the error too. The rule comes from the catalogue.
func (f *Flow) Error(w http.ResponseWriter, r *http.Request, e page.Error, status int) {
	e.ID, e.When = door.RequestID(r.Context()), f.deps.Now()
	if e.Section == "" {
		e.Section = e.Slug.Explanation().Section
	}
	door.Note(w, oauth.Code(e.ErrorCode), e.Slug)
	if e.AppName == "" {
		e.AppName = "the app"
	}
	f.Show(w, r, status, e)
}

// Fail shows the error page of a failure on our side; the cause goes to the log.
func (f *Flow) Fail(w http.ResponseWriter, r *http.Request, err error) {
	f.deps.Log.ErrorContext(r.Context(), "a page failed", "error", err, "id", door.RequestID(r.Context()))
	known := door.Failure(err, "")
	if known.Code == oauth.TemporarilyUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	f.Error(w, r, page.Error{Title: "server", ErrorCode: string(oauth.ServerError), Slug: known.Slug}, known.HTTPStatus())
}
