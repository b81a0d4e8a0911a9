package authorize

import (
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// Trail takes entries of the trail.
type Trail interface {
	Ready() error
	PutMade(a trail.Entry)
}

// ready asks whether a code could be recorded. Order: before it is issued.
func (d *Door) ready() error {
	if d.deps.Trail == nil {
		return nil
	}
	return d.deps.Trail.Ready()
}

// recordCode takes a code that was issued into the record: by a decision of the person
// now, or by one that was remembered (AUD-10). The decision itself is an event of its own.
func (d *Door) recordCode(r *http.Request, g store.Grant, recalled bool) {
	if d.deps.Trail == nil {
		return
	}
	a := trail.Entry{
		Kind: trail.CodeIssued, Request: door.RequestID(r.Context()), Status: http.StatusOK, Reason: "decided",
		Who: trail.Who{Client: string(g.ClientID), Grant: string(g.ID), User: string(g.UserID)},
	}
	a.FHIRUser, _ = fhir.ParseReference(g.FHIRUser, "")
	if recalled {
		a.Reason = "remembered"
	}
	if g.Patient != "" {
		a.Patients = []string{g.Patient}
	}
	if d.deps.Address != nil {
		a.Address = d.deps.Address(r)
	}
	d.deps.Trail.PutMade(a)
}
