package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/emberlatch/emberlatch/internal/door"
)

// Server is an App that listens.
type Server struct {
	app       *App
	listeners []served
	socket    string
}

// served is one listener with what it serves.
type served struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// shutdownTime is how long requests under way may take after the end was asked for.
const shutdownTime = 10 * time.Second

// Start opens everything and listens; from its return on requests are accepted
// by the kernel, and answered as soon as Wait is called.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Server, error) {
	listener, err := net.Listen("tcp", cfg.Listen.Public)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", cfg.Listen.Public, err)
	}
	app, err := Open(ctx, cfg, log)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s := &Server{app: app}
	public := app.public
	s.serve("public", listener, public)
	if err := s.listenBeside(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	rest()
	widen(app.db.Dialect())
	return s, nil
}

// serve adds a listener; on the public one nobody holds all connections.
func (s *Server) serve(name string, l net.Listener, h http.Handler) {
	if cfg := s.app.cfg; name == "public" {
		l = door.PerNetwork(l, cfg.Listen.ConnectionsPerNetwork, cfg.trustsProxy, s.app.metrics.refused.Inc)
	}
	s.listeners = append(s.listeners, served{name, l, door.NewServer(h, s.app.log)})
}

// listenBeside opens the admin socket and, if asked for, the metrics listener.
func (s *Server) listenBeside() error {
	if address := s.app.cfg.Listen.Metrics; address != "" {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("listening on %s: %w", address, err)
		}
		s.serve("metrics", l, s.app.metricsHandler())
	}
	l, path, err := listenSocket(s.app.cfg)
	if err != nil {
		return err
	}
	s.socket = path
	s.listeners = append(s.listeners, served{"admin", l, &http.Server{Handler: s.app.admin, ReadHeaderTimeout: 5 * time.Second}})
	return nil
}

// URL is the public address.
func (s *Server) URL() string { return s.app.cfg.PublicURL }

// Address is where the public listener is: beside URL when a port was picked, or when
// something stands in front.
func (s *Server) Address() string { return s.listeners[0].listener.Addr().String() }

// Wait serves until ctx ends or something breaks, then finishes what is under
// way and closes everything.
func (s *Server) Wait(ctx context.Context) error {
	s.app.trail.Start() // until the database is closed, behind the last request
	group, running := errgroup.WithContext(ctx)
	for _, l := range s.listeners {
		group.Go(func() error {
			err := s.run(l)
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return fmt.Errorf("%s listener: %w", l.name, err)
		})
	}
	group.Go(func() error { return s.app.live.Run(running) })
	group.Go(func() error { return s.app.sweep(running) })
	group.Go(func() error { return s.app.backchannel.Run(running) })
	group.Go(func() error { return s.app.keepKeys(running) })
	group.Go(func() error { return s.app.uses.Run(running) })
	group.Go(func() error { return s.app.auditor.Run(running) })
	group.Go(func() error {
		select {
		case <-running.Done():
		case <-s.app.db.Failed():
			return errors.New("the database has failed; nothing more is promised")
		}
		return nil
	})
	group.Go(func() error {
		<-running.Done()
		return s.shutdown() //nolint:contextcheck // the old context is over
	})
	err := group.Wait()
	return errors.Join(err, s.close())
}

func (s *Server) run(l served) error {
	tls := s.app.cfg.TLS
	if l.name == "public" && tls.CertFile != "" {
		return l.server.ServeTLS(l.listener, tls.CertFile, tls.KeyFile)
	}
	return l.server.Serve(l.listener)
}

func (s *Server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	var errs []error
	for _, l := range s.listeners {
		if err := l.server.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("closing the %s listener: %w", l.name, err), l.server.Close())
		}
	}
	return errors.Join(errs...)
}

// close closes listeners that never served, the socket file and the App.
func (s *Server) close() error {
	for _, l := range s.listeners {
		_ = l.listener.Close() // closed already after a shutdown
	}
	if s.socket != "" {
		_ = os.Remove(s.socket)
	}
	return s.app.Close()
}

// sweepEvery is how often what has ended is removed.
const sweepEvery = time.Minute

func (a *App) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := a.store.Sweep(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("removing what has ended failed; it is tried again", "error", err)
			}
		}
	}
}
