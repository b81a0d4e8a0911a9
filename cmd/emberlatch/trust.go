package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/emberlatch/emberlatch/internal/app"
)

type trustCommand struct {
	List trustListCommand `cmd:"" help:"List the other servers whose tokens are answered for at the introspection endpoint."`
}

type trustListCommand struct {
	where
	Check bool `help:"Ask each server now, from this machine: for its keys, or about a token that nobody has issued. Status 1 when one cannot be asked."`
	JSON  bool `help:"Print JSON."`
}

// Help shows one real example below the flags.
func (trustListCommand) Help() string {
	return "Reads the configuration only; a mistake in it is told with its line. Example: emberlatch trust list --check --config /etc/emberlatch.yaml"
}

// Run lists them; with --check it ends with status 1 when one cannot be asked.
func (c *trustListCommand) Run(s *session) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	list, err := app.TrustedIssuers(s.ctx, cfg, c.Check)
	if err != nil {
		return err
	}
	if err := c.print(s, list); err != nil {
		return err
	}
	for _, i := range list {
		if i.Problem != "" {
			return errReported
		}
	}
	return nil
}

func (c *trustListCommand) print(s *session, list []app.TrustedIssuer) error {
	if c.JSON {
		answer, err := json.Marshal(list)
		if err != nil {
			return err
		}
		return printJSON(s, answer)
	}
	return writeTrusted(s.stdout, list, c.Check)
}

func writeTrusted(w io.Writer, list []app.TrustedIssuer, checked bool) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no other server is trusted: introspection.trusted_issuers is empty")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "ISSUER\tAUDIENCE\tCHECKED BY")
	if checked {
		fmt.Fprint(table, "\tNOW")
	}
	fmt.Fprintln(table)
	for _, i := range list {
		fmt.Fprintf(table, "%s\t%s\t%s", printable(i.Issuer), printable(i.Audience), printable(way(i)))
		if checked {
			fmt.Fprintf(table, "\t%s", printable(state(i)))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// way says how the tokens of a server are checked.
func way(i app.TrustedIssuer) string {
	switch {
	case len(i.Algorithms) > 0:
		return "keys " + i.Source + " (" + strings.Join(i.Algorithms, " ") + ")"
	case i.Opaque:
		return "asking " + i.Source + ", opaque tokens too"
	}
	return "asking " + i.Source
}

func state(i app.TrustedIssuer) string {
	switch {
	case i.Problem != "":
		return i.Problem
	case len(i.Algorithms) > 0:
		return fmt.Sprintf("ok, usable keys: %d", i.UsableKeys)
	}
	return "ok"
}
