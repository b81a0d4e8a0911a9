package fhirapi

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

const (
	historyCount    = 50
	maxHistoryCount = 200
)

// history answers the history of a resource, of a type, or of the whole server, as
// far as the view reaches (FHIR R4 http §3.1.0.11; RSG-10).
func (d *Door) history(w http.ResponseWriter, r *http.Request, decision access.Decision, subject access.Subject, i fhir.Interaction, values url.Values) error {
	cursor := ""
	if values.Has(pageParameter) {
		link, params, err := d.openLink(historyPlace(i), subject, values)
		if err != nil {
			return err
		}
		values, cursor = params, link.Cursor
	}
	query, err := historyQuery(i, values)
	if err != nil {
		return err
	}
	query.Cursor = cursor
	page, err := d.deps.Keeper.History(r.Context(), decision, query)
	if errors.Is(err, fhirstore.ErrPosition) {
		return notFound()
	}
	if err != nil {
		return err
	}
	bundle := fhir.HistoryBundle{Base: d.deps.Base, Self: d.historyLink(i, values)}
	for _, e := range page.Entries {
		if !decision.Admits(e.Resource, e.Owners) {
			d.alarm(r, e.Record)
			continue
		}
		shows(w, e.Owners)
		bundle.Add(e.Resource, fhir.HistoryVersion{ETag: e.ETag(), At: e.UpdatedAt, Created: e.Created, Deleted: e.Deleted})
	}
	if page.Next != "" {
		sealed, err := d.sealer.seal(pageLink{
			Place: historyPlace(i), Query: values.Encode(), Cursor: page.Next, Grant: subject.GrantID(), Until: d.deps.Now().Add(pageLife).Unix(),
		})
		if err != nil {
			return err
		}
		bundle.Next = d.deps.Base + "/" + historyPlace(i) + "?" + pageParameter + "=" + sealed
	}
	var buf bytes.Buffer
	if err := bundle.Write(&buf); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, buf.Bytes())
	return nil
}

// historyPlace is where a history stands below the base.
func historyPlace(i fhir.Interaction) string {
	switch {
	case i.ID != "":
		return string(i.Type) + "/" + i.ID + "/_history"
	case i.Type != "":
		return string(i.Type) + "/_history"
	}
	return "_history"
}

func (d *Door) historyLink(i fhir.Interaction, values url.Values) string {
	link := d.deps.Base + "/" + historyPlace(i)
	if text := values.Encode(); text != "" {
		link += "?" + text
	}
	return link
}

// historyQuery reads _since and _count; any other parameter would be a filter that
// is not applied (row 51 of the leak catalogue).
func historyQuery(i fhir.Interaction, values url.Values) (fhirstore.HistoryQuery, error) {
	q := fhirstore.HistoryQuery{Ref: fhir.Reference{Type: i.Type, ID: i.ID}, Count: historyCount}
	for name, list := range values {
		if len(list) != 1 {
			return q, newOutcome(http.StatusBadRequest, "invalid", "Send this parameter once.").About(name)
		}
		switch name {
		case "_since":
			since, err := time.Parse(time.RFC3339Nano, list[0])
			if err != nil {
				return q, newOutcome(http.StatusBadRequest, "invalid", "_since is an instant: 2026-01-31T10:00:00Z.").About(name)
			}
			q.Since = since
		case "_count":
			n, err := strconv.Atoi(list[0])
			if err != nil || n < 1 {
				return q, newOutcome(http.StatusBadRequest, "invalid", "_count is a whole number, 1 or more.").About(name)
			}
			q.Count = min(n, maxHistoryCount)
		default:
			return q, outcome(http.StatusBadRequest, "not-supported", "A history takes _since and _count, and no other parameter.")
		}
	}
	return q, nil
}
