package launch

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// seek adds to a page that has found nobody whom the user reaches who else it can be, where
// they may open records in an emergency. Whom it shows stands in the request, so that no id
// of a form opens anything else. ok is false when a page was written.
func (d *Door) seek(w http.ResponseWriter, r *http.Request, s *flow.Step, user store.User, p *page.ChoosePatient) (ok bool) {
	found, wait, err := d.deps.Emergency.Look(r.Context(), user, s.Client.ID, reach.Search{Name: p.Query, BirthDate: p.BirthDate, RecordNumber: p.RecordNumber})
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return false
	}
	if wait > 0 {
		p.WaitSeconds = int(wait.Seconds()) + 1
		return true
	}
	if len(found) == 0 {
		return true
	}
	s.Request.Sought = nil
	for _, one := range found {
		s.Request.Sought = append(s.Request.Sought, one.ID)
	}
	p.Emergency = d.lines(found)
	return d.deps.Flow.Keep(w, r, s)
}

// toEmergency goes to the page that opens the record of one of those whom the search has
// shown.
func (d *Door) toEmergency(w http.ResponseWriter, r *http.Request, s flow.Step, chosen []string) {
	if len(chosen) != 1 || !slices.Contains(s.Request.Sought, chosen[0]) {
		d.deps.Flow.Redirect(w, d.deps.Path+"?request="+url.QueryEscape(s.Handle))
		return
	}
	s.Request.Sought = chosen
	d.deps.Flow.SaveAndShow(w, r, s, d.deps.EmergencyPath)
}

// sought is who has logged in and may open records in an emergency, after they have chosen
// whose; until then the request goes back.
func (d *Door) sought(w http.ResponseWriter, r *http.Request, s flow.Step) (user store.User, reached bool, ok bool) {
	user, whom, ok := d.user(w, r, s)
	if !ok {
		return user, false, false
	}
	may, err := d.deps.Emergency.May(r.Context(), user)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return user, false, false
	}
	if !may || len(s.Request.Sought) != 1 {
		d.deps.Flow.Continue(w, s.Handle)
		return user, false, false
	}
	return user, whom.Contains(s.Request.Sought[0]), true
}

// ShowEmergency asks why, for how long, and for the password.
func (d *Door) ShowEmergency(w http.ResponseWriter, r *http.Request) {
	s, ok := d.deps.Flow.Open(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	if user, _, ok := d.sought(w, r, s); ok {
		d.showEmergency(w, r, s, user, emergency.Stated{Minutes: d.deps.Emergency.Usual()}, emergency.Answer{})
	}
}

// PostEmergency opens the record and goes on with it. What another tab has opened meanwhile
// is open.
func (d *Door) PostEmergency(w http.ResponseWriter, r *http.Request) {
	s, typed, ok := d.deps.Flow.Form(w, r, d.deps.EmergencyPath)
	if !ok {
		return
	}
	if typed.Get("action") == "cancel" {
		d.deps.Flow.Refuse(w, r, s)
		return
	}
	user, reached, ok := d.sought(w, r, s)
	if !ok {
		return
	}
	if typed.Get("action") != "open" {
		d.deps.Flow.Redirect(w, d.deps.Path+"?request="+url.QueryEscape(s.Handle))
		return
	}
	patient := s.Request.Sought[0]
	if !reached {
		stated := emergency.Stated{Reason: typed.Get(emergency.FieldReason), Words: typed.Get(emergency.FieldWords), Minutes: typed.Get(emergency.FieldMinutes)}
		answer, err := d.deps.Emergency.Open(r, user, emergency.Wish{
			App: s.Client.ID, Patient: patient, Stated: stated, Password: typed.Get(emergency.FieldPassword),
		})
		if err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
		if !answer.Done() {
			d.showEmergency(w, r, s, user, stated, answer)
			return
		}
	}
	d.deps.Flow.Save(w, r, s, func(q *store.AuthorizationRequest) {
		flow.SetPatient(q, patient)
	})
}

func (d *Door) showEmergency(w http.ResponseWriter, r *http.Request, s flow.Step, user store.User, stated emergency.Stated, a emergency.Answer) {
	patient, err := d.deps.Patients.Patient(r.Context(), s.Request.Sought[0])
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	patient.RecordNumber = "" // no more than the search has told
	p := page.Emergency{
		Shell: d.deps.Flow.Shell(s, d.deps.EmergencyPath), Patient: d.lines([]reach.Patient{patient})[0], Username: user.Username,
		Reasons: emergency.Reasons(), Reason: stated.Reason, Words: stated.Words, Lengths: d.deps.Emergency.Lengths(), Minutes: stated.Minutes,
	}
	for _, problem := range a.Problems {
		p.Problems = append(p.Problems, page.FieldProblem{Field: problem.Field, Message: problem.Message})
	}
	status := http.StatusOK
	if a.Wait > 0 {
		p.WaitSeconds, status = int(a.Wait.Seconds())+1, http.StatusTooManyRequests
	}
	d.deps.Flow.Show(w, r, status, p)
}
