package store

import "context"

// KeptEvent is an event under the number that the database gave it.
type KeptEvent struct {
	Seq int64
	Event
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
