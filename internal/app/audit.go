package app

import (
	"context"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// openAudit builds what records accesses and what chains events; its key is the same in
// all processes.
func (a *App) openAudit(ctx context.Context) error {
	key, err := a.ring.Secret(ctx, "event-chain")
	if err != nil {
		return err
	}
	if a.trail, err = trail.New(trail.Deps{Append: a.store.AppendSheets, Now: a.now, Log: a.log}); err != nil {
		return err
	}
	a.metrics.trailWaits(a.trail.Waiting)
	if a.ledger, err = audit.NewReader(a.store, a.trail.Sync, a.teller()); err != nil {
		return err
	}
	a.auditor, err = audit.New(audit.Deps{Store: a.store, Key: key, Settle: a.trail.Sync, Teller: a.teller(), Log: a.log})
	return err
}

// teller says events in FHIR.
func (a *App) teller() audit.Teller {
	return audit.Teller{Base: a.cfg.FHIRBase(), Organisation: a.cfg.Organisation.Name, ClientName: func(id string) string {
		c, _ := a.live.Client(store.ClientID(id))
		return c.Name
	}}
}

// recordBlocked records a sign-in, an enrolment or a recovery that has to wait (AUD-09). Whose it is is not known:
// many of them are told apart no further than those of strangers are.
func (a *App) recordBlocked(r *http.Request) {
	a.trail.PutMade(trail.Entry{
		Kind: trail.LoginBlocked, Status: http.StatusTooManyRequests, Request: door.RequestID(r.Context()), Who: trail.Who{Address: a.peer(r)},
	})
}
