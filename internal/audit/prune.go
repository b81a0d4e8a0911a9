package audit

import (
	"context"
	"time"
)

// pruned is how many events one transaction removes.
const pruned = 2000

// Prune removes what happened before a time from the beginning of the chain, in
// parts, so that nobody waits long. What is left can be verified, from where it begins.
// It stops at an event that somebody else has removed.
func (k *Keeper) Prune(ctx context.Context, before time.Time) (removed int, err error) {
	if err := k.settle(ctx); err != nil {
		return 0, err
	}
	for {
		n, err := k.deps.Store.PruneEvents(ctx, before, k.seal, pruned)
		removed += n
		if err != nil || n < pruned {
			return removed, err
		}
	}
}
