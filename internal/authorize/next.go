package authorize

import (
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// step is what comes next.
type step int

// The steps, in their order. The zero value is no step.
const (
	stepRefuse step = iota + 1
	stepLogin
	stepPatient
	stepEncounter
	stepConsent
	stepIssue
)

// facts are all that decides how a request goes on.
type facts struct {
	refused        bool // the person declined
	loggedIn       bool // somebody has, as recently as was asked
	launched       bool // from a chart, which says whom it is about
	stranger       bool // somebody else than the user whom the EHR has named
	needsPatient   bool // the scopes are about one patient
	patientSet     bool // that patient is known, and the user reaches them
	nobody         bool // the user reaches no patient at all
	needsEncounter bool // one of the patient's encounters is asked for
	encounterSet   bool // one was chosen, or none of them
	approved       bool // in this request, or before and not to be asked again
}

// next decides the step; it is the whole of the state machine.
func next(f facts) step {
	switch {
	case f.refused:
		return stepRefuse
	case !f.loggedIn:
		return stepLogin
	case f.stranger: // LOGIN-22
		return stepRefuse
	case f.launched && !f.patientSet: // the chart is not this user's
		return stepRefuse
	case f.needsPatient && !f.patientSet && f.nobody:
		return stepRefuse // ERR-17: no patient can be established
	case f.needsPatient && !f.patientSet:
		return stepPatient
	case f.needsEncounter && !f.encounterSet:
		return stepEncounter
	case !f.approved:
		return stepConsent
	}
	return stepIssue
}

// refusal is why there is nothing to go on with, for the app (ERR-15, ERR-17).
func (f facts) refusal() *oauth.Error {
	switch {
	case f.stranger:
		return oauth.New(oauth.AccessDenied, "The person who signed in is not the one who started the app in the EHR").Slugged(oauth.SlugLaunchOtherUser)
	case f.launched:
		return oauth.New(oauth.AccessDenied, "The person who signed in cannot open the chart that the app was started from").Slugged(oauth.SlugLaunchOutOfReach)
	}
	return oauth.New(oauth.AccessDenied, "There is no patient whose record could be shared").Slugged(oauth.SlugPersonWithoutPatient)
}

// place is a step with why, when it is a refusal.
type place struct {
	step     step
	refusal  *oauth.Error
	recalled bool // approved without asking: nobody has decided anything now
	// approval is what was remembered and has approved it; zero: something else has.
	approval store.RememberedConsent
}

// promptNone is the error when a page would be needed and none may be shown
// (OpenID Connect Core §3.1.2.6).
func (p place) promptNone() *oauth.Error {
	switch p.step {
	case stepLogin:
		return oauth.New(oauth.LoginRequired, "Nobody is signed in, or not recently enough").Slugged(oauth.SlugPromptLogin)
	case stepPatient:
		return oauth.New(oauth.InteractionRequired, "A patient has to be chosen").Slugged(oauth.SlugPromptInteraction)
	case stepEncounter:
		return oauth.New(oauth.InteractionRequired, "A visit has to be chosen").Slugged(oauth.SlugPromptInteraction)
	case stepConsent:
		return oauth.New(oauth.ConsentRequired, "The person has to approve the app").Slugged(oauth.SlugPromptConsent)
	}
	return oauth.New(oauth.InteractionRequired, "A page has to be shown").Slugged(oauth.SlugPromptInteraction)
}
