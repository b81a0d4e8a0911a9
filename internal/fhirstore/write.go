package fhirstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Sentinels of writes, compared with errors.Is.
var (
	// ErrVersion: the current version is not the one that was expected.
	ErrVersion = errors.New("fhirstore: another version is current")
	// ErrReference: the new content refers to something that is hidden or missing,
	// which is the same answer.
	ErrReference = errors.New("fhirstore: a reference is not in the view")
	// ErrMany: criteria find more than one resource.
	ErrMany = errors.New("fhirstore: more than one resource fulfils the criteria")
	// ErrTwice: two writes of one call are about the same resource.
	ErrTwice = errors.New("fhirstore: a resource is written twice")
	// ErrOwners: the write would change whose record another resource is in.
	ErrOwners = errors.New("fhirstore: another resource would be in another record")
)

// Write is one change that an app asks for.
type Write struct {
	// Decision is that about this very interaction.
	Decision access.Decision
	// Code is create, update, patch or delete.
	Code fhir.InteractionCode
	// Ref is what is changed; of a creation, the type alone.
	Ref fhir.Reference
	// Content is what is created, or takes the place of what was there. Its id,
	// version and time are the server's; labels and tags stay as they were.
	Content fhir.Resource
	// Edit makes the content of a patch out of what is there.
	Edit func(current fhir.Resource) (fhir.Resource, error)
	// Where finds what is changed, in place of an id. A creation is needless when it
	// finds something.
	Where *Condition
	// FullURL is what the other writes of the call refer to this resource by.
	FullURL string
	// References are those of Content that are conditions, by their text.
	References map[string]Condition
	// IfMatch is the version that must be current; empty: any.
	IfMatch string
}

// Condition names a resource by criteria, which are evaluated over the view of a
// search (FHIR R4 http §3.1.0.5.3).
type Condition struct {
	Decision access.Decision
	Query    search.Query
}

// Written is what became of a Write.
type Written struct {
	HistoryEntry
	// Found: nothing was created, because this was there.
	Found bool
}

// WriteError says which of several writes could not be made. It wraps ErrNotFound,
// ErrGone, ErrVersion, ErrReference, ErrMany, ErrTwice, ErrOwners, an access.Refusal,
// or what Edit returned.
type WriteError struct {
	At  int
	Err error
}

func (e *WriteError) Error() string { return fmt.Sprintf("write %d: %v", e.At, e.Err) }

// Unwrap gives the reason to errors.Is and errors.As.
func (e *WriteError) Unwrap() error { return e.Err }

// Keeper makes the changes of apps, and tells what was before them.
type Keeper interface {
	// History lists versions, the newest first, each if it is in the view and the
	// current one is, as VRead has it; a deletion when the version before was.
	// ErrNotFound when q names a resource that is hidden or missing.
	History(ctx context.Context, d access.Decision, q HistoryQuery) (HistoryPage, error)
	// Write makes all of the changes or none: deletions first, and last what derives
	// its owners from others. Each is judged by the
	// state before and the state after, which the policy permits as an
	// access.Change; every new local reference must be to something that the
	// subject may read or find, that is made here, or that access.Decision.Knows.
	// The error is a *WriteError, or the database's.
	Write(ctx context.Context, writes []Write) ([]Written, error)
}
