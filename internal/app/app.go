package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/backchannel"
	"github.com/emberlatch/emberlatch/internal/chart"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/launch"
	"github.com/emberlatch/emberlatch/internal/live"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/review"
	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/internal/trail"
	"github.com/emberlatch/emberlatch/internal/tries"
	"github.com/emberlatch/emberlatch/internal/upstream"
	"github.com/emberlatch/emberlatch/internal/use"
)

// App is an opened server without its listeners: the store, the engines and the
// handlers of the doors. Close releases everything.
type App struct {
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	db       *db.DB
	store    *storesql.Store
	records  fhirstore.Backend // of patients: ours, or those of an upstream
	fhir     *fhirsql.Store    // ours; nil with an upstream
	upstream *upstream.Backend // nil: none
	// sensitive are the categories of sensitive content; nil: there are none.
	sensitive *sensitive.Categories
	live      *live.Facts
	ring      *keys.Ring
	tokens    *tokens.Tokens
	reach     *reach.Resolver
	accounts  *account.Accounts
	tries     *tries.Tries
	factors   *factor.Factors
	sessions  *session.Sessions
	// backchannel tells apps of logouts.
	backchannel *backchannel.Sender
	// emergency is nil where no record is opened in an emergency.
	emergency *emergency.Desk
	people    *people
	services  *services
	uses      *use.Recorder
	auditor   *audit.Keeper
	trail     *trail.Recorder // of accesses
	ledger    *audit.Reader   // tells patients of them
	metrics   *counts
	style     *launch.Style
	starter   *chart.Starter
	// registrar judges what is said of clients.
	registrar *register.Registrar
	calendar  review.Calendar

	public http.Handler
	admin  http.Handler
}

// Open opens the store, migrates it, loads the keys and builds every part. The
// caller closes it.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*App, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	address, err := cfg.DatabaseURL()
	if err != nil {
		return nil, err
	}
	database, err := db.Open(ctx, db.Config{URL: address})
	if err != nil {
		return nil, err
	}
	return openOn(ctx, database, cfg, log)
}

// openOn builds everything on an opened database, and closes it when that fails.
func openOn(ctx context.Context, database *db.DB, cfg Config, log *slog.Logger) (app *App, err error) {
	a := &App{cfg: cfg, log: log, now: time.Now, db: database, metrics: newCounts()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
			app = nil
		}
	}()
	if err = a.db.Migrate(ctx); err != nil {
		return nil, err
	}
	if err = a.openEngines(ctx); err != nil {
		return nil, err
	}
	if err = a.openChart(); err != nil {
		return nil, err
	}
	if a.admin, err = a.adminHandler(); err != nil {
		return nil, err
	}
	if a.public, err = a.routes(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// openEngines builds what the doors stand on.
func (a *App) openEngines(ctx context.Context) (err error) {
	if err = a.openRecords(ctx); err != nil {
		return err
	}
	if a.ring, err = keys.Open(ctx, keys.Deps{
		Store: a.store, KEKFile: a.cfg.keyFile(), Schedule: a.cfg.keySchedule(), Now: a.now, Log: a.log,
	}); err != nil {
		return err
	}
	if err = a.openAudit(ctx); err != nil {
		return err
	}
	if a.live, err = live.New(ctx, live.Deps{
		Store: a.store, Keys: a.ring.Reload, AccessLife: longestAccess, Poll: livePoll, Now: a.now, Log: a.log,
	}); err != nil {
		return err
	}
	if a.tokens, err = tokens.New(ctx, tokens.Deps{
		Ring: a.ring, Live: a.live, Grants: a.store, Issuer: a.cfg.PublicURL, FHIRBase: a.cfg.FHIRBase(),
		AccessLife: a.cfg.Tokens.Access, Now: a.now,
	}); err != nil {
		return err
	}
	if a.reach, err = reach.New(reach.Deps{
		Backend: a.records, Now: a.now, Base: a.cfg.FHIRBase(), Ties: a.cfg.Reach.ties(), Sensitive: a.sensitive.Policy(), Emergencies: a.emergencies(),
	}); err != nil {
		return err
	}
	a.people = &people{user: a.store.User, reach: a.reach.ReachUntil, now: a.now, known: map[store.UserID]person{}}
	a.services = &services{client: a.live.Client, reach: a.reach.OfClient, now: a.now, known: map[store.ClientID]service{}}
	if a.backchannel, err = backchannel.New(backchannel.Deps{
		Store: a.store, Mint: a.tokens.MintLogout, Post: egress.New(egress.Deps{Policy: a.cfg.egress()}).Post, Count: a.metrics.told, Now: a.now, Log: a.log,
	}); err != nil {
		return err
	}
	a.live.Subscribe(a.changed)
	if a.uses, err = use.New(use.Deps{NoteUses: a.store.NoteUses, Every: usesEvery, Now: a.now, Log: a.log}); err != nil {
		return err
	}
	if a.accounts, err = account.New(); err != nil {
		return err
	}
	if a.tries, err = tries.New(tries.Deps{Store: a.store, UsernameKey: a.accounts.UsernameKey, Address: a.address, Blocked: a.recordBlocked, Now: a.now}); err != nil {
		return err
	}
	if err = a.openEmergency(); err != nil {
		return err
	}
	secret, err := a.ring.Secret(ctx, "second-factor")
	if err != nil {
		return err
	}
	if a.factors, err = factor.New(factor.Deps{Store: a.store, Secret: secret, Issuer: a.cfg.Organisation.Name, Now: a.now}); err != nil {
		return err
	}
	policy, err := a.cfg.policy()
	if err != nil {
		return err
	}
	if a.calendar, err = a.cfg.calendar(); err != nil {
		return err
	}
	if a.registrar, err = register.New(register.Deps{Now: a.now, Sandbox: a.cfg.Sandbox, Outbound: a.cfg.egress(), Self: policy}); err != nil {
		return err
	}
	a.sessions, err = session.New(session.Deps{
		Store: a.store, Idle: a.cfg.Sessions.Idle, Absolute: a.cfg.Sessions.Absolute,
		Secure: a.cfg.secure(), Required: a.cfg.Login.required, Settle: a.live.Refresh, Now: a.now,
	})
	return err
}

// livePoll is how often a process looks for what others have changed.
const livePoll = 200 * time.Millisecond

// usesEvery is how often it is written which grants were used.
const usesEvery = 30 * time.Second

// changed makes remembered answers about people and backend services stale, and has
// apps told of the end of a session.
func (a *App) changed(c store.Change) {
	switch c.Kind {
	case store.ChangePatientPolicy:
		a.reach.Forget()
		a.people.forget()
		a.services.forget()
	case store.ChangeEmergency: // rare: all may be found anew
		a.reach.Forget()
		a.people.forget()
	case store.ChangeClient:
		a.services.forget()
	case store.ChangeUser:
		a.people.forget()
	case store.ChangeSessionEnded:
		a.backchannel.Wake()
	}
}

// Close writes what waits to be recorded, and releases the database. Listeners are
// closed before.
func (a *App) Close() error {
	if a.trail != nil {
		a.trail.Close()
	}
	if a.upstream != nil {
		a.upstream.Close()
	}
	if a.db == nil {
		return nil
	}
	return a.db.Close()
}
