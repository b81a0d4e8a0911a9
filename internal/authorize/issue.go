package authorize

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// issue makes the grant with its code and answers the app; a request that was
// stored is answered with it. Only what the person has just decided is kept as
// their decision (CONS-14, CONS-24).
func (d *Door) issue(w http.ResponseWriter, r *http.Request, target redirectable, q store.AuthorizationRequest, recalled bool) {
	if grant, ok := d.granting(w, r, target, q); ok {
		d.issueFor(w, r, target, q, grant, recalled)
	}
}

// granting is what will be given; when nothing can be, the app is told, and ok is
// false. Order: what could not be recorded is not begun.
func (d *Door) granting(w http.ResponseWriter, r *http.Request, target redirectable, q store.AuthorizationRequest) (g store.Grant, ok bool) {
	user, _, err := d.deps.Person(r.Context(), q.UserID)
	if err != nil {
		d.fail(w, r, target, err)
		return store.Grant{}, false
	}
	scopes := d.granted(q, target.client)
	if len(scopes) == 0 {
		d.refuse(w, r, target, oauth.New(oauth.AccessDenied, "Nothing was approved").Slugged(oauth.SlugPersonApprovedNothing))
		return store.Grant{}, false
	}
	if err := d.ready(); err != nil {
		d.fail(w, r, target, err)
		return store.Grant{}, false
	}
	return d.grant(q, target.client, user, scopes), true
}

func (d *Door) issueFor(w http.ResponseWriter, r *http.Request, target redirectable, q store.AuthorizationRequest, grant store.Grant, recalled bool) {
	code := oauth.RandomToken("ac_")
	i := store.Issue{
		Grant:             grant,
		Code:              store.AuthorizationCode{Hash: oauth.Hash(code), RedirectURI: q.RedirectURI, CodeChallenge: q.CodeChallenge, Life: d.deps.CodeLife},
		RequestHandleHash: q.HandleHash,
	}
	if has(grant.Scopes, smart.OpenID) { // the ID token will name the session
		i.IDSessionHash = q.SessionHash
	}
	if !recalled {
		i.Decision = d.decision(q, grant.Scopes, string(grant.ID))
		i.Remember = remember(q, grant.Scopes, d.deps.Now())
	}
	err := d.deps.Store.IssueCode(r.Context(), i)
	switch {
	case errors.Is(err, store.ErrConsumed): // AUTHZ-30: the other tab has the code
		d.deps.Flow.Error(w, r, page.Error{Shell: page.Shell{AppName: target.client.Name}, Title: "answered", Slug: oauth.SlugRequestAnswered}, http.StatusBadRequest)
	case errors.Is(err, store.ErrRevoked): // signed out at this moment
		d.refuse(w, r, target, oauth.New(oauth.LoginRequired, "The person has signed out meanwhile").Slugged(oauth.SlugPersonSignedOut))
	case err != nil:
		d.fail(w, r, target, err)
	default:
		d.give(w, r, target, q, grant, code, recalled)
	}
}

// give records the code and hands it over, to the app or on a page.
func (d *Door) give(w http.ResponseWriter, r *http.Request, target redirectable, q store.AuthorizationRequest, grant store.Grant, code string, recalled bool) {
	d.recordCode(r, grant, recalled)
	if target.outOfBand() {
		d.deps.Flow.Show(w, r, http.StatusOK, page.Code{
			Shell: page.Shell{AppName: target.client.Name, UILocales: q.UILocales},
			Code:  code, ExpiresAt: d.deps.Now().Add(d.deps.CodeLife),
		})
		return
	}
	d.answer(w, r, target, url.Values{"code": {code}})
}

// granted is what the grant may hold: approved, within what was asked for and what
// the client may ask for at this moment, and patient/ scopes only with a patient
// (SCOPE-20).
func (d *Door) granted(q store.AuthorizationRequest, client store.Client) []string {
	asked := d.grantable(smart.NewScopeSet(q.Scopes), client)
	set := smart.NewScopeSet(q.Approved).Without(func(text string) bool {
		scope, err := smart.ParseScope(text)
		if err != nil {
			return !asked.Has(text) || withoutContext(text, q)
		}
		return !asked.Covers(scope) || scope.Level() == smart.LevelPatient && q.Patient == ""
	})
	if reachesNothing(set) {
		return nil // a grant that reaches nothing is none (SCOPE-44)
	}
	return set.Strings()
}

// withoutContext reports whether a scope asks for context that there is none of.
func withoutContext(text string, q store.AuthorizationRequest) bool {
	switch text {
	case smart.Launch:
		return q.LaunchContext == ""
	case smart.LaunchPatient:
		return q.Patient == ""
	case smart.LaunchEncounter:
		return q.Encounter == ""
	}
	return false
}

func (d *Door) grant(q store.AuthorizationRequest, client store.Client, user store.User, scopes []string) store.Grant {
	g := store.Grant{
		ID: store.NewGrantID(d.deps.Now()), ClientID: client.ID, UserID: user.ID, Username: user.Username,
		FHIRUser: user.FHIRUser, Patient: q.Patient, Encounter: q.Encounter, Scopes: scopes, Audience: q.Audience,
		Nonce: q.Nonce, AuthTime: q.AuthTime, AMR: q.AMR,
	}
	set := smart.NewScopeSet(scopes)
	if set.Has(smart.Launch) { // CTX-08, CTX-09: all that the EHR has said
		g.LaunchContext = q.LaunchContext
	} else if !set.Has(smart.LaunchPatient) && !set.Has(smart.LaunchEncounter) && !set.HasLevel(smart.LevelPatient) {
		g.Patient, g.Encounter = "", "" // nobody asked for a patient in context
	}
	if client.DPoPBound { // as it is registered now: nobody else shows a key
		g.KeyThumbprint = q.DPoPKey
	}
	g.Refresh = d.refreshPolicy(q, client, set)
	if g.Refresh.Kind == store.RefreshOnline {
		g.SessionHash = q.SessionHash
	}
	return g
}

// refreshPolicy fixes the family of refresh tokens (RT-01, RT-02, RT-14 to RT-21).
func (d *Door) refreshPolicy(q store.AuthorizationRequest, client store.Client, set smart.ScopeSet) store.RefreshPolicy {
	if !client.HasGrantType(oauth.GrantRefreshToken) {
		return store.RefreshPolicy{}
	}
	p := store.RefreshPolicy{Idle: d.deps.RefreshIdle, Rotate: client.Public() || !client.KeepRefreshToken}
	if client.RefreshLife > 0 {
		p.Idle = client.RefreshLife
	}
	switch {
	case set.Has(smart.OfflineAccess):
		p.Kind = store.RefreshOffline
		if q.RefreshLife > 0 { // the person chose how long
			p.Idle = q.RefreshLife
			if q.RefreshLife <= oneDay {
				p.Absolute = q.RefreshLife
			}
		}
	case set.Has(smart.OnlineAccess):
		p.Kind = store.RefreshOnline
	default:
		return store.RefreshPolicy{}
	}
	return p
}

const oneDay = 24 * time.Hour

// textVersion names the words of the approval page, for the record (CONS-24).
const textVersion = "2026-11"

// decision is what is kept of a person's answer, for ever.
func (d *Door) decision(q store.AuthorizationRequest, approved []string, grantID string) *store.ConsentDecision {
	return &store.ConsentDecision{
		ID: d.deps.NewID(), At: d.deps.Now().UTC(), UserID: q.UserID, ClientID: q.ClientID, Patient: q.Patient,
		Requested: q.Scopes, Approved: approved, Allowed: len(approved) > 0, TextVersion: textVersion, Language: q.UILocales, GrantID: grantID,
	}
}

func remember(q store.AuthorizationRequest, approved []string, now time.Time) *store.RememberedConsent {
	return &store.RememberedConsent{
		UserID: q.UserID, ClientID: q.ClientID, Patient: q.Patient, Requested: q.Scopes, Approved: approved,
		Audience: q.Audience, RedirectHost: flow.Host(q.RedirectURI), DoNotAsk: q.Remember, RefreshLife: q.RefreshLife,
		DecidedAt: now.UTC(),
	}
}
