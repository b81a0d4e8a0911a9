package fhirapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// trailType is answered from the server's own record, and from nowhere else.
const trailType fhir.ResourceType = "AuditEvent"

// trailCodes are the interactions that are answered on it.
var trailCodes = []fhir.InteractionCode{fhir.Read, fhir.SearchType}

// Events tells what was recorded about a patient, to that patient.
type Events interface {
	Each(ctx context.Context, patient string, in audit.Span, behind audit.Position, visit func(e fhir.Resource) (more bool, err error)) (audit.Position, error)
	One(ctx context.Context, patient, id string) (fhir.Resource, error)
}

// events answers for AuditEvent, in the view of the decision's trail. Reading it is
// recorded like everything else (AUD-15).
func (d *Door) events(w http.ResponseWriter, r *http.Request, decision access.Decision, subject access.Subject, i fhir.Interaction, values url.Values) error {
	patient, view := decision.Trail()
	switch {
	case d.deps.Events == nil || i.Code != fhir.Read && i.Code != fhir.SearchType:
		return notOffered(i)
	case i.Code == fhir.Read:
		return d.event(w, r, patient, view, i, values)
	}
	query, err := d.query(subject, i, values)
	if err != nil {
		return err
	}
	if i.Compartment == (fhir.Reference{Type: "Patient", ID: patient}) {
		query.Within = nil // all of it is about them
	}
	if len(query.Sort)+len(query.Include)+len(query.RevInclude)+len(query.Joins) > 0 || query.CountOnly() || query.Total != "" && query.Total != search.TotalNone {
		return outcome(http.StatusBadRequest, "not-supported", "AuditEvents come newest first: _sort, _total, joins, includes and counts are not offered on them.")
	}
	behind, err := audit.ParsePosition(query.Cursor)
	if err != nil {
		return notFound()
	}
	if query.Cursor != "" {
		with(w, query.String)
	}
	shows(w, search.Owners{Required: []string{patient}})
	return d.eventPage(w, r, found{patient, view, subject, i, query}, behind)
}

// found is a search of events.
type found struct {
	patient     string
	view        search.Expr
	subject     access.Subject
	interaction fhir.Interaction
	query       search.Query
}

// eventPage writes one page. It may hold fewer than were asked for and yet have a next.
func (d *Door) eventPage(w http.ResponseWriter, r *http.Request, f found, behind audit.Position) error {
	bundle := fhir.Searchset{Base: d.deps.Base, Self: d.selfLink(f.interaction, f.query)}
	left := f.query.Count
	next, err := d.deps.Events.Each(r.Context(), f.patient, spanOf(f.query), behind, func(e fhir.Resource) (bool, error) {
		owners := d.ownersOf(e, f.patient)
		if !search.Match(f.view, e, owners, d.deps.Base) || !search.Match(f.query.Expr(), e, owners, d.deps.Base) {
			return true, nil
		}
		body, err := f.query.Project(e)
		bundle.Add(e, body, fhir.ModeMatch)
		left--
		return left > 0, err
	})
	if err != nil {
		return err
	}
	if position := next.String(); position != "" {
		bundle.Next, err = d.nextLink(result{subject: f.subject, interaction: f.interaction, query: f.query, page: fhirstore.Page{Next: position}})
		if err != nil {
			return err
		}
	}
	writeBundle(w, &bundle)
	return nil
}

// ownersOf is whom an event is about, and what was sensitive of that.
func (d *Door) ownersOf(e fhir.Resource, patient string) search.Owners {
	return search.Owners{Required: []string{patient}, Sensitivity: d.deps.Sensitive.Of(e)}
}

// event answers a read.
func (d *Door) event(w http.ResponseWriter, r *http.Request, patient string, view search.Expr, i fhir.Interaction, values url.Values) error {
	projection, err := search.ParseProjection(i.Type, values)
	if err != nil {
		return err
	}
	e, err := d.deps.Events.One(r.Context(), patient, i.ID)
	if errors.Is(err, store.ErrNotFound) {
		return notFound()
	}
	if err != nil {
		return err
	}
	owners := d.ownersOf(e, patient)
	if !search.Match(view, e, owners, d.deps.Base) {
		return notFound()
	}
	body, err := projection.Apply(e)
	if err != nil {
		return err
	}
	shows(w, owners)
	writeJSON(w, http.StatusOK, body)
	return nil
}

// spanOf are times outside of which no event can match, so that the record is not read
// from its end each time. Each event is judged by the query as well.
func spanOf(q search.Query) (s audit.Span) {
	values, _ := url.ParseQuery(q.String()) // search.Query wrote it
	for _, text := range values["date"] {
		prefix, value := "eq", text
		if len(text) > 2 && text[0] >= 'a' {
			prefix, value = text[:2], text[2:]
		}
		day, err := time.Parse(time.DateOnly, value[:min(len(value), len(time.DateOnly))])
		if err != nil || strings.Contains(text, ",") {
			continue
		}
		before, after := day.AddDate(0, 0, -2), day.AddDate(0, 0, 3) // whatever the offset is
		switch prefix {
		case "ge", "gt", "sa":
			s.Since = before
		case "le", "lt", "eb":
			s.Until = after
		case "eq":
			s.Since, s.Until = before, after
		}
	}
	return s
}
