package authorize

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// adopt takes over a session that exists and reports whether it did: not when the
// request asks to log in or to choose an account, or hints at somebody else
// (AUTHZ-39, AUTHZ-45).
func (d *Door) adopt(r *http.Request, q *store.AuthorizationRequest) (session.Authenticated, bool, error) {
	if has(q.Prompt, "login") || has(q.Prompt, "select_account") {
		return session.Authenticated{}, false, nil
	}
	who, live, err := d.deps.Sessions.Current(r)
	if err != nil || !live || !fits(who, *q) {
		return session.Authenticated{}, false, err
	}
	flow.SetPerson(q, who)
	return who, true, nil
}

// fits reports whether who is signed in is whom the request is for, recently enough.
func fits(who session.Authenticated, q store.AuthorizationRequest) bool {
	switch {
	case q.LaunchUser != "" && who.UserID() != q.LaunchUser: // LOGIN-22: they may sign in now
		return false
	case q.HintedUser != "" && who.UserID() != q.HintedUser:
		return false
	}
	return q.MaxAge < 0 || q.CreatedAt.Sub(who.AuthTime()) <= time.Duration(q.MaxAge)*time.Second
}

// where gathers the facts of a request and decides the step. What can be inferred
// is written into q: the chart of an EHR launch, the only patient, that there is no
// visit to choose, and an approval that is remembered.
func (d *Door) where(r *http.Request, q *store.AuthorizationRequest, client store.Client) (place, error) {
	live, err := d.deps.Flow.SessionStands(r, *q)
	if err != nil {
		return place{}, err
	}
	return d.whereFor(r, q, client, live)
}

// whereFor is where, when it is known whether the person is in this browser (live).
func (d *Door) whereFor(r *http.Request, q *store.AuthorizationRequest, client store.Client, live bool) (place, error) {
	f := facts{refused: q.Refused != ""}
	if f.refused {
		return place{step: stepRefuse, refusal: oauth.New(oauth.Code(q.Refused), "The person declined, or nothing could be shared").Slugged(oauth.SlugPersonDeclined)}, nil
	}
	if !live {
		return place{step: next(f)}, nil
	}
	user, reached, err := d.deps.Person(r.Context(), q.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return place{step: next(f)}, nil
	}
	if err != nil {
		return place{}, err
	}
	f.loggedIn = true
	if err := about(q, user, reached, &f); err != nil {
		return place{}, err
	}
	if f.nobody && d.deps.MayOpen != nil { // they may look for somebody in an emergency
		may, err := d.deps.MayOpen(r.Context(), user)
		if err != nil {
			return place{}, err
		}
		f.nobody = !may
	}
	if next(f) == stepEncounter {
		if err := d.withoutVisits(r, q, user, &f); err != nil {
			return place{}, err
		}
	}
	asked := q.ApprovedSet
	var approval store.RememberedConsent
	if next(f) == stepConsent {
		if approval, err = d.recall(r, q, client, user); err != nil {
			return place{}, err
		}
	}
	f.approved = q.ApprovedSet
	p := place{step: next(f), recalled: q.ApprovedSet && !asked, approval: approval}
	if p.step == stepRefuse {
		p.refusal = f.refusal()
	}
	return p, nil
}

// about finds whom the request is about: in an EHR launch the chart that is open
// there, whatever a form has said; else the only one there is, or a choice.
func about(q *store.AuthorizationRequest, user store.User, reached reach.Whom, f *facts) error {
	chart, launched, err := chartOf(*q)
	if err != nil {
		return err
	}
	scopes := smart.NewScopeSet(q.Scopes)
	f.launched, f.stranger = launched, q.LaunchUser != "" && q.LaunchUser != user.ID
	f.needsPatient = launched || scopes.Has(smart.LaunchPatient) || scopes.Has(smart.LaunchEncounter) || scopes.HasLevel(smart.LevelPatient)
	f.nobody = reached.IsNobody()
	switch {
	case launched && (q.Patient != chart.Patient || q.Encounter != chart.Encounter):
		flow.SetPatient(q, chart.Patient) // CTX-07: nobody is asked
		q.Encounter = chart.Encounter
	case f.needsPatient && q.Patient == "" && user.Role != store.RolePractitioner:
		q.Patient, _ = reached.Only() // CTX-11: the only one is inferred
	}
	f.patientSet = reached.Contains(q.Patient)
	f.needsEncounter, f.encounterSet = !launched && scopes.Has(smart.LaunchEncounter), q.EncounterSet
	return nil
}

// withoutVisits chooses none of them for who has none to choose from (CTX-12).
func (d *Door) withoutVisits(r *http.Request, q *store.AuthorizationRequest, user store.User, f *facts) error {
	some, err := d.deps.HasVisits(r.Context(), user, q.Patient)
	if err != nil || some {
		return err
	}
	q.Encounter, q.EncounterSet = "", true
	f.encounterSet = true
	return nil
}

// recall approves without asking when that is allowed: an app that the
// organisation has approved for clinicians (CONS-22), or a person's choice not to
// be asked again for the same app, the same place and no more than before
// (CONS-14 to CONS-16), which is returned.
func (d *Door) recall(r *http.Request, q *store.AuthorizationRequest, client store.Client, user store.User) (store.RememberedConsent, error) {
	var none store.RememberedConsent
	if q.ApprovedSet || has(q.Prompt, "consent") {
		return none, nil
	}
	if client.Preapproved && user.Role == store.RolePractitioner {
		q.Approved, q.ApprovedSet = q.Scopes, true
		return none, nil
	}
	if !flow.MaySkipApproval(client, q.RedirectURI) {
		return none, nil
	}
	before, err := d.deps.Store.Remembered(r.Context(), user.ID, client.ID, q.Patient)
	if errors.Is(err, store.ErrNotFound) {
		return none, nil
	}
	if err != nil || !covers(before, *q) {
		return none, err
	}
	approved := remembered(q.Scopes, before)
	if len(approved) == 0 {
		return none, nil
	}
	q.Approved, q.ApprovedSet, q.RefreshLife = approved, true, before.RefreshLife
	return before, nil
}

// covers reports whether a person chose not to be asked about such a request again.
func covers(before store.RememberedConsent, q store.AuthorizationRequest) bool {
	return before.DoNotAsk && before.Audience == q.Audience && before.RedirectHost == flow.Host(q.RedirectURI) && within(q.Scopes, before.Requested)
}

// within reports whether everything asked for was asked for before.
func within(asked, before []string) bool {
	for _, s := range asked {
		if !slices.Contains(before, s) {
			return false
		}
	}
	return true
}

// remembered is what was approved before of what is asked. A reduced
// choice stays reduced (CONS-16): a scope counts when it was approved itself or
// lies inside of one that is asked for.
func remembered(asked []string, before store.RememberedConsent) []string {
	set := smart.NewScopeSet(asked)
	var kept []string
	for _, text := range before.Approved {
		scope, err := smart.ParseScope(text)
		if slices.Contains(asked, text) || err == nil && set.Covers(scope) {
			kept = append(kept, text)
		}
	}
	return kept
}
