package fhirapi

import (
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// write answers create, update, patch and delete, conditional ones too (FHIR R4 http
// §3.1.0.4 to §3.1.0.8).
func (d *Door) write(w http.ResponseWriter, r *http.Request, subject access.Subject, decision access.Decision, i fhir.Interaction, values url.Values) error {
	asked, err := d.asked(r, subject, decision, i, values)
	if err != nil {
		return err
	}
	if searches(asked.Content) {
		return byCriteria()
	}
	if err := d.ready(); err != nil {
		return err
	}
	done, err := d.deps.Keeper.Write(r.Context(), []fhirstore.Write{asked})
	if err != nil {
		return err
	}
	d.written(w, r, decision, done[0])
	return nil
}

// asked is the change that a request asks for. Order: all that can be said of the
// request by itself is said before anything is looked up.
func (d *Door) asked(r *http.Request, subject access.Subject, decision access.Decision, i fhir.Interaction, values url.Values) (fhirstore.Write, error) {
	asked := fhirstore.Write{Decision: decision, Code: i.Code, Ref: fhir.Reference{Type: i.Type, ID: i.ID}}
	err := writeHeaders(r, i)
	if err != nil {
		return asked, err
	}
	if asked.Where, err = d.criteria(r, subject, i, values); err != nil {
		return asked, err
	}
	if asked.IfMatch, err = ifMatch(r); err != nil {
		return asked, err
	}
	switch i.Code {
	case fhir.Create, fhir.Update:
		asked.Content, err = content(r, i)
	case fhir.Patch:
		asked.Edit, err = patch(r, i)
	}
	return asked, err
}

// written answers a write that was made. The body is there only if the subject may
// read what it holds (RSX-22), and the headers tell what the caller has just made.
func (d *Door) written(w http.ResponseWriter, r *http.Request, decision access.Decision, done fhirstore.Written) {
	shows(w, done.Owners)
	made(w, done.Record)
	header := w.Header()
	if tag := done.ETag(); tag != "" {
		header.Set("ETag", tag)
	}
	if !done.UpdatedAt.IsZero() {
		header.Set("Last-Modified", done.UpdatedAt.UTC().Format(http.TimeFormat))
	}
	status := http.StatusOK
	if done.Created {
		status = http.StatusCreated
	}
	if done.Created || done.Found {
		header.Set("Location", d.location(done))
	}
	want := prefer(r)
	switch {
	case done.Deleted:
		w.WriteHeader(http.StatusNoContent)
	case want == wantRepresentation && decision.Shows(access.State{Resource: done.Resource, Owners: done.Owners}):
		header.Set("Content-Location", d.location(done))
		writeJSON(w, status, done.Resource.JSON())
	case want == wantOutcome:
		writeJSON(w, status, fhir.NewOutcome("information", "informational", "Stored.").JSON())
	default:
		w.WriteHeader(status)
	}
}

// location names the version that was written (RFC 9110 §10.2.2; row 69).
func (d *Door) location(done fhirstore.Written) string {
	ref := done.Resource.Reference()
	ref.Version = done.Resource.VersionID()
	return d.deps.Base + "/" + ref.String()
}
