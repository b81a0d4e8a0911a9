package app

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/chart"
	"github.com/emberlatch/emberlatch/internal/launch"
	"github.com/emberlatch/emberlatch/internal/store"
)

// openChart builds what starts apps from a chart.
func (a *App) openChart() (err error) {
	if a.style, err = launch.OurStyle(); err != nil {
		return err
	}
	a.starter, err = chart.New(chart.Deps{
		Store: a.store, Charts: a.reach, Client: a.live.Client, User: a.userNamed, FHIRBase: a.cfg.FHIRBase(),
		StyleURL: a.cfg.PublicURL + a.style.Path(), Life: a.cfg.Tokens.Launch, Now: a.now,
	})
	return err
}

// userNamed finds an account by its user name; store.ErrNotFound for what is no
// name as well.
func (a *App) userNamed(ctx context.Context, username string) (store.User, error) {
	key, err := a.accounts.UsernameKey(username)
	if err != nil {
		return store.User{}, store.ErrNotFound
	}
	return a.store.UserByName(ctx, key)
}
