package launch

import (
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// ShowEncounter answers GET of the encounter step. With nothing to choose from the
// request goes on: what decides what comes next knows that, and writes it.
func (d *Door) ShowEncounter(w http.ResponseWriter, r *http.Request) {
	s, ok := d.deps.Flow.Open(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	user, ok := d.chosen(w, r, s)
	if !ok {
		return
	}
	d.showEncounters(w, r, s, user, false)
}

// chosen is who has logged in, after they have chosen a patient within reach; until
// then the request goes back.
func (d *Door) chosen(w http.ResponseWriter, r *http.Request, s flow.Step) (store.User, bool) {
	user, reached, ok := d.user(w, r, s)
	if !ok {
		return user, false
	}
	if !reached.Contains(s.Request.Patient) {
		d.deps.Flow.Continue(w, s.Handle)
		return user, false
	}
	return user, true
}

// PostEncounter answers the form: one of this patient's encounters, none of them,
// or back to the app.
func (d *Door) PostEncounter(w http.ResponseWriter, r *http.Request) {
	s, typed, ok := d.deps.Flow.Form(w, r, d.deps.EncounterPath)
	if !ok {
		return
	}
	if typed.Get("action") == "cancel" {
		d.deps.Flow.Refuse(w, r, s)
		return
	}
	user, ok := d.chosen(w, r, s)
	if !ok {
		return
	}
	if len(typed["encounter"]) != 1 {
		d.showEncounters(w, r, s, user, true)
		return
	}
	id := typed.Get("encounter")
	if id != "" {
		// CTX-12: whatever id the form sends is looked up among this patient's.
		_, err := d.deps.Patients.Encounter(r.Context(), s.Request.Patient, id)
		if errors.Is(err, reach.ErrNotFound) {
			d.showEncounters(w, r, s, user, true)
			return
		}
		if err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
	}
	d.saveEncounter(w, r, s, id)
}

func (d *Door) saveEncounter(w http.ResponseWriter, r *http.Request, s flow.Step, id string) {
	d.deps.Flow.Save(w, r, s, func(q *store.AuthorizationRequest) {
		q.Encounter, q.EncounterSet = id, true
	})
}

func (d *Door) showEncounters(w http.ResponseWriter, r *http.Request, s flow.Step, user store.User, failed bool) {
	found, more, err := d.deps.Patients.Encounters(r.Context(), user, s.Request.Patient)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if len(found) == 0 {
		d.deps.Flow.Continue(w, s.Handle)
		return
	}
	patient, err := d.deps.Patients.Patient(r.Context(), s.Request.Patient)
	if errors.Is(err, reach.ErrNotFound) {
		d.deps.Flow.Continue(w, s.Handle)
		return
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	status := http.StatusOK
	if failed {
		status = http.StatusBadRequest
	}
	p := page.ChooseEncounter{
		Shell: d.deps.Flow.Shell(s, d.deps.EncounterPath), Patient: d.lines([]reach.Patient{patient})[0], More: more, Failed: failed,
		Self: user.FHIRUser == "Patient/"+patient.ID,
	}
	for _, e := range found {
		p.Encounters = append(p.Encounters, page.Encounter{ID: e.ID, Kind: e.Kind, Date: e.Date, Place: e.Place, With: e.With})
	}
	d.deps.Flow.Show(w, r, status, p)
}
