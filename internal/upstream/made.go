package upstream

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// errFaster: the version that was judged is not current any more.
var errFaster = errors.New("upstream: another writer was faster")

// put sends a change of one version: the upstream takes it if that is still current.
func (b *Backend) put(ctx context.Context, d access.Decision, before access.State, change access.Change) (fhirstore.Written, error) {
	if change.IsZero() || change.Deletes() || change.Creates() {
		return fhirstore.Written{}, errors.New("upstream: nothing was permitted")
	}
	after := change.After()
	body, err := b.bases.leaving(after.Resource)
	if err != nil {
		return fhirstore.Written{}, err
	}
	ref := after.Resource.Reference()
	got, err := b.client.change(ctx, call{method: http.MethodPut, path: "/" + ref.String(), body: string(body), kind: fhirJSON, header: ifMatch(before)})
	if err != nil {
		return fhirstore.Written{}, err
	}
	record, err := b.made(ctx, d, after, ref, got)
	return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: record}}, err
}

// ifMatch names the version that was judged (FHIR R4 http §3.1.0.1.2).
func ifMatch(before access.State) http.Header {
	return http.Header{"If-Match": {`W/"` + before.Resource.VersionID() + `"`}}
}

// post sends a creation; unless: criteria that the upstream must find nothing by. found:
// it found something, and created nothing.
func (b *Backend) post(ctx context.Context, d access.Decision, change access.Change, unless string) (written fhirstore.Written, found fhir.Reference, err error) {
	if !change.Creates() {
		return written, found, errors.New("upstream: nothing was permitted")
	}
	after := change.After()
	body, err := b.bases.leaving(after.Resource)
	if err != nil {
		return written, found, err
	}
	c := call{method: http.MethodPost, path: "/" + string(after.Resource.Type()), body: string(body), kind: fhirJSON, header: http.Header{}}
	if unless != "" {
		c.header.Set("If-None-Exist", unless)
	}
	got, err := b.client.change(ctx, c)
	switch {
	case isMissing(err):
		return written, found, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: errors.New("it does not know the path of a creation")}
	case errors.Is(err, errFaster) && unless != "":
		return written, found, fhirstore.ErrMany
	case errors.Is(err, errFaster):
		return written, found, untaken()
	case err != nil:
		return written, found, err
	}
	ref := b.bases.named(got, after.Resource.Type())
	if unless != "" && got.status == http.StatusOK {
		return written, ref, nil
	}
	record, err := b.made(ctx, d, after, ref, got)
	return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: record, Created: true}}, fhir.Reference{}, err
}

// remove sends a deletion of one version.
func (b *Backend) remove(ctx context.Context, w fhirstore.Write, before access.State) (fhirstore.Written, error) {
	change, err := w.Decision.Change(before, access.State{})
	if errors.Is(err, access.ErrHidden) {
		err = fhirstore.ErrNotFound
	}
	if err == nil && !change.Deletes() {
		err = errors.New("upstream: nothing was permitted")
	}
	if err != nil {
		return fhirstore.Written{}, err
	}
	got, err := b.client.change(ctx, call{method: http.MethodDelete, path: "/" + before.Resource.Reference().String(), header: ifMatch(before)})
	if err != nil {
		return fhirstore.Written{}, err
	}
	gone := fhirstore.Record{Resource: before.Resource, Owners: before.Owners, VersionID: versionOf(got.header.Get("ETag"))}
	return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: gone, Deleted: true}}, nil
}

// made is what the upstream made of a change, out of its answer or read back. It counts
// when it is what was written: of the type and id, about the same patients, and within
// the view of the permission. Whatever else comes is no answer, and what became of the
// change is not known.
func (b *Backend) made(ctx context.Context, d access.Decision, after access.State, ref fhir.Reference, got answer) (fhirstore.Record, error) {
	r, err := fhir.ParseResource(got.body)
	if err == nil {
		r, err = b.bases.resource(r)
	}
	if err == nil {
		record, is, err := b.isMade(ctx, d, after, ref, r)
		if is || err != nil {
			return record, unsure(err)
		}
		b.dropped(ctx, ref.Type, "malformed")
	}
	if ref.ID != "" {
		if r, err = b.fetch(ctx, ref); err == nil {
			record, is, err := b.isMade(ctx, d, after, ref, r)
			if is || err != nil {
				return record, unsure(err)
			}
		}
	}
	return fhirstore.Record{}, unsure(&fhirstore.Failure{Status: http.StatusBadGateway, Cause: errors.New("it does not say what became of a change")})
}

func (b *Backend) isMade(ctx context.Context, d access.Decision, after access.State, ref fhir.Reference, r fhir.Resource) (fhirstore.Record, bool, error) {
	if r.Type() != after.Resource.Type() || r.ID() == "" || ref.ID != "" && r.Reference() != ref {
		return fhirstore.Record{}, false, nil
	}
	owners, err := b.ownersOf(ctx, d, r)
	if err != nil {
		return fhirstore.Record{}, false, err
	}
	same := r.Type() == "Patient" || slices.Equal(slices.Sorted(slices.Values(owners.Required)), slices.Sorted(slices.Values(after.Owners.Required)))
	return record(r, owners), same && d.Admits(r, owners), nil
}

// unsure: the change was sent, and nothing that happens afterwards undoes it.
func unsure(err error) error {
	var f *fhirstore.Failure
	if !errors.As(err, &f) {
		if err == nil {
			return nil
		}
		f = &fhirstore.Failure{Status: http.StatusBadGateway, Cause: err}
	}
	return &fhirstore.Failure{Status: f.Status, Unsure: true, Cause: f.Cause}
}

// named is what a Location of the upstream names, if it is of the type.
func (r *rebaser) named(got answer, t fhir.ResourceType) fhir.Reference {
	for _, text := range []string{got.header.Get("Location"), got.header.Get("Content-Location")} {
		if ours, ok := r.ours(text); ok {
			text = ours
		}
		if ref, local := fhir.ParseReference(text, r.to); local && ref.Type == t {
			return fhir.Reference{Type: ref.Type, ID: ref.ID}
		}
	}
	return fhir.Reference{Type: t}
}
