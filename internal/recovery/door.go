package recovery

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// Store is what the door needs of the store.
type Store interface {
	TryRecovery(ctx context.Context, codeHash []byte, maxTries int) (store.Recovery, error)
	Recover(ctx context.Context, u store.RecoveryUse) (disconnected bool, err error)
	UserByName(ctx context.Context, usernameKey string) (store.User, error)
	Record(ctx context.Context, e store.Event) error
}

// Accounts does the work that passwords need.
type Accounts interface {
	UsernameKey(username string) (string, error)
	HashPassword(ctx context.Context, password string) (string, error)
}

// Patients finds what the record says of a patient.
type Patients interface {
	Patient(ctx context.Context, id string) (reach.Patient, error)
}

// Deps are the parts that the door needs; all are required.
type Deps struct {
	Store    Store
	Accounts Accounts
	Patients Patients
	Flow     *flow.Flow
	// Place is a page of a person's own that sign-in returns to, as for login.
	Place func(handle string) (flow.Place, bool)
	// Home is the place of somebody who comes without a request.
	Home      string
	Path      string // of this page
	LoginPath string // of sign-in
	Tries     *tries.Tries
	// Settle makes this process see what the store has just ended.
	Settle func(ctx context.Context) error
	Now    func() time.Time
	Log    *slog.Logger
}

// Door answers the recovery page.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Accounts == nil || deps.Patients == nil || deps.Flow == nil || deps.Place == nil || deps.Home == "" ||
		deps.Path == "" || deps.LoginPath == "" || deps.Tries == nil || deps.Settle == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("recovery: a part is missing")
	}
	return &Door{deps}, nil
}

// Show answers GET: in the request of an app, or for a page of the person's own.
func (d *Door) Show(w http.ResponseWriter, r *http.Request) {
	handle := r.URL.Query().Get("request")
	if handle == "" {
		handle = d.deps.Home // whoever reads the address off a letter
	}
	if place, own := d.deps.Place(handle); own {
		d.deps.Flow.Show(w, r, http.StatusOK, d.ownPage(w, r, place))
		return
	}
	if s, ok := d.deps.Flow.Open(w, r, handle); ok {
		d.deps.Flow.Show(w, r, http.StatusOK, d.page(d.deps.Flow.Shell(s, d.deps.Path)))
	}
}

func (d *Door) page(shell page.Shell) page.Recover {
	return page.Recover{Shell: shell, SignInURL: d.deps.LoginPath + "?request=" + url.QueryEscape(shell.Handle)}
}

// ownPage is no app's. Its ticket is for nobody, as that of sign-in.
func (d *Door) ownPage(w http.ResponseWriter, r *http.Request, place flow.Place) page.Recover {
	shell := d.deps.Flow.OwnShell(w, r, d.deps.Path, place.Handle, session.Authenticated{})
	shell.Self += "?request=" + url.QueryEscape(place.Handle)
	return d.page(shell)
}

// Post answers the form. Order: its ticket is checked before anything is counted (LG-34).
func (d *Door) Post(w http.ResponseWriter, r *http.Request) {
	typed, ok := d.deps.Flow.Typed(w, r)
	if !ok {
		return
	}
	if place, own := d.deps.Place(typed.Get("request")); own {
		if typed, ok = d.deps.Flow.OwnForm(w, r, d.deps.Path, session.Authenticated{}); ok {
			d.recover(w, r, d.ownPage(w, r, place), "", typed)
		}
		return
	}
	s, typed, ok := d.deps.Flow.Form(w, r, d.deps.Path)
	switch {
	case !ok:
	case typed.Get("action") == "cancel":
		d.deps.Flow.Refuse(w, r, s)
	default:
		d.recover(w, r, d.page(d.deps.Flow.Shell(s, d.deps.Path)), s.Client.ID, typed)
	}
}

// recover judges the form and says that it is done, or shows it again.
func (d *Door) recover(w http.ResponseWriter, r *http.Request, p page.Recover, client store.ClientID, typed url.Values) {
	c := read(&p, typed)
	if len(p.Problems) > 0 {
		d.deps.Flow.Show(w, r, http.StatusOK, p)
		return
	}
	wait, err := d.deps.Tries.WaitProof(r, tries.Recovery)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if wait > 0 {
		p.WaitSeconds = int(wait.Seconds()) + 1
		d.deps.Flow.Show(w, r, http.StatusTooManyRequests, p)
		return
	}
	proof, err := d.prove(r.Context(), c)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	disconnected := false
	if proof.holds {
		disconnected, err = d.use(r.Context(), c, proof, client)
	}
	switch {
	case !proof.holds || errors.Is(err, store.ErrConsumed):
		d.refuse(r.Context(), proof, client)
		p.Failed = true
		d.deps.Flow.Show(w, r, http.StatusOK, p)
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
	default:
		d.deps.Flow.Show(w, r, http.StatusOK, page.Recovered{
			Shell: page.Shell{AppName: p.AppName, UILocales: p.UILocales, Self: p.SignInURL}, AppsDisconnected: disconnected, SignInURL: p.SignInURL,
		})
	}
}

// use uses the code up. What has ended is over in this process when the person sees it.
func (d *Door) use(ctx context.Context, c claim, proof proof, client store.ClientID) (disconnected bool, err error) {
	disconnected, err = d.deps.Store.Recover(ctx, store.RecoveryUse{
		CodeHash: proof.codeHash, UserID: proof.user.ID, Hash: proof.passwordHash, DisconnectApps: c.disconnect,
		Event: store.Event{At: d.deps.Now(), Kind: "recovery", Actor: string(proof.user.ID), ClientID: client, Patient: proof.user.OwnPatient(), Outcome: "ok"},
	})
	if err == nil {
		err = d.deps.Tries.Forget(ctx, proof.user.UsernameKey) // those at the old password
	}
	if err == nil {
		err = d.deps.Settle(ctx)
	}
	return disconnected, err
}

// refuse records a refusal, with the account whose code it was; empty when it was nobody's.
func (d *Door) refuse(ctx context.Context, p proof, client store.ClientID) {
	err := d.deps.Store.Record(ctx, store.Event{At: d.deps.Now(), Kind: "recovery.refused", Actor: string(p.issuedTo), ClientID: client, Outcome: "refused"})
	if err != nil {
		d.deps.Log.ErrorContext(ctx, "an event could not be recorded", "kind", "recovery.refused", "error", err)
	}
}
