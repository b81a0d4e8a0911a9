package fhirapi

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// read answers read and vread (FHIR R4 http §3.1.0.1, §3.1.0.2).
func (d *Door) read(w http.ResponseWriter, r *http.Request, decision access.Decision, i fhir.Interaction, values url.Values) error {
	projection, err := search.ParseProjection(i.Type, values)
	if err != nil {
		return err
	}
	ref := fhir.Reference{Type: i.Type, ID: i.ID, Version: i.Version}
	fetch := d.deps.Backend.Read
	if i.Code == fhir.VRead {
		fetch = d.deps.Backend.VRead
	}
	record, err := fetch(r.Context(), decision, ref)
	if err != nil {
		return err
	}
	if !decision.Admits(record.Resource, record.Owners) {
		d.deps.Log.ErrorContext(r.Context(), "backend let a hidden resource through", "type", i.Type)
		return fhirstore.ErrNotFound
	}
	shows(w, record.Owners)
	// Order: conditions are looked at after authorization only (RSX-21).
	etag := record.ETag()
	header := w.Header()
	header.Set("ETag", etag)
	if !record.UpdatedAt.IsZero() {
		header.Set("Last-Modified", record.UpdatedAt.UTC().Format(http.TimeFormat))
	}
	if unchanged(r, etag, record.UpdatedAt) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body, err := projection.Apply(record.Resource)
	if err != nil {
		return err
	}
	if i.Type == "Binary" {
		header.Set("Content-Disposition", "attachment")
		header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// unchanged evaluates If-None-Match and, without it, If-Modified-Since
// (RFC 9110 §13.1).
func unchanged(r *http.Request, etag string, updated time.Time) bool {
	if match := r.Header.Get("If-None-Match"); match != "" {
		for _, candidate := range strings.Split(match, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(etag, "W/") {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !updated.IsZero() && !updated.Truncate(time.Second).After(since)
}
