package store

import (
	"context"
	"time"
)

// KeptEvent is an event under the number that the database gave it.
type KeptEvent struct {
	Seq int64
	Event
	// Body is a sheet of the trail; nil in all other events.
	Body []byte
}

// KindSheet is the kind of the events that hold sheets of the trail.
const KindSheet = "trail"

// Sheet is what was accessed in a short time: one event of KindSheet.
type Sheet struct {
	At       time.Time // of the last access
	Body     []byte
	Patients []string // whom it is about, each once
}

// EventQuery asks for the events about a patient, the newest first: sheets that hold
// something about them, and events that name them.
type EventQuery struct {
	Patient string
	// Since and Until bound the times, both included; zero: no bound. A sheet may hold
	// accesses that are older than its time, by as long as it waited to be written.
	Since, Until time.Time
	// Behind is the last event of the page before; zero: from the newest.
	BehindAt  time.Time
	BehindSeq int64
	Limit     int
}

// Anchor is the last place of the chain that was removed. Seal shows that the server
// removed it.
type Anchor struct {
	Place      int64
	Link, Seal []byte
}

// Trail is what was accessed, kept in sheets, found by patient, and removed from their beginning.
type Trail interface {
	// AppendSheets adds sheets, all or none.
	AppendSheets(ctx context.Context, sheets []Sheet) error
	// EventsOf returns events about a patient.
	EventsOf(ctx context.Context, q EventQuery) ([]KeptEvent, error)
	// KeptEvent returns one event, ErrNotFound otherwise.
	KeptEvent(ctx context.Context, seq int64) (KeptEvent, error)
	// PruneEvents removes from the beginning of the chain what happened before, up to the
	// first event that did not, at most limit events. seal makes the seal of the anchor;
	// it may be called again. It returns how many were removed.
	PruneEvents(ctx context.Context, before time.Time, seal func(place int64, link []byte) []byte, limit int) (int, error)
	// Anchor returns where the chain begins; the zero value: at its beginning.
	Anchor(ctx context.Context) (Anchor, error)
}

// Chained is a place in the chain of events.
type Chained struct {
	Place int64
	Link  []byte
	KeptEvent
	// Gone: the chain names an event that is not there.
	Gone bool
}

// EventChain is the chain of events: each has one place, and a link over itself and
// the link before, so that no change after that goes unseen.
type EventChain interface {
	// ChainEvents gives places to events that wait, at most limit of them, in one
	// transaction; processes that do so at once follow each other. link makes the link
	// of an event at a place behind another link, nil at the beginning; it may be called
	// again. It returns how many got a place.
	ChainEvents(ctx context.Context, link func(before []byte, place int64, e KeptEvent) []byte, limit int) (int, error)
	// ReadChain returns the places behind one, in order, at most limit of them.
	ReadChain(ctx context.Context, behind int64, limit int) ([]Chained, error)
	// LooseEvents returns the numbers of events that have no place and do not wait for
	// one, and of those that wait and are not there.
	LooseEvents(ctx context.Context, limit int) (loose, gone []int64, err error)
}
