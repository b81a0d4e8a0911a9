package fhirstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Sentinels, compared with errors.Is.
var (
	// ErrNotFound: nothing of that name is in the view. Hidden and missing are
	// the same answer.
	ErrNotFound = errors.New("fhirstore: not in the view")
	// ErrGone: it was deleted, and the last version was in the view. It is an
	// ErrNotFound as well.
	ErrGone = fmt.Errorf("%w: deleted", ErrNotFound)
	// ErrPosition: the page position was not made by this backend for this query.
	ErrPosition = errors.New("fhirstore: unusable page position")
	// ErrTooCostly: the answer would be larger than the backend's limits.
	ErrTooCostly = errors.New("fhirstore: too costly")
)

// Record is one stored resource with the patients it is about.
type Record struct {
	Resource fhir.Resource
	Owners   search.Owners
	Version  int64
	// VersionID is how another server names the version, when it holds the record;
	// empty: by the number.
	VersionID string
	UpdatedAt time.Time // zero: the server that holds it does not say
}

// VersionName is how the version is called; empty: it is not known.
func (r Record) VersionName() string {
	if r.VersionID != "" || r.Version == 0 {
		return r.VersionID
	}
	return strconv.FormatInt(r.Version, 10)
}

// ETag is the entity tag of the version (FHIR R4 http §3.1.0.1.3); empty: it is not known.
func (r Record) ETag() string {
	if r.VersionName() == "" {
		return ""
	}
	return `W/"` + r.VersionName() + `"`
}

// Page is one page of a search.
type Page struct {
	Matches  []Record
	Includes []Record // ordered by type, then id; none of them is a match
	// Total counts all matches in the view, when HasTotal.
	Total    int
	HasTotal bool
	// Next is the position of the following page, empty at the end. It names the
	// last match and its sort values, and is no longer than MaxPosition; a door
	// seals it before it leaves.
	Next string
	// Release gives back where the resources stand, once the page has been written; nil:
	// there is nothing to give back. Afterwards none of them may be looked at, nor their
	// bytes held. It need not be called.
	Release func()
}

// MaxPosition bounds Page.Next for a query, in bytes, so that a door knows on the
// first page whether all that follow can be reached: an id, and for each sort key
// a text as long as texts sort (search.MaxSortText), in the widest spelling.
func MaxPosition(q search.Query) int { return 160 + len(q.Sort)*(search.MaxSortText*6+16)*4/3 }

// Backend answers FHIR interactions out of a view.
type Backend interface {
	// Read returns the current version. ErrNotFound when it is hidden or missing,
	// ErrGone when it was deleted and was in the view until then.
	Read(ctx context.Context, d access.Decision, ref fhir.Reference) (Record, error)
	// VRead returns ref.Version, if both that version and the current one are in
	// the view, after a deletion the last one; ErrNotFound otherwise. ErrGone when
	// that version is a deletion.
	VRead(ctx context.Context, d access.Decision, ref fhir.Reference) (Record, error)
	// Search evaluates q over the view: matches, totals, order and includes.
	// q.Cursor is a position of an earlier Page, or empty.
	Search(ctx context.Context, d access.Decision, q search.Query) (Page, error)
}

// Loader brings resources in as they are, under their own ids: for operators
// and the sandbox, never reachable by an app.
type Loader interface {
	// Load stores every resource of the sequence. An existing one becomes a new
	// version unless its content is the same. It commits in portions; progress,
	// if set, is called after each with the number stored so far. Failures of
	// single resources do not stop the load. The error is for the database.
	Load(ctx context.Context, resources iter.Seq[Incoming], progress func(stored int)) (LoadReport, error)
}

// Incoming is one resource to load and where it stood, for error messages.
type Incoming struct {
	JSON   []byte
	Origin string // "file.ndjson:17"
}

// LoadReport says what a load did.
type LoadReport struct {
	Stored    map[fhir.ResourceType]int
	Unchanged int
	Failures  []LoadFailure
}

// LoadFailure is one resource that was not stored.
type LoadFailure struct {
	Origin string
	Reason string
}
