package manage

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// Store is what the door needs of the store.
type Store interface {
	User(ctx context.Context, id store.UserID) (store.User, error)
	LivingGrants(ctx context.Context, q store.SharingQuery) ([]store.SharedGrant, error)
	StoppedGrants(ctx context.Context, q store.SharingQuery, since time.Time) ([]store.SharedGrant, error)
	StopSharing(ctx context.Context, s store.Sharing, reason, actor string) (int, error)
	Revoke(ctx context.Context, r store.Revocation) (int, error)
	ListSessions(ctx context.Context, id store.UserID, limit int) ([]store.Session, error)
	EndUserSessions(ctx context.Context, id store.UserID, keep []byte, reason string) error
	ChangePassword(ctx context.Context, c store.PasswordChange) error
	Factor(ctx context.Context, id store.UserID) (store.Factor, error)
	ChangeFactor(ctx context.Context, c store.FactorChange) error
	RenewBackupCodes(ctx context.Context, id store.UserID, hashes [][]byte, e store.Event) error
	OpenEmergencies(ctx context.Context, user store.UserID) ([]store.Emergency, error)
	EndEmergency(ctx context.Context, e store.EmergencyEnd) error
	Record(ctx context.Context, e store.Event) error
}

// Accounts does the work that passwords need.
type Accounts interface {
	Verify(ctx context.Context, password, encoded string) (bool, error)
	HashPassword(ctx context.Context, password string) (string, error)
}

// Deps are the parts that the door needs; all are required but Sandbox, Emergencies and Sensitive.
type Deps struct {
	Store    Store
	Ledger   Ledger
	Accounts Accounts
	Factors  *factor.Factors
	Tries    *tries.Tries
	Flow     *flow.Flow
	Sessions *session.Sessions
	Client   func(id store.ClientID) (store.Client, bool)
	// Person returns an enabled user with the patients they reach now.
	Person  func(ctx context.Context, id store.UserID) (store.User, reach.Whom, error)
	Patient func(ctx context.Context, id string) (reach.Patient, error)
	// FlushUses writes which grants were used lately, so that the page shows it.
	FlushUses func(ctx context.Context) error
	// Settle makes this process see what the store has just ended.
	Settle     func(ctx context.Context) error
	LoginPath  string
	LogoutPath string
	AccessLife time.Duration // of an access token
	Sandbox    bool          // every app is a test app
	// Emergencies: records are opened in an emergency here.
	Emergencies bool
	// Sensitive are the words of a category of sensitive content that patients read, in a
	// language; empty: they do not. Nil: there are no categories.
	Sensitive func(category, language string) string
	Now       func() time.Time
	Log       *slog.Logger
}

// Door answers the management endpoint.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Store == nil || deps.Ledger == nil || deps.Accounts == nil || deps.Factors == nil || deps.Tries == nil || deps.Flow == nil || deps.Sessions == nil || deps.Client == nil ||
		deps.Person == nil || deps.Patient == nil || deps.FlushUses == nil || deps.Settle == nil || deps.LoginPath == "" ||
		deps.LogoutPath == "" || deps.AccessLife <= 0 || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("manage: a part is missing")
	}
	return &Door{deps}, nil
}

// signedIn returns the person at the browser, who has signed in recently enough for a
// place. Without one the browser goes to where they sign in, from where it comes back,
// and ok is false.
func (d *Door) signedIn(w http.ResponseWriter, r *http.Request, p flow.Place) (who session.Authenticated, ok bool) {
	who, live, err := d.deps.Sessions.Current(r)
	switch {
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
		return who, false
	case !live || !p.Admits(who, d.deps.Now()):
		d.deps.Flow.Redirect(w, d.deps.LoginPath+"?request="+url.QueryEscape(p.Handle))
		return who, false
	}
	return who, true
}

// form reads a form of the person's own pages, of somebody who has signed in recently
// enough. Order: one of another site is refused before anybody is sent to sign in.
func (d *Door) form(w http.ResponseWriter, r *http.Request, path string, p flow.Place) (who session.Authenticated, typed url.Values, ok bool) {
	if _, ok = d.deps.Flow.Typed(w, r); !ok {
		return who, nil, false
	}
	if who, ok = d.signedIn(w, r, p); !ok {
		return who, nil, false
	}
	typed, ok = d.deps.Flow.OwnForm(w, r, path, who)
	return who, typed, ok
}

func (d *Door) record(ctx context.Context, kind string, who session.Authenticated, outcome string) {
	err := d.deps.Store.Record(ctx, store.Event{At: d.deps.Now(), Kind: kind, Actor: string(who.UserID()), Outcome: outcome})
	if err != nil {
		d.deps.Log.ErrorContext(ctx, "an event could not be recorded", "kind", kind, "error", err)
	}
}
