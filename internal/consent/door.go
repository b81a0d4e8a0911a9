package consent

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/choice"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// Deps are the parts that the door needs; all are required but Sandbox.
type Deps struct {
	Remembered func(ctx context.Context, user store.UserID, client store.ClientID, patient string) (store.RememberedConsent, error)
	// Person returns an enabled user with the patients they reach now.
	Person   func(ctx context.Context, id store.UserID) (store.User, reach.Whom, error)
	Patient  func(ctx context.Context, id string) (reach.Patient, error)
	Flow     *flow.Flow
	Sessions *session.Sessions
	Path     string
	Sandbox  bool // every app is a test app
	Now      func() time.Time
}

// Door answers the approval step.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Remembered == nil || deps.Person == nil || deps.Patient == nil || deps.Flow == nil || deps.Sessions == nil ||
		deps.Path == "" || deps.Now == nil {
		return nil, errors.New("consent: a part is missing")
	}
	return &Door{deps}, nil
}

// Show answers GET.
func (d *Door) Show(w http.ResponseWriter, r *http.Request) {
	s, ok := d.deps.Flow.Open(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	if !d.deps.Flow.SignedIn(w, r, s) {
		return
	}
	p, err := d.page(r.Context(), s)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, reach.ErrNotFound) {
		d.deps.Flow.Continue(w, s.Handle) // who or whom is gone: told there
		return
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

func (d *Door) page(ctx context.Context, s flow.Step) (page.Approve, error) {
	q := s.Request
	user, reached, err := d.deps.Person(ctx, q.UserID)
	if err != nil {
		return page.Approve{}, err
	}
	before, err := d.deps.Remembered(ctx, q.UserID, q.ClientID, q.Patient)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return page.Approve{}, err
	}
	p := d.asked(q, s.Client, before)
	p.Shell, p.UserName = d.deps.Flow.Shell(s, d.deps.Path), user.Display
	if q.Patient == "" {
		return p, nil
	}
	if !reached.Contains(q.Patient) {
		return p, reach.ErrNotFound
	}
	patient, err := d.deps.Patient(ctx, q.Patient)
	p.HasPatient = true
	p.Patient = page.Person{ID: patient.ID, Name: patient.Name, Self: user.FHIRUser == "Patient/"+patient.ID}
	return p, err
}

// asked is what the page says of the app and of what it asks for.
func (d *Door) asked(q store.AuthorizationRequest, c store.Client, before store.RememberedConsent) page.Approve {
	asked := smart.NewScopeSet(q.Scopes)
	p := page.Approve{
		App: d.app(c, q.RedirectURI), Identity: asked.Has(smart.OpenID), Offline: offline(q, c, before, d.deps.Now()), Online: online(q, before),
		CanRemember: flow.MaySkipApproval(c, q.RedirectURI),
		Wildcard:    slices.ContainsFunc(asked.Clinical(), func(s smart.Scope) bool { return s.Type() == smart.AnyType }),
	}
	p.Read, p.Write = choice.Of(q.Scopes).Rows(before)
	return p
}

func (d *Door) app(c store.Client, redirectURI string) page.App {
	a := choice.App(c, d.deps.Sandbox)
	if redirectURI != store.OutOfBand {
		a.Host = flow.Host(redirectURI)
	}
	return a
}

// Post answers the form: allow, deny, or another person.
func (d *Door) Post(w http.ResponseWriter, r *http.Request) {
	s, typed, ok := d.deps.Flow.Form(w, r, d.deps.Path)
	if !ok {
		return
	}
	if !d.deps.Flow.SignedIn(w, r, s) {
		return
	}
	switch typed.Get("decision") {
	case "allow":
		d.allow(w, r, s, typed)
	case "switch":
		d.switchUser(w, r, s)
	case "deny":
		d.deps.Flow.Refuse(w, r, s)
	default: // Enter in the form decides nothing
		d.deps.Flow.Redirect(w, d.deps.Path+"?request="+url.QueryEscape(s.Handle))
	}
}

// allow writes what was ticked. Nothing ticked is a refusal (CONS-10).
func (d *Door) allow(w http.ResponseWriter, r *http.Request, s flow.Step, typed url.Values) {
	ticked := typed["scope"]
	choices := choice.Of(s.Request.Scopes)
	approved := choices.Approved(ticked)
	if !choices.None() && len(approved) == 0 {
		d.deps.Flow.Refuse(w, r, s)
		return
	}
	for _, name := range smart.NewScopeSet(s.Request.Scopes).Strings() {
		switch name {
		case smart.OpenID, smart.FHIRUser, smart.Profile, smart.Launch, smart.LaunchPatient, smart.LaunchEncounter:
			approved = append(approved, name)
		case smart.OfflineAccess, smart.OnlineAccess:
			if slices.Contains(ticked, name) {
				approved = append(approved, name)
			}
		}
	}
	d.deps.Flow.Save(w, r, s, func(q *store.AuthorizationRequest) {
		q.Approved, q.ApprovedSet = inOrder(approved, q.Scopes), true
		q.Remember = typed.Get("remember") == "yes" && flow.MaySkipApproval(s.Client, q.RedirectURI)
		if s.Client.RefreshLife == 0 {
			q.RefreshLife = lifeOf(typed.Get("duration"))
		}
	})
}

// inOrder puts what was granted literally into the order in which it was asked
// for, and what is new behind it.
func inOrder(approved, asked []string) []string {
	var list []string
	for _, s := range asked {
		if slices.Contains(approved, s) {
			list = append(list, s)
		}
	}
	for _, s := range approved {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// switchUser signs the person out and asks who it is.
func (d *Door) switchUser(w http.ResponseWriter, r *http.Request, s flow.Step) {
	if err := d.deps.Sessions.End(w, r, "another person takes over"); err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Save(w, r, s, func(q *store.AuthorizationRequest) {
		flow.SetPerson(q, session.Authenticated{})
	})
}
