package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"
)

type clientExportCommand struct{ where }

// Run writes all clients to standard output.
func (c *clientExportCommand) Run(s *session) error {
	answer, err := c.ask(s, http.MethodGet, "/export/clients", nil, nil)
	if err != nil {
		return err
	}
	_, err = s.stdout.Write(answer)
	return err
}

type clientImportCommand struct {
	where
	form
	File string `arg:"" help:"What export wrote, or - for standard input."`
}

// Run imports clients and prints how many.
func (c *clientImportCommand) Run(s *session) error {
	raw, err := readInput(s, c.File)
	if err != nil {
		return err
	}
	var out struct{ Imported int }
	answer, err := c.ask(s, http.MethodPost, "/import/clients", raw, &out)
	if err != nil {
		return inFile(err, c.File)
	}
	return c.print(s, answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "imported: %d\n", out.Imported)
		return err
	})
}

type clientTokenCommand struct {
	Add    clientTokenAddCommand    `cmd:"" help:"Make a token that lets its holder register applications. Example: emberlatch client token add --uses 5 --life 48h --note \"Sprout Health\""`
	List   clientTokenListCommand   `cmd:"" help:"List the tokens. Example: emberlatch client token list"`
	Remove clientTokenRemoveCommand `cmd:"" help:"End a token; what was registered with it stays. Example: emberlatch client token remove k3v7q2mx"`
}

// initialToken is an initial access token, see admin.
type initialToken struct {
	ID        string    `json:"id"`
	Token     string    `json:"initial_access_token"`
	Note      string    `json:"note"`
	Uses      int       `json:"uses_left"`
	ExpiresAt time.Time `json:"expires_at"`
}

type clientTokenAddCommand struct {
	where
	form
	Uses int           `help:"How many applications may be registered with it." default:"1"`
	Life time.Duration `help:"How long it is good; up to 90 days." default:"168h"`
	Note string        `help:"For whom it is." placeholder:"TEXT"`
}

// Run makes a token and prints it once.
func (c *clientTokenAddCommand) Run(s *session) error {
	in, err := json.Marshal(map[string]any{"uses": c.Uses, "life_seconds": int64(c.Life.Seconds()), "note": c.Note})
	if err != nil {
		return err
	}
	var t initialToken
	answer, err := c.ask(s, http.MethodPost, "/registration-tokens", in, &t)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "token, shown once: %s\nid %s, for %d registrations, %s\n", t.Token, t.ID, t.Uses, ends(t.ExpiresAt, false))
		return err
	})
}

type clientTokenListCommand struct {
	where
	form
}

// Run prints the tokens without themselves.
func (c *clientTokenListCommand) Run(s *session) error {
	var list []initialToken
	answer, err := c.ask(s, http.MethodGet, "/registration-tokens", nil, &list)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tUSES LEFT\tENDS\tFOR")
		for _, t := range list {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", t.ID, t.Uses, date(t.ExpiresAt), printable(t.Note))
		}
		return table.Flush()
	})
}

type clientTokenRemoveCommand struct {
	where
	form
	ID string `arg:"" help:"The id that list shows."`
}

// Run ends a token.
func (c *clientTokenRemoveCommand) Run(s *session) error {
	answer, err := c.ask(s, http.MethodDelete, "/registration-tokens/"+url.PathEscape(c.ID), nil, nil)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s has ended\n", c.ID)
		return err
	})
}
