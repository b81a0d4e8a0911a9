package app

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/chart"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/sandbox"
	"github.com/emberlatch/emberlatch/internal/store"
)

// maxCharts is how many charts of a clinician the start page offers.
const maxCharts = 8

// listCharts finds the charts that the start page offers.
func (s *Sandbox) listCharts(ctx context.Context) error {
	for _, p := range s.data.People {
		if p.Role != store.RolePractitioner {
			continue
		}
		mine := page.StartCharts{Username: p.Username, Display: p.Display}
		for _, id := range p.Patients[:min(len(p.Patients), maxCharts)] {
			patient, err := s.app.reach.Patient(ctx, id)
			if errors.Is(err, reach.ErrNotFound) { // the folder was filled with fewer people
				continue
			}
			if err != nil {
				return err
			}
			mine.Patients = append(mine.Patients, page.StartChart{ID: id, Name: patient.Name})
		}
		s.charts = append(s.charts, mine)
	}
	return nil
}

// launchSample plays the EHR of a sandbox: it starts the sample app from one of the
// charts of the start page. Whoever can open that page reads the passwords of
// everybody on it; the form has to come from there all the same.
func (a *App) launchSample(f *flow.Flow) http.HandlerFunc {
	cross := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		if err := errors.Join(cross.Check(r), r.ParseForm()); err != nil {
			f.Forbidden(w, r, flow.Step{})
			return
		}
		username, patient, _ := strings.Cut(r.PostForm.Get("chart"), "/")
		if !offered(a.cfg.startPage().Charts, username, patient) {
			f.Forbidden(w, r, flow.Step{})
			return
		}
		started, err := a.startSample(r.Context(), username, patient)
		if err != nil {
			f.Fail(w, r, err)
			return
		}
		f.Redirect(w, started.URL)
	}
}

func offered(charts []page.StartCharts, username, patient string) bool {
	return slices.ContainsFunc(charts, func(c page.StartCharts) bool {
		return c.Username == username && slices.ContainsFunc(c.Patients, func(p page.StartChart) bool { return p.ID == patient })
	})
}

// startSample opens the chart at its latest visit.
func (a *App) startSample(ctx context.Context, username, patient string) (chart.Started, error) {
	user, err := a.userNamed(ctx, username)
	if err != nil {
		return chart.Started{}, err
	}
	visits, _, err := a.reach.Encounters(ctx, user, patient)
	if err != nil {
		return chart.Started{}, err
	}
	request := chart.Request{Client: sandbox.SampleClient, Patient: patient, Username: username}
	if len(visits) > 0 {
		request.Encounter = visits[0].ID
	}
	return a.starter.Start(ctx, "sandbox", request)
}
