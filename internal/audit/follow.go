package audit

import (
	"context"
	"errors"
)

// ErrPruned: what lies behind that place was removed because of its age.
var ErrPruned = errors.New("audit: events behind this place were removed")

// KindFollowed is the event of somebody who follows the record.
const KindFollowed = "audit.followed"

// Followed is a part of the record behind a place.
type Followed struct {
	Place int64 // the last of it; that behind which was asked, when there is nothing
	Lines [][]byte
	// Others: there is more in it than that somebody has followed.
	Others bool
}

// Follow gives the events behind a place of the chain, for a reader who keeps the place of
// what it has put away: nothing is left out, and what was not put away comes again, under
// the same ids (AUD-14). ErrPruned when that cannot be held.
func (k *Keeper) Follow(ctx context.Context, behind int64) (Followed, error) {
	if err := k.settle(ctx); err != nil {
		return Followed{}, err
	}
	a, err := k.deps.Store.Anchor(ctx)
	switch {
	case err != nil:
		return Followed{}, err
	case behind < a.Place && behind > 0:
		return Followed{}, ErrPruned
	}
	places, err := k.deps.Store.ReadChain(ctx, behind, batch)
	f := Followed{Place: behind}
	for _, c := range places {
		if f.Place = c.Place; c.Gone {
			continue
		}
		f.Others = f.Others || c.Kind != KindFollowed
		if err := k.tell(c.KeptEvent, false, func(line []byte) error { f.Lines = append(f.Lines, line); return nil }); err != nil {
			return f, err
		}
	}
	return f, err
}
