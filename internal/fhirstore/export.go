package fhirstore

import (
	"context"
	"errors"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Sentinels of exports, compared with errors.Is.
var (
	// ErrExports: the client has as many exports as it may have.
	ErrExports = errors.New("fhirstore: too many exports of the client")
	// ErrMoved: another process was faster with the same step of an export.
	ErrMoved = errors.New("fhirstore: the export has moved on")
)

// Export is one that a client asked for. It is a question, not a copy: its files are
// read from the records when they are fetched, as things stood at one moment, under
// the rights of that who fetches them.
type Export struct {
	ID, Client string
	// At is the moment of which it tells (transactionTime): every change up to then was
	// committed when the export began.
	At, Expires time.Time
	Asked       ExportAsked
	Progress    ExportProgress
	// Revision grows with every step.
	Revision int64
}

// ExportAsked is what was asked for, as the kick-off request was understood.
type ExportAsked struct {
	// Request is the URL of the kick-off request.
	Request string `json:"request"`
	// Group is that whose members are exported; empty: none.
	Group string `json:"group,omitempty"`
	// OfPatients: what is in nobody's record is left out, but for directories.
	OfPatients bool `json:"ofPatients,omitempty"`
	// Named: only the patients of the list, which are those that were asked for, and
	// the members of the Group at that time.
	Named    bool                `json:"named,omitempty"`
	Patients []string            `json:"patients,omitempty"`
	Types    []fhir.ResourceType `json:"types"`
	Since    string              `json:"since,omitempty"`
	Until    string              `json:"until,omitempty"`
	// Filters are searches by type; a resource fulfils one of them.
	Filters map[fhir.ResourceType][]string `json:"filters,omitempty"`
}

// ExportProgress is how far the counting has come, which divides it into files.
type ExportProgress struct {
	// Type is the place in Types of what is counted now, behind its id After.
	Type  int    `json:"type"`
	After string `json:"after,omitempty"`
	// Open is the file that is not full yet.
	Open  ExportFile   `json:"open"`
	Files []ExportFile `json:"files,omitempty"`
	// Count is of all resources so far.
	Count int `json:"count"`
	// TooLarge: it has ended, because it is larger than an export may be.
	TooLarge bool `json:"tooLarge,omitempty"`
}

// ExportFile is a range of ids of one type.
type ExportFile struct {
	Type  fhir.ResourceType `json:"type,omitempty"`
	After string            `json:"after,omitempty"`
	Until string            `json:"until,omitempty"` // the last one; empty: to the end
	Count int               `json:"count"`
}

// Counted reports whether the files are known, or never will be.
func (e Export) Counted() bool {
	return e.Progress.TooLarge || e.Progress.Type >= len(e.Asked.Types)
}

// ExportQuery asks for resources of one type as they stood at a moment, in the order
// of their ids. A resource is part of the answer if the decision's view, Within and
// OfSomebody hold for it now and held at that moment, and Filter held then. One that
// was deleted since is not.
type ExportQuery struct {
	Type fhir.ResourceType
	At   time.Time
	// Within and Filter are conditions of a single resource; And{} is none, nil nothing.
	Within, Filter search.Expr
	OfSomebody     bool // in the record of a patient
	After, Until   string
	Count          int
}

// ExportLimits bound what a client has at a time.
type ExportLimits struct{ Counting, All int }

// Exports keeps exports and answers what they ask for.
type Exports interface {
	// BeginExport stores a new export and sets its moment. ErrExports beyond the limits.
	BeginExport(ctx context.Context, e Export, life time.Duration, limits ExportLimits) (Export, error)
	// Export returns an export of a client that has not expired. ErrNotFound otherwise.
	Export(ctx context.Context, client, id string) (Export, error)
	// AdvanceExport stores the progress of an export. ErrMoved when its revision is not
	// the stored one, or it is not there any more.
	AdvanceExport(ctx context.Context, e Export) error
	// CancelExport forgets an export of a client. ErrNotFound when there is none.
	CancelExport(ctx context.Context, client, id string) error
	// CountExport returns how many of the first q.Count resources of the answer there
	// are, and the id of the last of them.
	CountExport(ctx context.Context, d access.Decision, q ExportQuery) (n int, last string, err error)
	// ReadExport returns those resources, and the id to go on behind; empty at the end.
	ReadExport(ctx context.Context, d access.Decision, q ExportQuery) (list []Record, next string, err error)
}
