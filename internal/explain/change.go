package explain

import (
	"context"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// change looks at the row that a write would change. What the request would make of it
// is judged as well, and is not part of what is replayed.
func (e *Explainer) change(ctx context.Context, x Explanation, d access.Decision, i fhir.Interaction) (Explanation, error) {
	if i.Code == fhir.Create {
		return x.yes("row", rowNone).yes("content", contentNotReplayed), nil
	}
	if i.ID == "" { // by criteria, which are a search
		return x.yes("row", rowsInView).yes("content", contentNotReplayed), nil
	}
	record, err := e.deps.Backend.Read(ctx, access.System("explain", e.deps.Base), fhir.Reference{Type: i.Type, ID: i.ID})
	if errors.Is(err, fhirstore.ErrNotFound) {
		return x.no("row", rowMissing, http.StatusNotFound), nil
	}
	if err != nil {
		return Explanation{}, err
	}
	x = x.about(record)
	state := access.State{Resource: record.Resource, Owners: record.Owners}
	reason := d.Row(record.Resource, record.Owners)
	switch reads := d.Shows(state); {
	case reason != access.RowInView && reads:
		return x.no("row", rowOnlyRead, http.StatusForbidden), nil
	case reason != access.RowInView:
		return x.no("row", reason, http.StatusNotFound), nil
	case i.Code == fhir.Patch && !reads:
		return x.no("row", rowNotRead, http.StatusForbidden), nil
	}
	x = x.yes("row", access.RowInView)
	if i.Code == fhir.Delete {
		return x, nil
	}
	return x.yes("content", contentNotReplayed), nil
}

// versions looks at the resource whose history is asked for: its current version, if it
// was not deleted, is in the view, and each version is seen by its own content.
func (e *Explainer) versions(ctx context.Context, x Explanation, d access.Decision, i fhir.Interaction) (Explanation, error) {
	if i.Code != fhir.HistoryInstance {
		return x.yes("row", versionsInView), nil
	}
	record, err := e.deps.Backend.Read(ctx, access.System("explain", e.deps.Base), fhir.Reference{Type: i.Type, ID: i.ID})
	switch {
	case errors.Is(err, fhirstore.ErrGone):
		return x.yes("row", versionsInView), nil
	case errors.Is(err, fhirstore.ErrNotFound):
		return x.no("row", rowMissing, http.StatusNotFound), nil
	case err != nil:
		return Explanation{}, err
	}
	x = x.about(record)
	if reason := d.Row(record.Resource, record.Owners); reason != access.RowInView {
		return x.no("row", reason, http.StatusNotFound), nil
	}
	return x.yes("row", versionsInView), nil
}

// about notes whom a record is about, and what it holds that is sensitive.
func (x Explanation) about(record fhirstore.Record) Explanation {
	x.Owners, x.Sensitive = record.Owners.Required, record.Owners.Sensitivity.Of().List()
	return x
}
