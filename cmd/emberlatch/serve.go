package main

import (
	"fmt"
	"log/slog"

	"github.com/emberlatch/emberlatch/internal/app"
)

type serveCommand struct {
	Config string `help:"Configuration file." required:"" type:"existingfile" placeholder:"FILE" env:"EMBERLATCH_CONFIG"`
}

// Help shows one real example below the flags.
func (serveCommand) Help() string { return "Example: emberlatch serve --config /etc/emberlatch.yaml" }

// Run serves until it is told to stop.
func (c *serveCommand) Run(s *session) error {
	cfg, err := app.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	server, err := app.Start(s.ctx, cfg, slog.New(slog.NewJSONHandler(s.stderr, nil)))
	if err != nil {
		return err
	}
	fmt.Fprintln(s.stdout, "ready", server.URL())
	return server.Wait(s.ctx)
}
