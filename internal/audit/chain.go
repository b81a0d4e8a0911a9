package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Store is what a Keeper needs of the store.
type Store interface {
	store.EventChain
	store.Trail
}

// Deps are the parts that a Keeper needs; all but Settle and Teller are required.
type Deps struct {
	Store Store
	Key   []byte // 32 bytes, the same in all processes
	// Settle writes what this process has not written yet; nil: there is nothing.
	Settle func(ctx context.Context) error
	// Teller says events to operators.
	Teller Teller
	Log    *slog.Logger
}

// Keeper chains events and verifies the chain.
type Keeper struct{ deps Deps }

// New makes a Keeper; it refuses missing parts.
func New(deps Deps) (*Keeper, error) {
	if deps.Store == nil || len(deps.Key) != sha256.Size || deps.Log == nil {
		return nil, errors.New("audit: a part is missing")
	}
	return &Keeper{deps}, nil
}

const (
	every = time.Second // how often events are chained
	batch = 500         // how many in one transaction
)

// Run chains events until the context is over, and once more then.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer stop()
			k.try(last)
			return nil
		case <-tick.C:
			k.try(ctx)
		}
	}
}

// try chains; what could not be chained waits, over a restart too.
func (k *Keeper) try(ctx context.Context) {
	if err := k.Chain(ctx); err != nil && ctx.Err() == nil {
		k.deps.Log.Warn("events could not be chained; it is tried again", "error", err)
	}
}

// Chain gives a place to every event that waits.
func (k *Keeper) Chain(ctx context.Context) error {
	for {
		n, err := k.deps.Store.ChainEvents(ctx, k.link, batch)
		if err != nil || n < batch {
			return err
		}
	}
}

// settle chains what waits, in memory too.
func (k *Keeper) settle(ctx context.Context) error {
	if k.deps.Settle != nil {
		if err := k.deps.Settle(ctx); err != nil {
			return err
		}
	}
	return k.Chain(ctx)
}

// link is the HMAC over the link before, the place and every field of the event, each
// behind its length, so that no two events are written alike.
func (k *Keeper) link(before []byte, place int64, e store.KeptEvent) []byte {
	fields := [][]byte{[]byte("emberlatch event 1"), before}
	for _, n := range []int64{place, e.Seq, e.At.UnixMilli()} {
		fields = append(fields, binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
	for _, text := range []string{e.Kind, e.Actor, string(e.ClientID), e.Patient, string(e.GrantID), e.Outcome, e.Detail} {
		fields = append(fields, []byte(text))
	}
	if e.Body != nil {
		fields = append(fields, e.Body)
	}
	return k.mac(fields...)
}

// seal says of a place that the chain was removed up to there by this server.
func (k *Keeper) seal(place int64, link []byte) []byte {
	return k.mac([]byte("emberlatch beginning 1"), binary.BigEndian.AppendUint64(nil, uint64(place)), link)
}

// mac is the HMAC over fields, each behind its length.
func (k *Keeper) mac(fields ...[]byte) []byte {
	mac := hmac.New(sha256.New, k.deps.Key)
	for _, field := range fields {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		mac.Write(field)
	}
	return mac.Sum(nil)
}
