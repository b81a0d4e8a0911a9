package emergency

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

// Kinds of events.
const (
	KindOpened  = "emergency.opened"
	KindEnded   = "emergency.ended"
	KindRefused = "emergency.refused" // the password was wrong
	KindLooked  = "emergency.looked"  // who somebody is was asked, and perhaps told
)

// How often a person may do it.
const (
	looks, looksWindow       = 20, 10 * time.Minute
	openings, openingsWindow = 20, time.Hour
)

// Store is what the desk needs of the store.
type Store interface {
	OpenEmergency(ctx context.Context, o store.OpenedFor) (store.Emergency, error)
	Count(ctx context.Context, key string, window time.Duration) (n int, until time.Time, err error)
	Record(ctx context.Context, e store.Event) error
}

// Deps are the parts that a Desk needs; all but HoldsRole and Opened are required.
type Deps struct {
	Store     Store
	Directory func(ctx context.Context, u store.User, s reach.Search) ([]reach.Patient, error)
	// HoldsRole reports whether somebody has a role that may; nil: every practitioner may.
	HoldsRole func(ctx context.Context, u store.User) (bool, error)
	Verify    func(ctx context.Context, password, encoded string) (bool, error)
	Tries     *tries.Tries
	// Settle makes this process see what was opened.
	Settle func(ctx context.Context) error
	// Longest is how long a record may be open.
	Longest time.Duration
	// Opened counts; nil: nobody does.
	Opened func()
	NewID  func() string
	Now    func() time.Time
	Log    *slog.Logger
}

// Desk is where records are opened in an emergency. A nil Desk opens nothing, and nobody
// may.
type Desk struct{ deps Deps }

// New makes it; it refuses missing parts.
func New(deps Deps) (*Desk, error) {
	if deps.Store == nil || deps.Directory == nil || deps.Verify == nil || deps.Tries == nil || deps.Settle == nil || deps.Longest < Shortest ||
		deps.NewID == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("emergency: a part is missing")
	}
	return &Desk{deps}, nil
}

// May reports whether somebody may open records in an emergency.
func (d *Desk) May(ctx context.Context, u store.User) (bool, error) {
	switch {
	case d == nil || u.Role != store.RolePractitioner || u.Disabled:
		return false, nil
	case d.deps.HoldsRole == nil:
		return true, nil
	}
	return d.deps.HoldsRole(ctx, u)
}

// Look finds who it is that an exact search means and the user does not reach. Order: it is
// counted before anybody looks, and recorded before anything is told, of each person. wait:
// they have looked too often, and nobody did.
func (d *Desk) Look(ctx context.Context, u store.User, app store.ClientID, s reach.Search) (found []reach.Patient, wait time.Duration, err error) {
	may, err := d.May(ctx, u)
	if err != nil || !may || !s.Exact() {
		return nil, 0, err
	}
	if wait, err = d.count(ctx, "emergency look "+string(u.ID), looks, looksWindow); err != nil || wait > 0 {
		return nil, wait, err
	}
	if found, err = d.deps.Directory(ctx, u, s); err != nil {
		return nil, 0, err
	}
	if len(found) == 0 {
		return nil, 0, d.record(ctx, KindLooked, u, app, "", "refused")
	}
	for _, p := range found {
		if err := d.record(ctx, KindLooked, u, app, p.ID, "ok"); err != nil {
			return nil, 0, err
		}
	}
	return found, 0, nil
}

func (d *Desk) count(ctx context.Context, key string, most int, window time.Duration) (wait time.Duration, err error) {
	n, until, err := d.deps.Store.Count(ctx, key, window)
	if err != nil || n <= most {
		return 0, err
	}
	return max(time.Second, until.Sub(d.deps.Now())), nil
}

func (d *Desk) record(ctx context.Context, kind string, u store.User, app store.ClientID, patient, outcome string) error {
	return d.deps.Store.Record(ctx, store.Event{At: d.deps.Now(), Kind: kind, Actor: string(u.ID), ClientID: app, Patient: patient, Outcome: outcome})
}

// Wish is what somebody asks for.
type Wish struct {
	App     store.ClientID
	Patient string // whom Look has told
	Stated
	Password string
}

// Answer is what became of it: opened, or why not.
type Answer struct {
	Opened   store.Emergency
	Problems []Problem
	Wait     time.Duration
}

// Done reports whether the record is open.
func (a Answer) Done() bool { return a.Opened.ID != "" }

// ErrMayNot: they may not open records in an emergency.
var ErrMayNot = errors.New("emergency: this user may not")

// Open opens the record. Order: what is missing is said before a password is looked at; a
// try is counted before it is verified, in the budget of sign-in, so that a stolen session is
// no second one (LG-03).
func (d *Desk) Open(r *http.Request, u store.User, w Wish) (a Answer, err error) {
	ctx := r.Context()
	if may, err := d.May(ctx, u); err != nil || !may || w.Patient == "" {
		return a, errors.Join(err, ErrMayNot)
	}
	reason, life, problems := w.Stated.check(d.deps.Longest)
	if len(problems) > 0 {
		return Answer{Problems: problems}, nil
	}
	if a.Wait, err = d.deps.Tries.Wait(r, u.Username); err != nil || a.Wait > 0 {
		return a, err
	}
	right, err := d.deps.Verify(ctx, w.Password, u.PasswordHash)
	if err != nil {
		return a, err
	}
	if !right {
		a.Problems = []Problem{{FieldPassword, "password-wrong"}}
		return a, d.record(ctx, KindRefused, u, w.App, w.Patient, "refused")
	}
	if err := d.deps.Tries.Forget(ctx, u.UsernameKey); err != nil {
		return a, err
	}
	if a.Wait, err = d.count(ctx, "emergency open "+string(u.ID), openings, openingsWindow); err != nil || a.Wait > 0 {
		return a, err
	}
	a.Opened, err = d.open(ctx, u, w, reason, life)
	return a, err
}

func (d *Desk) open(ctx context.Context, u store.User, w Wish, reason string, life time.Duration) (store.Emergency, error) {
	opened, err := d.deps.Store.OpenEmergency(ctx, store.OpenedFor{
		Emergency: store.Emergency{ID: d.deps.NewID(), UserID: u.ID, Patient: w.Patient, Reason: reason, ClientID: w.App}, Life: life,
		Event: store.Event{At: d.deps.Now(), Kind: KindOpened, Actor: string(u.ID), ClientID: w.App, Patient: w.Patient, Outcome: "ok", Detail: reason},
	})
	if err != nil {
		return store.Emergency{}, err
	}
	// For whoever watches the log; whose record it is stands in the security record.
	d.deps.Log.WarnContext(ctx, "a record was opened in an emergency", "emergency", opened.ID, "user", string(u.ID), "app", string(w.App), "until", opened.EndsAt)
	if d.deps.Opened != nil {
		d.deps.Opened()
	}
	return opened, d.deps.Settle(ctx)
}
