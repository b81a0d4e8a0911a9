package authorize

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Continue decides what comes next for a stored request; every step comes back
// here.
func (d *Door) Continue(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead { // the router sends it with GET
		nothingBegins(w)
		return
	}
	if r.URL.Query().Has("claim") {
		d.claim(w, r, r.URL.Query().Get("request"))
		return
	}
	s, ok := d.deps.Flow.Open(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	target, ok := ofRequest(s.Client, s.Request)
	if !ok {
		d.notRegisteredAnyMore(w, r)
		return
	}
	before := s.Request
	where, err := d.where(r, &s.Request, s.Client)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	inferred := s.Request.Patient != before.Patient || s.Request.Encounter != before.Encounter ||
		s.Request.EncounterSet != before.EncounterSet
	if inferred && where.step != stepIssue && !d.keep(w, r, s) {
		return
	}
	switch where.step {
	case stepRefuse:
		d.answerRefused(w, r, s, target, where)
	case stepLogin:
		d.goTo(w, d.deps.LoginPath, s)
	case stepPatient:
		d.goTo(w, d.deps.PatientPath, s)
	case stepEncounter:
		d.goTo(w, d.deps.EncounterPath, s)
	case stepConsent:
		d.goTo(w, d.deps.ApprovePath, s)
	case stepIssue:
		d.issue(w, r, target, s.Request, where.recalled)
	}
}

// unclaimed stands for the browser of a request that none has come for yet.
func unclaimed(handle string) []byte { return oauth.Hash("unclaimed " + handle) }

// claim makes a request that arrived without cookies this browser's. Whoever has
// the address can: it is worth no more than the link that the app could have
// shown, and the first one to come has it alone.
func (d *Door) claim(w http.ResponseWriter, r *http.Request, handle string) {
	err := d.deps.Store.ClaimRequest(r.Context(), oauth.Hash(handle), unclaimed(handle), d.deps.Sessions.Browser(w, r))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Continue(w, handle)
}

// keep writes what was inferred; false when a page was written.
func (d *Door) keep(w http.ResponseWriter, r *http.Request, s flow.Step) bool {
	err := d.deps.Store.SaveFacts(r.Context(), s.Request)
	switch {
	case errors.Is(err, store.ErrConflict): // another tab was faster: look again
		d.deps.Flow.Continue(w, s.Handle)
		return false
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
		return false
	}
	return true
}

func (d *Door) goTo(w http.ResponseWriter, path string, s flow.Step) {
	d.deps.Flow.Redirect(w, path+"?request="+url.QueryEscape(s.Handle))
}

// answerRefused marks the request as answered, keeps the decision, and tells the
// app (ERR-16).
func (d *Door) answerRefused(w http.ResponseWriter, r *http.Request, s flow.Step, target redirectable, where place) {
	var decision *store.ConsentDecision
	stands, err := d.deps.Flow.SessionStands(r, s.Request)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	// Anybody at the browser can cancel, only the person decides; and what could not
	// be was nobody's decision.
	if stands && s.Request.Refused != "" {
		decision = d.decision(s.Request, nil, "")
	}
	err = d.deps.Store.AnswerRequest(r.Context(), s.Request.HandleHash, decision)
	if errors.Is(err, store.ErrConsumed) {
		d.deps.Flow.Error(w, r, page.Error{Shell: page.Shell{AppName: s.Client.Name}, Title: "answered", Slug: oauth.SlugRequestAnswered}, http.StatusBadRequest)
		return
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.refuse(w, r, target, where.refusal)
}
