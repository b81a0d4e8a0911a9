package fhirapi

import (
	"context"
	"errors"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// count goes on dividing an export into files for so long, in the rights of who asks,
// and returns it as it is then. One request of a process counts an export at a time.
func (d *Door) count(ctx context.Context, subject access.Subject, e fhirstore.Export, patience time.Duration) (fhirstore.Export, error) {
	if e.Counted() {
		return e, nil
	}
	if _, busy := d.exports.counting.LoadOrStore(e.ID, true); busy {
		return e, nil
	}
	defer d.exports.counting.Delete(e.ID)
	within, err := d.stillMembers(ctx, subject, e.Asked)
	if err != nil {
		return e, err
	}
	for end := time.Now().Add(patience); patience > 0 && !e.Counted(); { // one portion at least
		if err := d.countPortion(ctx, subject, &e, within); err != nil {
			return e, err
		}
		if !time.Now().Before(end) {
			break
		}
	}
	switch err := d.exports.Store.AdvanceExport(ctx, e); {
	case errors.Is(err, fhirstore.ErrMoved): // another process was faster: what it found counts
		return d.exports.Store.Export(ctx, e.Client, e.ID)
	case err != nil:
		return e, err
	}
	e.Revision++
	return e, nil
}

// countPortion counts the next resources of the type that is being counted.
func (d *Door) countPortion(ctx context.Context, subject access.Subject, e *fhirstore.Export, within search.Expr) error {
	p := &e.Progress
	t := e.Asked.Types[p.Type]
	q, err := d.exportQuery(*e, t, within)
	if err != nil {
		return err
	}
	q.After, q.Count = p.After, min(d.exports.portion, d.exports.file-p.Open.Count)
	n, last, err := d.exports.Store.CountExport(ctx, access.DecideExport(subject, t), q)
	if err != nil {
		return err
	}
	if p.Count += n; p.Count > d.exports.Resources {
		e.Progress = fhirstore.ExportProgress{TooLarge: true}
		return nil
	}
	p.Open.Count += n
	switch {
	case n < q.Count:
		endType(p, t)
	case p.Open.Count >= d.exports.file:
		p.Files = append(p.Files, fhirstore.ExportFile{Type: t, After: p.Open.After, Until: last, Count: p.Open.Count})
		p.Open, p.After = fhirstore.ExportFile{After: last}, last
	default:
		p.After = last
	}
	return nil
}

// endType closes the last file of a type, which has no end: what was committed late is
// in it. A type without resources has no file.
func endType(p *fhirstore.ExportProgress, t fhir.ResourceType) {
	switch last := len(p.Files) - 1; {
	case p.Open.Count > 0:
		p.Files = append(p.Files, fhirstore.ExportFile{Type: t, After: p.Open.After, Count: p.Open.Count})
	case last >= 0 && p.Files[last].Type == t:
		p.Files[last].Until = ""
	}
	p.Open, p.After = fhirstore.ExportFile{}, ""
	p.Type++
}

// exportQuery asks for a type of an export.
func (d *Door) exportQuery(e fhirstore.Export, t fhir.ResourceType, within search.Expr) (fhirstore.ExportQuery, error) {
	filter, err := exportFilter(e.Asked, t, d.deps.Base)
	q := fhirstore.ExportQuery{Type: t, At: e.At, Within: search.And{}, Filter: filter}
	if e.Asked.OfPatients && compartment.ClassOf(t) == compartment.Record {
		q.OfSomebody, q.Within = true, within
	}
	return q, err
}

// stillMembers is the condition that resources are about the patients of an export and
// nobody else, who must still be members if it is of a Group; no condition: everybody.
func (d *Door) stillMembers(ctx context.Context, subject access.Subject, asked fhirstore.ExportAsked) (search.Expr, error) {
	if !asked.Named {
		return search.And{}, nil
	}
	patients := search.NewIDSet(asked.Patients...)
	if asked.Group == "" {
		return search.OwnedBy{Patients: patients}, nil
	}
	members, err := d.members(ctx, subject, asked.Group)
	return search.And{search.OwnedBy{Patients: patients}, search.OwnedBy{Patients: members}}, err
}

// members are the active members of a Group that the subject may export.
func (d *Door) members(ctx context.Context, subject access.Subject, id string) (search.IDSet, error) {
	if !subject.ExportsGroup(id) {
		return search.IDSet{}, notFound()
	}
	group, err := d.deps.Backend.Read(ctx, access.System("members of a group that is exported", d.deps.Base), fhir.Reference{Type: "Group", ID: id})
	if errors.Is(err, fhirstore.ErrNotFound) { // a deleted one tells no more than one that never was
		return search.IDSet{}, notFound()
	}
	if err != nil {
		return search.IDSet{}, err
	}
	var ids []string
	for _, m := range fhirstore.Members(group.Resource, d.deps.Base) {
		if m.Holds(d.deps.Now()) {
			ids = append(ids, m.Patient.ID)
		}
	}
	return search.NewIDSet(ids...), nil
}
