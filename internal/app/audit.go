package app

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/audit"
)

// openAudit builds what chains events; its key is the same in all processes.
func (a *App) openAudit(ctx context.Context) error {
	key, err := a.ring.Secret(ctx, "event-chain")
	if err != nil {
		return err
	}
	a.auditor, err = audit.New(audit.Deps{Store: a.store, Key: key, Log: a.log})
	return err
}
