package manage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/manage"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Who is at work sees the records that they have open in an emergency, nobody else's, and
// ends them: this process knows it before the page says so.
//
// attack: GW-38
func TestRecordsThatAreOpenInAnEmergency(t *testing.T) {
	e := newEnv(t)
	chen, silva := e.user("chen", store.RolePractitioner, "Practitioner/c"), e.user("silva", store.RolePractitioner, "Practitioner/s")
	open := func(id string, by store.UserID, patient string) {
		t.Helper()
		_, err := e.store.OpenEmergency(t.Context(), store.OpenedFor{
			Emergency: store.Emergency{ID: id, UserID: by, Patient: patient, Reason: "covering: for somebody who is named"}, Life: time.Hour,
			Event: store.Event{At: e.now(), Kind: "emergency.opened", Actor: string(by), Patient: patient, Outcome: "ok"},
		})
		must(t, err)
	}
	says(t, chen.get(manage.PathEmergencies), "You have no record open in an emergency.")
	if strings.Contains(chen.get(manage.Path).Body.String(), manage.PathEmergencies) {
		t.Error("a link to none")
	}
	open("e1", "chen", "rosa")
	open("e2", "chen", "gone")
	open("e3", "silva", "tom")
	says(t, chen.get(manage.Path), "You have records open in an emergency")
	w := chen.get(manage.PathEmergencies)
	says(t, w, "Name-of-rosa", "gone", "I stand in for somebody who treats this person")
	if body := w.Body.String(); strings.Contains(body, "Name-of-tom") || strings.Contains(body, "who is named") {
		t.Errorf("too much is shown: %s", body)
	}

	settled := e.settled
	w = chen.post(manage.PathEmergencies, chen.form(manage.PathEmergencies, "emergency", "e3", "action", "end"))
	if w.Code != http.StatusOK || e.settled != settled {
		t.Errorf("somebody else's: %d", w.Code)
	}
	says(t, silva.get(manage.PathEmergencies), "Name-of-tom")
	w = chen.post(manage.PathEmergencies, chen.form(manage.PathEmergencies, "emergency", "e1", "action", "look"))
	if w.Code != http.StatusSeeOther {
		t.Errorf("another button: %d", w.Code)
	}
	forged := chen.form(manage.PathEmergencies, "emergency", "e1", "action", "end", "ticket", "x")
	if w := chen.post(manage.PathEmergencies, forged); w.Code != http.StatusForbidden {
		t.Errorf("a forged form: %d", w.Code)
	}
	w = chen.post(manage.PathEmergencies, chen.form(manage.PathEmergencies, "emergency", "e1", "action", "end"))
	says(t, w, "The record is closed.", "gone")
	if strings.Contains(w.Body.String(), "Name-of-rosa") || e.settled == settled {
		t.Errorf("it was not ended: %s", w.Body)
	}
	events(t, e, "emergency.ended", 1)
	w = chen.post(manage.PathEmergencies, chen.form(manage.PathEmergencies, "emergency", "e1", "action", "end"))
	if strings.Contains(w.Body.String(), "The record is closed.") {
		t.Error("ended twice")
	}
	nobody := &browser{e, map[string]*http.Cookie{}}
	if w := nobody.get(manage.PathEmergencies); w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Location"), "manage.emergencies") {
		t.Errorf("who is not signed in: %d %s", w.Code, w.Header().Get("Location"))
	}
}
