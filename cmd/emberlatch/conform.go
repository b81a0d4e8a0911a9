package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/emberlatch/emberlatch/internal/app"
)

type conformCommand struct {
	Run  conformRunCommand  `cmd:"" help:"Check a SMART server from the outside. Example: emberlatch conform run smart oidc bcp"`
	List conformListCommand `cmd:"" help:"List the checks."`
}

type conformRunCommand struct {
	Suites       []string      `arg:"" enum:"smart,oidc,bcp" help:"smart (SMART App Launch 2.2), oidc (OpenID Connect), bcp (RFC 9700: what must be refused)."`
	URL          string        `help:"FHIR base URL of the server; default: the sandbox of --data." placeholder:"BASE"`
	With         string        `help:"File that says which person and clients to use; see docs/conform.md." type:"existingfile" placeholder:"FILE"`
	Data         string        `help:"Data folder of a running sandbox, read when there is no --with." default:".emberlatch" placeholder:"DIR"`
	JSON         bool          `help:"Print the report as JSON."`
	Only         []string      `help:"Run these checks only." placeholder:"ID"`
	Origin       []string      `help:"A further origin that may be spoken to, such as that of the authorization server." placeholder:"URL"`
	Username     string        `help:"Who signs in; the password comes from --password-file or EMBERLATCH_CONFORM_PASSWORD." placeholder:"NAME" env:"EMBERLATCH_CONFORM_USERNAME"`
	PasswordFile string        `help:"File with the password." type:"existingfile" placeholder:"FILE"`
	ByHand       bool          `help:"Print each URL and wait for you to sign in in a browser; needs a client with a loopback redirect URI."`
	Timeout      time.Duration `help:"How long one check may take." default:"30s"`
}

// Help shows real examples below the flags.
func (conformRunCommand) Help() string {
	return "Beside a running `emberlatch dev`: emberlatch conform run smart\n\n" +
		"Any other server: emberlatch conform run smart oidc bcp --url https://fhir.example.org/r4 --with with.yaml --json\n\n" +
		"Exit status: 0 all passed, 1 something failed or a SHALL check was skipped, 2 it could not run."
}

// Run runs the checks; a line for each, and a summary.
func (c *conformRunCommand) Run(s *session) error {
	progress := newProgress(s.stderr)
	o := app.ConformOptions{
		Suites: c.Suites, Only: c.Only, URL: c.URL, With: c.With, DataDir: c.Data, Origins: c.Origin, Username: c.Username,
		Password: os.Getenv("EMBERLATCH_CONFORM_PASSWORD"), PasswordFile: c.PasswordFile, Timeout: c.Timeout,
		Before: func(n, of int, id string) { progress.show(fmt.Sprintf("%d/%d %s", n, of, id)) },
	}
	if c.ByHand {
		o.ByHand = s.stderr
	}
	if !c.JSON {
		o.Each = func(r app.ConformResult) {
			progress.clear()
			fmt.Fprintln(s.stdout, r.Line())
		}
	}
	report, err := app.Conform(s.ctx, o)
	progress.clear()
	if err != nil {
		return couldNotRun{err}
	}
	if c.JSON {
		err = report.WriteJSON(s.stdout)
	} else {
		_, err = fmt.Fprint(s.stdout, report.Summary())
	}
	switch {
	case err != nil:
		return couldNotRun{err}
	case !report.Passed():
		return errReported
	}
	return nil
}

// couldNotRun ends a command with status 2: there is no result.
type couldNotRun struct{ error }

// Unwrap is why.
func (e couldNotRun) Unwrap() error { return e.error }

type conformListCommand struct {
	Suites []string `arg:"" optional:"" enum:"smart,oidc,bcp" help:"Suites; default: all."`
}

// Run lists the checks.
func (c *conformListCommand) Run(s *session) error {
	suites := c.Suites
	if len(suites) == 0 {
		suites = []string{"smart", "oidc", "bcp"}
	}
	var errs []error
	for _, one := range app.ConformChecks(suites...) {
		_, err := fmt.Fprintf(s.stdout, "%-5s  %-10s %-6s  %s  [%s]\n", one.Suite(), one.ID, one.Level, one.Expect, one.Section)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
