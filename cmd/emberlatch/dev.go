package main

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/emberlatch/emberlatch/internal/app"
)

const (
	defaultDataDir = ".emberlatch"
)

type devCommand struct {
	Listen string `help:"Address to listen on, loopback only; port 0 picks a free one." default:"127.0.0.1:8765" placeholder:"ADDR"`
	Data   string `help:"Data folder; kept between runs." default:".emberlatch" placeholder:"DIR"`
	People int    `help:"How many sample patients to make at the first start." default:"12" placeholder:"N"`
	// Registration is a word of the configuration.
	Registration string `help:"Who may register apps at the public endpoint: off, token (whoever has an initial access token), open (anybody)." enum:"off,token,open" default:"token" placeholder:"WHO"`
	// SelfService is a word of the configuration.
	SelfService string `help:"What an app may do that was registered on the page for developers: off (there is no page), reviewed (it waits for client approve), at_once (everything)." enum:"off,reviewed,at_once" default:"at_once" placeholder:"WHEN"`
	// Upstream and its credentials name a server that holds the records.
	Upstream            string `help:"FHIR R4 server that holds the records; the people to sign in as are its patients." placeholder:"URL"`
	UpstreamCredentials string `help:"File with one line, \"Bearer TOKEN\" or \"Basic USER:PASSWORD\", for the upstream." placeholder:"FILE" type:"existingfile"`
	Reset               bool   `help:"Forget everything in the data folder first."`
	Quiet               bool   `help:"Print nothing but the line that says it is ready."`
}

// Help shows one real example below the flags.
func (devCommand) Help() string {
	return "Example: emberlatch dev --listen 127.0.0.1:0 --data /tmp/sandbox --people 30"
}

// Run starts the sandbox and serves until it is told to stop.
func (c *devCommand) Run(s *session) error {
	level := slog.LevelInfo
	if c.Quiet {
		level = slog.LevelError
	}
	sandbox, err := app.StartSandbox(s.ctx, app.SandboxOptions{
		Listen: c.Listen, DataDir: c.Data, People: c.People, Reset: c.Reset,
		Registration: app.DynamicRegistration(c.Registration), SelfService: app.SelfService(c.SelfService),
		Upstream: strings.TrimRight(c.Upstream, "/"), UpstreamCredentials: c.UpstreamCredentials,
		Log: slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		return err
	}
	if !c.Quiet {
		fmt.Fprint(s.stdout, sandbox.Welcome())
	}
	fmt.Fprintln(s.stdout, "ready", sandbox.URL())
	return sandbox.Wait(s.ctx)
}
