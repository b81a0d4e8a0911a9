package upstream

import (
	"context"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// maxTries is how often a change is judged anew because another writer was faster.
const maxTries = 3

var _ fhirstore.Keeper = (*Backend)(nil)

// Write implements fhirstore.Keeper for one change at a time: several cannot be made
// together on a server of others (row 81 of the leak catalogue).
func (b *Backend) Write(ctx context.Context, writes []fhirstore.Write) ([]fhirstore.Written, error) {
	if len(writes) != 1 {
		return nil, notOffered("Several changes cannot be made together on this server. Send them one by one, or as a batch.")
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	done, err := b.write(ctx, writes[0])
	if err != nil {
		return nil, &fhirstore.WriteError{At: 0, Err: err}
	}
	return []fhirstore.Written{done}, nil
}

func (b *Backend) write(ctx context.Context, w fhirstore.Write) (fhirstore.Written, error) {
	s, err := b.states.get(ctx)
	if err != nil {
		return fhirstore.Written{}, err
	}
	if err := s.takes(w.Ref.Type, w.Code); err != nil {
		return fhirstore.Written{}, err
	}
	if w.Code == fhir.Create {
		return b.create(ctx, s, w)
	}
	for range maxTries {
		done, err := b.changeOnce(ctx, w)
		if !errors.Is(err, errFaster) {
			return done, err
		}
	}
	return fhirstore.Written{}, outcome(http.StatusConflict, "conflict", "The server that holds the records does not take this now: another writer was faster, or something there depends on the resource. Read it again.")
}

// takes refuses what the upstream does not declare. Order: this comes from the type
// alone. Without versions a change could fall on what was never judged (row 63).
func (s *statement) takes(t fhir.ResourceType, code fhir.InteractionCode) error {
	asked := code
	if code == fhir.Patch { // which is sent as an update
		asked = fhir.Update
	}
	switch {
	case !s.does(t, asked):
		return notOffered("The server that holds the records does not offer the %s interaction for %s.", asked, t)
	case !s.types[t].versions:
		return notOffered("The server that holds the records does not compare versions when it changes %s (versioned-update), so that a change could fall on what somebody else has just written. It is read here, and not changed.", t)
	}
	return nil
}

// changeOnce changes the version that is current now, or none (row 62 and 63).
func (b *Backend) changeOnce(ctx context.Context, w fhirstore.Write) (fhirstore.Written, error) {
	before, err := b.named(ctx, w)
	if err != nil {
		return fhirstore.Written{}, err
	}
	if w.Code == fhir.Delete {
		return b.remove(ctx, w, before)
	}
	content, err := b.replacing(w, before)
	if err != nil {
		return fhirstore.Written{}, err
	}
	change, err := b.permit(ctx, w.Decision, before, content)
	if err != nil {
		return fhirstore.Written{}, err
	}
	return b.put(ctx, w.Decision, before, change)
}

// named is the current version of what a write names, which is in the view.
func (b *Backend) named(ctx context.Context, w fhirstore.Write) (access.State, error) {
	ref := w.Ref
	if w.Where != nil {
		found, err := b.only(ctx, *w.Where)
		if err != nil {
			return access.State{}, err
		}
		if found.Resource.IsZero() {
			return access.State{}, fhirstore.ErrNotFound
		}
		ref = found.Resource.Reference()
	}
	r, err := b.fetch(ctx, ref)
	if err != nil {
		return access.State{}, asMissing(err)
	}
	owners, err := b.ownersOf(ctx, w.Decision, r)
	if err != nil {
		return access.State{}, err
	}
	switch {
	case !search.Match(w.Decision.TargetView(ref.Type), r, owners, b.deps.Base):
		return access.State{}, fhirstore.ErrNotFound
	case w.Where != nil && !search.Match(w.Where.Query.Expr(), r, owners, b.deps.Base):
		return access.State{}, fhirstore.ErrNotFound // it has just been changed
	case w.IfMatch != "" && w.IfMatch != r.VersionID():
		return access.State{}, fhirstore.ErrVersion
	case !fhir.ValidID(r.VersionID()):
		return access.State{}, notOffered("The server that holds the records does not name the version of this resource, so that it cannot be changed here.")
	}
	return access.State{Resource: r, Owners: owners}, nil
}

// ownersOf finds whom a resource is about whatever the view asks for.
func (b *Backend) ownersOf(ctx context.Context, d access.Decision, r fhir.Resource) (search.Owners, error) {
	o := b.newOwners(d)
	o.always = true
	return o.of(ctx, r)
}

// replacing is the content that takes the place of a version: its id, and its labels and
// tags, are those of that version (row 72).
func (b *Backend) replacing(w fhirstore.Write, before access.State) (fhir.Resource, error) {
	content := w.Content
	if w.Code == fhir.Patch {
		if err := w.Decision.Edits(before); err != nil {
			return fhir.Resource{}, err
		}
		var err error
		if content, err = w.Edit(before.Resource); err != nil {
			return fhir.Resource{}, err
		}
	}
	if id := content.ID(); w.Where != nil && id != "" && id != before.Resource.ID() {
		return fhir.Resource{}, fhir.NewOutcome("error", "invalid", "The resource has another id than the one that the criteria find.")
	}
	content, err := b.arriving(content)
	if err == nil {
		content, err = content.WithLabelsOf(before.Resource)
	}
	if err != nil {
		return fhir.Resource{}, err
	}
	return content.Unstamped(before.Resource.ID())
}

// permit has a new state judged, in the order of our own store: neither answer depends
// on what is hidden (fhirsql).
func (b *Backend) permit(ctx context.Context, d access.Decision, before access.State, content fhir.Resource) (access.Change, error) {
	after := access.State{Resource: content}
	var err error
	_, states := sensitive.Medicine(content.Type())
	if states && b.deps.Sensitive != nil || derives(content.Type()) {
		after.Owners = compartment.Owners(content, b.deps.Base)
		if derives(content.Type()) {
			after.Owners = fhirstore.MayBeAbout(d, content, b.deps.Sensitive.Of(content), b.deps.Base)
		}
		if err := b.referencesVisible(ctx, d, before, after); err != nil {
			return access.Change{}, err
		}
	}
	if after.Owners, err = b.ownersOf(ctx, d, content); err != nil {
		return access.Change{}, err
	}
	change, err := d.Change(before, after)
	if errors.Is(err, access.ErrHidden) {
		err = fhirstore.ErrNotFound
	}
	if err != nil {
		return access.Change{}, err
	}
	return change, b.referencesVisible(ctx, d, before, after)
}

// referencesVisible: every local reference that was not there before is to something
// visible (row 61). What is hidden and what is missing are asked for alike.
func (b *Backend) referencesVisible(ctx context.Context, d access.Decision, before, after access.State) error {
	o := b.newOwners(d)
	for t, ids := range fhirstore.NewReferences(d, before, after, b.deps.Base) {
		if len(ids) > maxSources {
			return refused(string(after.Resource.Type()), "A resource can refer to at most %d others of a type on this server.", maxSources)
		}
		if d.IncludeView(t) == nil {
			return fhirstore.ErrReference
		}
		found, err := b.byID(ctx, t, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			r, ok := found[id]
			if !ok {
				return fhirstore.ErrReference
			}
			owners, err := o.of(ctx, r)
			if err != nil {
				return err
			}
			if !d.AdmitsInclude(r, owners) {
				return fhirstore.ErrReference
			}
		}
	}
	return nil
}
