package manage

import (
	"context"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// ShowEmergencies lists the records that the person has open in an emergency.
func (d *Door) ShowEmergencies(w http.ResponseWriter, r *http.Request) {
	if who, ok := d.signedIn(w, r, placeEmergencies); ok {
		d.showEmergencies(w, r, who, false)
	}
}

// EndEmergency ends one of the person's own, at once; one that has ended meanwhile has
// ended.
func (d *Door) EndEmergency(w http.ResponseWriter, r *http.Request) {
	who, typed, ok := d.form(w, r, PathEmergencies, placeEmergencies)
	if !ok {
		return
	}
	if typed.Get("action") != "end" {
		d.deps.Flow.Redirect(w, PathEmergencies)
		return
	}
	err := d.deps.Store.EndEmergency(r.Context(), store.EmergencyEnd{
		ID: typed.Get("emergency"), UserID: who.UserID(),
		Event: store.Event{At: d.deps.Now(), Kind: emergency.KindEnded, Actor: string(who.UserID()), Outcome: "ok"},
	})
	if errors.Is(err, store.ErrNotFound) {
		d.showEmergencies(w, r, who, false)
		return
	}
	if err == nil {
		err = d.deps.Settle(r.Context())
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.showEmergencies(w, r, who, true)
}

func (d *Door) showEmergencies(w http.ResponseWriter, r *http.Request, who session.Authenticated, ended bool) {
	list, err := d.deps.Store.OpenEmergencies(r.Context(), who.UserID())
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	p := page.OpenRecords{Shell: d.deps.Flow.OwnShell(w, r, PathEmergencies, placeEmergencies.Handle, who), Ended: ended, Back: Path}
	for _, e := range list {
		patient, err := d.nameOf(r.Context(), e.Patient)
		if err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
		p.Records = append(p.Records, page.OpenRecord{ID: e.ID, Patient: patient, Reason: emergency.Word(e.Reason), Since: e.OpenedAt, Until: e.EndsAt})
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

// nameOf is who a patient is, to somebody who has their record open; of one who is not
// there any more, the id.
func (d *Door) nameOf(ctx context.Context, id string) (page.Person, error) {
	p, err := d.deps.Patient(ctx, id)
	if errors.Is(err, reach.ErrNotFound) {
		return page.Person{ID: id, Name: id}, nil
	}
	return page.Person{ID: id, Name: p.Name, BirthDate: p.BirthDate, Sex: p.Sex}, err
}
