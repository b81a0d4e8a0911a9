package fhirapi

import (
	"context"
	"net/http"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// Trail takes entries of the trail.
type Trail interface {
	Put(a trail.Entry) error
	PutMade(a trail.Entry)
	Ready() error
	Sync(ctx context.Context) error
}

// recorded is an answer that leaves when the access stands in the record, and not
// otherwise (AUD-01). It learns on the way who asks, for what, and whose records are in
// the answer.
type recorded struct {
	http.ResponseWriter
	door    *Door
	ctx     context.Context //nolint:containedctx // of the one request that it answers
	access  trail.Entry
	context string   // the patient in context, whom a search or a refusal is about
	named   []string // patients whom a search names
	why     func(patient string) access.Ways
	made    bool // a write was made, which nothing undoes
	inner   bool // an entry of a batch or transaction
	parts   bool // its entries are recorded, it is not
	done    bool
	refused bool // the access could not be recorded
}

// record wraps the answer to a request.
func (d *Door) record(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if d.deps.Trail == nil {
		return w
	}
	a := &recorded{ResponseWriter: w, door: d, ctx: r.Context()}
	a.access.Request, a.access.Query = door.RequestID(r.Context()), r.URL.RawQuery
	if d.deps.Address != nil {
		a.access.Address = d.deps.Address(r)
	}
	return a
}

// recordEntry wraps the answer to an entry of a Bundle, which is told apart.
func (d *Door) recordEntry(outer, w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	whole, ok := outer.(*recorded)
	if !ok {
		return w
	}
	whole.parts = true
	part := &recorded{ResponseWriter: w, door: d, ctx: whole.ctx, access: whole.access, context: whole.context, why: whole.why, inner: true}
	part.access.Code, part.access.Query, part.access.Sensitive = "", "", nil
	if r != nil {
		part.access.Query = r.URL.RawQuery
	}
	return part
}

// by notes who asks.
func by(w http.ResponseWriter, s access.Subject) {
	if a, ok := w.(*recorded); ok {
		a.access.Client, a.access.Grant, a.access.User = s.ClientID(), s.GrantID(), s.UserID()
		a.access.FHIRUser, a.access.TokenID, a.context, a.why = s.FHIRUser(), s.TokenID(), s.Patient(), s.Why
	}
}

// asks notes what is asked for.
func asks(w http.ResponseWriter, i fhir.Interaction) {
	if a, ok := w.(*recorded); ok {
		a.access.Code = string(i.Code)
		if i.Operation != "" {
			a.access.Code = "$" + i.Operation
		}
		a.access.Target = fhir.Reference{Type: i.Type, ID: i.ID, Version: i.Version}
		a.access.Within = i.Compartment
	}
}

// because notes why it was let through or not.
func because(w http.ResponseWriter, reason string) {
	if a, ok := w.(*recorded); ok {
		a.access.Reason = reason
	}
}

// with notes the query where it is not that of the address.
func with(w http.ResponseWriter, query func() string) {
	if a, ok := w.(*recorded); ok {
		a.access.Query = query()
	}
}

// names notes the patients whom a search names and the subject reaches: it is about them
// when it finds nothing as well (BALP PatientQuery). Of others nothing is noted, so that
// nobody writes into the trail of somebody whom they do not reach.
func names(w http.ResponseWriter, s access.Subject, i fhir.Interaction, q search.Query) {
	a, ok := w.(*recorded)
	if !ok {
		return
	}
	note := func(id string) {
		if s.Reaches(id) {
			a.named = append(a.named, id)
		}
	}
	if i.Compartment.Type == "Patient" {
		note(i.Compartment.ID)
	}
	for _, c := range q.Where {
		for _, o := range c.Operands {
			switch {
			case q.Type == "Patient" && c.Parameter.Code == "_id":
				note(o.Code)
			case o.Reference.Type == "Patient", o.Reference.Type == "" && c.Parameter.Code == "patient":
				note(o.Reference.ID)
			}
		}
	}
}

// shows notes whose records are in the answer, and what of them is sensitive.
func shows(w http.ResponseWriter, o search.Owners) {
	a, ok := w.(*recorded)
	if !ok {
		return
	}
	for _, id := range o.Required {
		if n := len(a.access.Patients); n == 0 || a.access.Patients[n-1] != id {
			a.access.Patients = append(a.access.Patients, id)
		}
		a.access.Holds(id, o.Sensitivity.Of().List())
	}
}

// discloses records whose records are in a part of a long answer, before that part leaves
// (AUD-11).
func (d *Door) discloses(w http.ResponseWriter, decision access.Decision, list []fhirstore.Record) error {
	a, ok := w.(*recorded)
	if !ok {
		return nil
	}
	part := &recorded{access: a.access}
	part.access.Status, part.access.Patients, part.access.Sensitive = http.StatusOK, nil, nil
	for _, r := range list {
		if decision.Admits(r.Resource, r.Owners) {
			shows(part, r.Owners)
		}
	}
	return d.deps.Trail.Put(part.access)
}

// withheld: the access could not be recorded, and something else was answered.
func withheld(w http.ResponseWriter) bool {
	a, ok := w.(*recorded)
	return ok && a.refused
}

// ready asks before a write whether it could be recorded.
func (d *Door) ready() error {
	if d.deps.Trail == nil {
		return nil
	}
	return d.deps.Trail.Ready()
}

// made notes that a write stands, whatever is answered, and which version it made.
func made(w http.ResponseWriter, r fhirstore.Record) {
	if a, ok := w.(*recorded); ok {
		a.made, a.access.Target = true, r.Resource.Reference()
		a.access.Target.Version = r.VersionName()
	}
}

// alsoMade notes that an entry of a Bundle was a write that stands.
func alsoMade(whole, part http.ResponseWriter) {
	if p, ok := part.(*recorded); ok && p.made {
		whole.(*recorded).made = true //nolint:forcetypeassert // or the part would not be one
	}
}

// WriteHeader implements http.ResponseWriter.
func (a *recorded) WriteHeader(status int) {
	if !a.done {
		a.done = true
		if err := a.put(status); err != nil {
			a.refuse()
			return
		}
	}
	if !a.refused {
		a.ResponseWriter.WriteHeader(status)
	}
}

// put records. Order: what an app is told to be written is in the database with its
// entry; an entry of a Bundle waits with the whole.
func (a *recorded) put(status int) error {
	record := a.door.deps.Trail
	if a.parts {
		if a.made {
			return record.Sync(a.ctx)
		}
		return nil
	}
	a.access.Status = status
	switch {
	case len(a.access.Patients) > 0:
	case len(a.named) > 0:
		a.access.Patients = a.named
	case a.aboutContext(status):
		a.access.Patients = []string{a.context}
	}
	if a.why != nil {
		a.access.Reached(a.why)
	}
	if !a.made {
		return record.Put(a.access)
	}
	record.PutMade(a.access)
	if a.inner {
		return nil
	}
	return record.Sync(a.ctx)
}

// aboutContext: what shows nobody's record is about the patient in context when it was
// refused, or found nothing, unless it was asked for by the rights of a user at work.
func (a *recorded) aboutContext(status int) bool {
	atWork := a.access.Reason == string(access.ScopeForUser) || a.access.Reason == string(access.ScopeForSystem)
	return a.context != "" && !atWork && (status >= http.StatusBadRequest || a.access.Target.ID == "")
}

// refuse answers that nothing is let through at present, in the place of the answer.
func (a *recorded) refuse() {
	header := a.ResponseWriter.Header()
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Location", "Content-Disposition", "ETag", "Last-Modified", "Location"} {
		header.Del(name)
	}
	header.Set("Retry-After", "1")
	a.door.deps.Log.ErrorContext(a.ctx, "a fhir request was not answered because it could not be recorded", "id", a.access.Request)
	writeJSON(a.ResponseWriter, http.StatusServiceUnavailable,
		newOutcome(http.StatusServiceUnavailable, "transient", "The request cannot be recorded at present, and so is not answered. Try again in a moment.").JSON())
	a.refused = true
}

// Write implements http.ResponseWriter.
func (a *recorded) Write(b []byte) (int, error) {
	if !a.done {
		a.WriteHeader(http.StatusOK)
	}
	if a.refused {
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

// lost records a request whose handler broke off before it answered.
func lost(w http.ResponseWriter) {
	if a, ok := w.(*recorded); ok && !a.done {
		a.done, a.access.Status = true, http.StatusInternalServerError
		a.door.deps.Trail.PutMade(a.access)
	}
}

// Unwrap serves http.ResponseController.
func (a *recorded) Unwrap() http.ResponseWriter { return a.ResponseWriter }
