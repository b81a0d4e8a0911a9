package app

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/store"
)

// emergencies are the records that somebody has opened in an emergency; nil where nobody
// may: what was opened before that was switched off leads nobody any more.
func (a *App) emergencies() func(context.Context, store.UserID) ([]store.Emergency, error) {
	if !a.cfg.Reach.Emergency.Allowed {
		return nil
	}
	return a.store.OpenEmergencies
}

// openEmergency opens what opens records in an emergency, where that is switched on.
func (a *App) openEmergency() (err error) {
	cfg := a.cfg.Reach.Emergency
	if !cfg.Allowed {
		return nil
	}
	deps := emergency.Deps{
		Store: a.store, Directory: a.reach.Directory, Verify: a.accounts.Verify, Tries: a.tries, Settle: a.live.Refresh,
		Longest: cfg.longest(), Opened: a.metrics.emergencies.Inc, NewID: newID, Now: a.now, Log: a.log,
	}
	if roles := codes(cfg.Roles); len(roles) > 0 {
		deps.HoldsRole = func(ctx context.Context, u store.User) (bool, error) { return a.reach.HoldsRole(ctx, u, roles) }
	}
	a.emergency, err = emergency.New(deps)
	return err
}
