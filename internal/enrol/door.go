package enrol

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// Store is what the door needs of the store.
type Store interface {
	TryInvitation(ctx context.Context, codeHash []byte, maxTries int) (store.Invitation, error)
	Enrol(ctx context.Context, codeHash []byte, u store.User) error
	UserByName(ctx context.Context, usernameKey string) (store.User, error)
	Record(ctx context.Context, e store.Event) error
}

// Accounts makes the parts of an account that need care.
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
	Sessions *session.Sessions
	Path     string
	// SecondPath is where who owes a second factor goes on.
	SecondPath string
	Tries      *tries.Tries
	NewID      func() string
	Now        func() time.Time
	Log        *slog.Logger
}

// Door answers the enrolment steps.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Accounts == nil || deps.Patients == nil || deps.Flow == nil || deps.Sessions == nil ||
		deps.Path == "" || deps.SecondPath == "" || deps.Tries == nil || deps.NewID == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("enrol: a part is missing")
	}
	return &Door{deps}, nil
}

// confirmed reports whether the first step was passed in this request.
func confirmed(s flow.Step) bool {
	return s.Request.EnrolPatient != "" && len(s.Request.EnrolCodeHash) > 0
}

// Show answers GET: the step that comes next.
func (d *Door) Show(w http.ResponseWriter, r *http.Request) {
	s, ok := d.deps.Flow.Open(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	if confirmed(s) {
		d.deps.Flow.Show(w, r, http.StatusOK, page.CreateCredentials{Shell: d.deps.Flow.Shell(s, d.deps.Path)})
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.Identify{Shell: d.deps.Flow.Shell(s, d.deps.Path)})
}

// Post answers the forms. Which step a form belongs to is decided by the facts of
// the request, never by what the form says.
func (d *Door) Post(w http.ResponseWriter, r *http.Request) {
	s, typed, ok := d.deps.Flow.Form(w, r, d.deps.Path)
	switch {
	case !ok:
	case typed.Get("action") == "cancel":
		d.deps.Flow.Refuse(w, r, s)
	case confirmed(s):
		d.create(w, r, s, typed)
	default:
		d.identify(w, r, s, typed)
	}
}

// identify is the first step: who are you?
func (d *Door) identify(w http.ResponseWriter, r *http.Request, s flow.Step, typed url.Values) {
	p, claim := read(typed)
	p.Shell = d.deps.Flow.Shell(s, d.deps.Path)
	if len(p.Problems) > 0 {
		d.deps.Flow.Show(w, r, http.StatusOK, p)
		return
	}
	wait, err := d.deps.Tries.WaitProof(r, tries.Invitation)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if wait > 0 {
		p.WaitSeconds = int(wait.Seconds()) + 1
		d.deps.Flow.Show(w, r, http.StatusTooManyRequests, p)
		return
	}
	patient, codeHash, ok, err := d.matches(r.Context(), claim)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if !ok {
		d.record(r.Context(), "enrol.refused", patient, "refused", s)
		p.Failed = true
		d.deps.Flow.Show(w, r, http.StatusOK, p)
		return
	}
	d.record(r.Context(), "enrol.confirmed", patient, "ok", s)
	s.Request.EnrolPatient, s.Request.EnrolCodeHash = patient, codeHash
	d.deps.Flow.SaveAndShow(w, r, s, d.deps.Path)
}

// create is the second step: the invitation is consumed and the account made in
// one transaction.
func (d *Door) create(w http.ResponseWriter, r *http.Request, s flow.Step, typed url.Values) {
	p := page.CreateCredentials{Shell: d.deps.Flow.Shell(s, d.deps.Path), Username: typed.Get("username")}
	password := typed.Get("password")
	key, err := d.deps.Accounts.UsernameKey(p.Username)
	if err != nil {
		p.Problems = append(p.Problems, page.FieldProblem{Field: "username", Message: "username-wrong"})
	}
	if problem := account.CheckPassword(password, p.Username); problem != "" {
		p.Problems = append(p.Problems, page.FieldProblem{Field: "password", Message: string(problem)})
	}
	if len(p.Problems) > 0 {
		d.deps.Flow.Show(w, r, http.StatusOK, p)
		return
	}
	user, err := d.account(r.Context(), s, p.Username, key, password)
	if err == nil {
		err = d.deps.Store.Enrol(r.Context(), s.Request.EnrolCodeHash, user)
	}
	switch {
	case errors.Is(err, store.ErrConflict):
		d.taken(w, r, s, p, key)
	case errors.Is(err, store.ErrConsumed):
		d.startAgain(w, r, s)
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
	default:
		d.enrolled(w, r, s, user)
	}
}

// taken tells that the name is in use; when it is not, it is the patient who has
// an account already, which is told like any other failure (LOGIN-07).
func (d *Door) taken(w http.ResponseWriter, r *http.Request, s flow.Step, p page.CreateCredentials, key string) {
	if _, err := d.deps.Store.UserByName(r.Context(), key); errors.Is(err, store.ErrNotFound) {
		d.startAgain(w, r, s)
		return
	}
	p.Problems = []page.FieldProblem{{Field: "username", Message: "username-taken"}}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

// startAgain takes back what was confirmed and shows the first step with its one
// text.
func (d *Door) startAgain(w http.ResponseWriter, r *http.Request, s flow.Step) {
	d.record(r.Context(), "enrol.refused", s.Request.EnrolPatient, "refused", s)
	s.Request.EnrolPatient, s.Request.EnrolCodeHash = "", nil
	if !d.deps.Flow.Keep(w, r, &s) {
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.Identify{Shell: d.deps.Flow.Shell(s, d.deps.Path), Failed: true})
}

func (d *Door) account(ctx context.Context, s flow.Step, username, key, password string) (store.User, error) {
	patient, err := d.deps.Patients.Patient(ctx, s.Request.EnrolPatient)
	if errors.Is(err, reach.ErrNotFound) {
		return store.User{}, store.ErrConsumed
	}
	if err != nil {
		return store.User{}, err
	}
	hash, err := d.deps.Accounts.HashPassword(ctx, password)
	return store.User{
		ID: store.UserID(d.deps.NewID()), Username: username, UsernameKey: key, Display: patient.Name, Role: store.RolePatient,
		FHIRUser: "Patient/" + patient.ID, PasswordHash: hash, CreatedAt: d.deps.Now().UTC(),
	}, err
}

// enrolled logs the new user in; the request goes on where it was.
func (d *Door) enrolled(w http.ResponseWriter, r *http.Request, s flow.Step, user store.User) {
	d.record(r.Context(), "enrol", s.Request.EnrolPatient, "ok", s)
	who, whole, err := d.deps.Sessions.Start(w, r, user, []string{session.Password})
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if !whole { // LOGIN-13: a second factor is required of patients
		d.deps.Flow.Redirect(w, d.deps.SecondPath+"?request="+url.QueryEscape(s.Handle))
		return
	}
	d.deps.Flow.Save(w, r, s, func(q *store.AuthorizationRequest) {
		flow.SetPerson(q, who)
	})
}

func (d *Door) record(ctx context.Context, kind, patient, outcome string, s flow.Step) {
	err := d.deps.Store.Record(ctx, store.Event{At: d.deps.Now(), Kind: kind, ClientID: s.Client.ID, Patient: patient, Outcome: outcome})
	if err != nil {
		d.deps.Log.ErrorContext(ctx, "an event could not be recorded", "kind", kind, "error", err)
	}
}

// CodeHash is what is kept of an invitation code: spelling does not matter, so
// that a code can be read off paper.
func CodeHash(code string) []byte { return oauth.Hash("invitation " + canonical(code)) }
