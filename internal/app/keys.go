package app

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// keepKeysEvery is how often the schedule of the signing keys is looked at.
const keepKeysEvery = time.Minute

// keepKeys rotates the signing keys by their schedule until ctx ends.
func (a *App) keepKeys(ctx context.Context) error {
	tick := time.NewTicker(keepKeysEvery)
	defer tick.Stop()
	for {
		if err := a.keepKeysOnce(ctx); err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "the signing keys could not be kept to their schedule; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *App) keepKeysOnce(ctx context.Context) error {
	rotated, err := a.ring.Keep(ctx)
	if err != nil || !rotated {
		return err
	}
	a.log.InfoContext(ctx, "the next signing keys were published")
	return a.store.Record(ctx, store.Event{At: a.now(), Kind: "keys.rotated", Actor: "server", Outcome: "ok"})
}
