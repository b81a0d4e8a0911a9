package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/store"
)

// maxEmergencies is how many a list shows, the newest first.
const maxEmergencies = 1000

// emergencyLine is what operators and the privacy officer see of a record that was opened
// in an emergency.
type emergencyLine struct {
	ID       string    `json:"id"`
	User     string    `json:"user"` // id, as in the security record
	Username string    `json:"username,omitempty"`
	Patient  string    `json:"patient"`
	Reason   string    `json:"reason"`
	Client   string    `json:"client_id"`
	Opened   time.Time `json:"opened"`
	Ends     time.Time `json:"ends"`
	Ended    time.Time `json:"ended,omitzero"`     // before its time
	EndedBy  string    `json:"ended_by,omitempty"` // user id, or operator
	Open     bool      `json:"open"`
}

// listEmergencies tells which records were opened in an emergency. That somebody looked
// into it is recorded.
func (d *Door) listEmergencies(r *http.Request) (int, any, error) {
	all, err := d.deps.Store.ListEmergencies(r.Context(), r.URL.Query().Get("open") == "true", maxEmergencies)
	if err != nil {
		return 0, nil, err
	}
	names := map[store.UserID]string{}
	lines := make([]emergencyLine, 0, len(all))
	for _, e := range all {
		name, known := names[e.UserID]
		if !known {
			u, err := d.deps.Store.User(r.Context(), e.UserID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return 0, nil, err
			}
			name = u.Username
			names[e.UserID] = name
		}
		lines = append(lines, emergencyLine{
			ID: e.ID, User: string(e.UserID), Username: name, Patient: "Patient/" + e.Patient, Reason: e.Reason, Client: string(e.ClientID),
			Opened: e.OpenedAt, Ends: e.EndsAt, Ended: e.EndedAt, EndedBy: e.EndedBy, Open: e.Open(d.deps.Now()),
		})
	}
	return http.StatusOK, lines, d.record(r.Context(), "audit.emergencies", store.Event{})
}

// endEmergency ends one that is open; the next request of an app feels it.
func (d *Door) endEmergency(r *http.Request) (int, any, error) {
	err := d.deps.Store.EndEmergency(r.Context(), store.EmergencyEnd{
		ID: r.PathValue("id"), Event: store.Event{At: d.deps.Now(), Kind: emergency.KindEnded, Actor: "operator", Outcome: "ok"},
	})
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil, absent{"no emergency with this id is open"}
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"ended": r.PathValue("id")}, d.deps.Refresh(r.Context())
}
