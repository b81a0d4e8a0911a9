package audit

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Export gives the events of a span, since included and until not, in the order of the
// chain, each as a FHIR AuditEvent. A zero time is no limit.
func (k *Keeper) Export(ctx context.Context, since, until time.Time, write func(line []byte) error) error {
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
			if c.Gone || c.At.Before(since) || !until.IsZero() && !c.At.Before(until) {
				continue
			}
			if err := k.tell(c.KeptEvent, write); err != nil {
				return err
			}
		}
		if len(places) < batch {
			return nil
		}
	}
}

// tell writes the AuditEvents of an event.
func (k *Keeper) tell(e store.KeptEvent, write func(line []byte) error) error {
	all, err := k.deps.Teller.All(e)
	if err != nil {
		return err
	}
	for _, a := range all {
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
