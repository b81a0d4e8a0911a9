package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/admin"
	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/explain"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/register"
)

// LoadLine is one line of the answer to a load, see admin.LoadLine.
type LoadLine = admin.LoadLine

// Explanation is a request replayed, see explain.Explanation.
type Explanation = explain.Explanation

// AuditReport is the outcome of a verification, see audit.Report.
type AuditReport = audit.Report

// adminHandler answers operators on the socket; who may open the socket file is
// an operator.
func (a *App) adminHandler() (http.Handler, error) {
	explainer, err := a.explainer()
	if err != nil {
		return nil, err
	}
	d, err := admin.New(admin.Deps{
		Store: a.store, Loader: a.loader(), Registrar: a.registrar, Accounts: a.accounts, Keys: a.ring, HasRecord: a.hasRecord, BirthDate: a.birthDate, Majority: a.cfg.Reach.Majority,
		Starter: a.starter, Explainer: explainer, Auditor: a.auditor, Calendar: a.calendar,
		Refresh: a.live.Refresh, FetchKeys: a.fetchKeys(), RecoveryPage: a.cfg.PublicURL + pathRecover, TokenPrefix: register.InitialPrefix, NewID: newID, Now: a.now, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	return d.Handler(), nil
}

// hasRecord looks with the rights of the server itself, for an operator.
func (a *App) hasRecord(ctx context.Context, ref fhir.Reference) (bool, error) {
	_, err := a.records.Read(ctx, access.System("admin: the record of an account", a.cfg.FHIRBase()), ref)
	if errors.Is(err, fhirstore.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// birthDate is that of a patient; empty when it, or the patient, is not there.
func (a *App) birthDate(ctx context.Context, patient string) (string, error) {
	p, err := a.reach.Patient(ctx, patient)
	if errors.Is(err, reach.ErrNotFound) {
		return "", nil
	}
	return p.BirthDate, err
}

// listenSocket opens the admin socket, readable by its owner only. A socket file
// that a dead process left is replaced; one that answers is not.
func listenSocket(cfg Config) (net.Listener, string, error) {
	path, err := filepath.Abs(cfg.SocketPath())
	if err != nil {
		return nil, "", err
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = conn.Close()
		return nil, "", fmt.Errorf("another server runs on the data folder %s", cfg.DataDir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, "", fmt.Errorf("admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return l, path, nil
}

// Offline is an opened store with its admin socket and no public listener: for
// one command while no server runs.
type Offline struct {
	app    *App
	server *http.Server
	socket string
	done   chan error
}

// OpenOffline opens the store and serves the admin socket.
func OpenOffline(ctx context.Context, cfg Config) (*Offline, error) {
	a, err := Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if errors.Is(err, db.ErrInUse) {
		return nil, errors.New("a server uses this data folder and does not answer on its admin socket; try again, or stop it")
	}
	if err != nil {
		return nil, err
	}
	l, path, err := listenSocket(cfg)
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	o := &Offline{a, &http.Server{Handler: a.admin, ReadHeaderTimeout: 5 * time.Second}, path, make(chan error, 1)}
	go func() { o.done <- o.server.Serve(l) }()
	return o, nil
}

// Close ends the socket and releases the store.
func (o *Offline) Close() error {
	err := o.server.Close()
	<-o.done
	_ = os.Remove(o.socket)
	return errors.Join(err, o.app.Close())
}
