package audit

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Which events are exported: of a span, since included and until not; a zero time is no
// limit. Emergency: only those of emergencies (purpose of use BTG).
type Which struct {
	Since, Until time.Time
	Emergency    bool
}

// Export gives events in the order of the chain, each as a FHIR AuditEvent.
func (k *Keeper) Export(ctx context.Context, which Which, write func(line []byte) error) error {
	if err := k.settle(ctx); err != nil {
		return err
	}
	for behind := int64(0); ; {
		places, err := k.deps.Store.ReadChain(ctx, behind, batch)
		if err != nil {
			return err
		}
		for _, c := range places {
			behind = c.Place
			if c.Gone || c.At.Before(which.Since) || !which.Until.IsZero() && !c.At.Before(which.Until) {
				continue
			}
			if err := k.tell(c.KeptEvent, which.Emergency, write); err != nil {
				return err
			}
		}
		if len(places) < batch {
			return nil
		}
	}
}

// tell writes the AuditEvents of an event, or only those of emergencies.
func (k *Keeper) tell(e store.KeptEvent, emergencies bool, write func(line []byte) error) error {
	all, err := k.deps.Teller.All(e)
	if err != nil {
		return err
	}
	for _, a := range all {
		if emergencies && len(a.PurposeOfEvent) == 0 {
			continue
		}
		line, err := a.JSON()
		if err != nil {
			return err
		}
		if err := write(line); err != nil {
			return err
		}
	}
	return nil
}
