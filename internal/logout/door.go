package logout

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// Store is what the door needs of the store.
type Store interface {
	User(ctx context.Context, id store.UserID) (store.User, error)
	Record(ctx context.Context, e store.Event) error
}

// Deps are the parts that the door needs; all are required.
type Deps struct {
	Store    Store
	Flow     *flow.Flow
	Sessions *session.Sessions
	Client   func(id store.ClientID) (store.Client, bool)
	// Hint reads an ID token of ours, expired or not; false for any other text.
	Hint func(idToken string) (tokens.Hint, bool)
	Path string
	Key  func() []byte // of the tickets, 32 bytes, shared by all processes
	Now  func() time.Time
	Log  *slog.Logger
}

// Door answers the end session endpoint.
type Door struct {
	deps  Deps
	cross *http.CrossOriginProtection
}

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Flow == nil || deps.Sessions == nil || deps.Client == nil || deps.Hint == nil ||
		deps.Path == "" || deps.Key == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("logout: a part is missing")
	}
	return &Door{deps, http.NewCrossOriginProtection()}, nil
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodPost:
	case http.MethodHead: // RFC 9110 §9.3.2: safe, so nothing ends
		page.Headers(w.Header(), nil)
		w.WriteHeader(http.StatusOK)
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		d.fail(w, r, problem(oauth.SlugLogoutMethod, "", "Use GET or POST."), http.StatusMethodNotAllowed)
		return
	}
	p, wrong := parse(r)
	if wrong != nil {
		d.fail(w, r, wrong, http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPost && p.Has("ticket") {
		d.answered(w, r, p)
		return
	}
	q, wrong := d.read(p)
	if wrong != nil {
		wrong.UILocales = q.locales
		d.fail(w, r, wrong, http.StatusBadRequest)
		return
	}
	d.begin(w, r, q)
}

// fail shows an error, with the way to sign out here all the same.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, e *page.Error, status int) {
	e.SignOutURL = d.deps.Path
	d.deps.Flow.Error(w, r, *e, status)
}

// begin ends the session, or asks first.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, q request) {
	all, err := d.deps.Sessions.Whose(r)
	switch {
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
	case len(all) == 0 && r.Method == http.MethodPost && len(q.params) > 0:
		// The form of another site comes without cookies (SameSite=Lax): look again
		// with them.
		d.deps.Flow.Redirect(w, d.deps.Path+"?"+q.params.Encode())
	case d.ourForm(r, q): // somebody of whom only a password is known, too
		d.end(w, r, q, all)
	case len(all) == 0:
		d.leave(w, r, q, q.client.Trusted)
	case q.isOf(all):
		d.end(w, r, q, all)
	default:
		d.ask(w, r, q, all)
	}
}

// ourForm reports whether a person has pressed a button of ours: a POST without any
// parameter from our own origin (LOGIN-16).
func (d *Door) ourForm(r *http.Request, q request) bool {
	return r.Method == http.MethodPost && len(q.params) == 0 && d.cross.Check(r) == nil
}

// end ends the sessions with what lives by them, and lets the browser go.
func (d *Door) end(w http.ResponseWriter, r *http.Request, q request, all []store.UserID) {
	if err := d.deps.Sessions.End(w, r, "signed out"); err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	for _, who := range all {
		err := d.deps.Store.Record(r.Context(), store.Event{
			At: d.deps.Now(), Kind: "logout", Actor: string(who), ClientID: q.client.ID, Outcome: "ok",
		})
		if err != nil {
			d.deps.Log.ErrorContext(r.Context(), "an event could not be recorded", "kind", "logout", "error", err)
		}
	}
	d.leave(w, r, q, q.client.Trusted || q.isOf(all))
}

// leave sends the browser back to the app if it said where, and shows a page
// otherwise. Without asking, it goes only to an app that the operator vouches for, or
// that the person has used, as their own ID token tells: whoever registers an app could
// make our address lead anywhere, so that all others get a link (RFC 9700 §4.11.2).
func (d *Door) leave(w http.ResponseWriter, r *http.Request, q request, unasked bool) {
	p := page.SignedOut{Shell: page.Shell{UILocales: q.locales}}
	if q.back.uri != "" {
		if unasked {
			d.deps.Flow.Redirect(w, q.back.target())
			return
		}
		p.Leave = page.Leave{URL: q.back.target(), Host: flow.Host(q.back.uri)}
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}
