package fhirstore

import (
	"time"

	"github.com/emberlatch/emberlatch/fhir"
)

// HistoryQuery asks for versions (FHIR R4 http §3.1.0.11).
type HistoryQuery struct {
	// Ref is the resource; without an id all of the type; the zero value: of
	// every type.
	Ref fhir.Reference
	// Since leaves out what was stored before; zero: nothing.
	Since time.Time
	// Count is how many versions a page has at most, 1 or more.
	Count int
	// Cursor is a position of an earlier HistoryPage, or empty.
	Cursor string
}

// HistoryEntry is one version in a history.
type HistoryEntry struct {
	// Record is what was stored; of a deletion, what was deleted, under the number
	// and time of the deletion.
	Record
	Created, Deleted bool
}

// HistoryPage is one page of a history.
type HistoryPage struct {
	Entries []HistoryEntry
	// Next is the position of the following page, empty at the end. A door seals
	// it before it leaves.
	Next string
}
