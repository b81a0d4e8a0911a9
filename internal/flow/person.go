package flow

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// SetPerson writes who a request is for; the zero value is nobody. What somebody
// chose or confirmed in it before does not count any more.
func SetPerson(q *store.AuthorizationRequest, who session.Authenticated) {
	q.UserID, q.SessionHash, q.AuthTime, q.AMR = who.UserID(), who.Hash(), who.AuthTime(), who.AMR()
	q.EnrolPatient, q.EnrolCodeHash = "", nil
	SetPatient(q, "")
}

// Note writes who a request is for, for a page that is shown at once and leads on. When
// another tab was faster, what it wrote stands.
func (f *Flow) Note(r *http.Request, s Step, who session.Authenticated) error {
	SetPerson(&s.Request, who)
	err := f.deps.Store.SaveFacts(r.Context(), s.Request)
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// SetPatient writes whom a request is about. An approval is for one patient.
func SetPatient(q *store.AuthorizationRequest, patient string) {
	q.Patient, q.Sought, q.Encounter, q.EncounterSet = patient, nil, "", false
	q.Approved, q.ApprovedSet, q.Remember, q.RefreshLife = nil, false, false, 0
}

// SessionStands reports whether the session that proved the person is still the
// one of this browser (LOGIN-18, CONS-17).
func (f *Flow) SessionStands(r *http.Request, q store.AuthorizationRequest) (bool, error) {
	if q.UserID == "" {
		return false, nil
	}
	who, live, err := f.deps.Sessions.Current(r)
	if err != nil {
		return false, err
	}
	return live && who.UserID() == q.UserID && bytes.Equal(who.Hash(), q.SessionHash), nil
}

// SignedIn lets a step go on that shows or takes what only its person may see or
// decide. Without that person in this browser the request goes back to where they
// sign in, and ok is false.
func (f *Flow) SignedIn(w http.ResponseWriter, r *http.Request, s Step) (ok bool) {
	stands, err := f.SessionStands(r, s.Request)
	switch {
	case err != nil:
		f.Fail(w, r, err)
		return false
	case !stands:
		f.Continue(w, s.Handle)
		return false
	}
	return true
}
