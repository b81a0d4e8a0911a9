package main

import (
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"
)

type keyCommand struct {
	List   keyListCommand   `cmd:"" help:"List the signing keys and where they stand in their life."`
	Rotate keyRotateCommand `cmd:"" help:"Publish the next signing keys; they sign when everybody has had time to read them. Keys rotate by schedule as well."`
	Reseal keyResealCommand `cmd:"" help:"Put another key-encrypting key in the place of the present one."`
}

type keyListCommand struct {
	where
	JSON bool `help:"Print JSON."`
}

// Run prints the keys.
func (c *keyListCommand) Run(s *session) error { return c.keys(s, http.MethodGet, "/keys", c.JSON) }

type keyRotateCommand struct {
	where
	Now  bool `help:"Only after a theft: new keys sign at once, and what the old ones signed is refused at once. Apps have to ask for new tokens."`
	JSON bool `help:"Print JSON."`
}

// Run rotates, and prints the keys as they are then.
func (c *keyRotateCommand) Run(s *session) error {
	path := "/keys/rotate"
	if c.Now {
		path = "/keys/replace"
	}
	return c.keys(s, http.MethodPost, path, c.JSON)
}

type keyResealCommand struct {
	where
	JSON bool `help:"Print JSON."`
}

// Help says which file is meant.
func (keyResealCommand) Help() string {
	return "The new key is read from the file of the present one with .next at the end of its name; it is made there if it is missing. Afterwards it lies in the place of the old one. Keep the old file as long as you keep backups from before."
}

// Run seals everything anew, and prints the keys.
func (c *keyResealCommand) Run(s *session) error {
	return c.keys(s, http.MethodPost, "/keys/reseal", c.JSON)
}

// keyLine is what a list shows of a key.
type keyLine struct {
	ID            string    `json:"kid"`
	Use           string    `json:"use"`
	Algorithm     string    `json:"alg"`
	State         string    `json:"state"`
	SignsFrom     time.Time `json:"signs_from"`
	VerifiesUntil time.Time `json:"verifies_until"`
}

// keys sends a request whose answer is the list of keys.
func (w where) keys(s *session, method, path string, asJSON bool) error {
	var list []keyLine
	answer, err := w.ask(s, method, path, nil, &list)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(s, answer)
	}
	return printKeys(s.stdout, list)
}

func printKeys(out io.Writer, list []keyLine) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tUSE\tALG\tSTATE\tSIGNS FROM\tVERIFIES UNTIL")
	for _, k := range list {
		until := "-"
		if !k.VerifiesUntil.IsZero() {
			until = k.VerifiesUntil.Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Use, k.Algorithm, k.State, k.SignsFrom.Format(time.RFC3339), until)
	}
	return t.Flush()
}
