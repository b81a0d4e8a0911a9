package app

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/db"
)

// OpenOn is Open on a database that the test has opened its own way. Nothing runs
// beside the requests: no listener, no feed, no sweep.
func OpenOn(ctx context.Context, database *db.DB, cfg Config) (*App, error) {
	return openOn(ctx, database, cfg, slog.New(slog.DiscardHandler))
}

// Public and Admin are what the listeners serve.
func (a *App) Public() http.Handler { return a.public }
func (a *App) Admin() http.Handler  { return a.admin }

// Follow reads the feed once, as the running server does five times a second.
func (a *App) Follow(ctx context.Context) error { return a.live.Refresh(ctx) }
