package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"
)

type clientCheckJWKSCommand struct{ clientID }

// Run explains the keys of a client; it ends with status 1 when none is usable.
func (c *clientCheckJWKSCommand) Run(s *session) error {
	var v keySetView
	answer, err := c.ask(s, http.MethodPost, c.path()+"/check-jwks", nil, &v)
	if err != nil {
		return err
	}
	if err := c.print(s, answer, v.write); err != nil {
		return err
	}
	if v.Usable == 0 {
		return errReported
	}
	return nil
}

// keySetView is a key set as it is explained, see admin.
type keySetView struct {
	Source  string `json:"source"`
	Life    int64  `json:"kept_seconds"`
	Usable  int    `json:"usable"`
	Problem string `json:"problem"`
	Keys    []struct {
		ID         string   `json:"kid"`
		Kind       string   `json:"kty"`
		Algorithms []string `json:"algorithms"`
		Problem    string   `json:"problem"`
	} `json:"keys"`
}

func (v keySetView) write(w io.Writer) error {
	fmt.Fprintf(w, "keys: %s\n", printable(v.Source))
	if v.Problem != "" {
		_, err := fmt.Fprintf(w, "they cannot be had: %s\n", printable(v.Problem))
		return err
	}
	if v.Life > 0 {
		fmt.Fprintf(w, "kept for %s\n", time.Duration(v.Life)*time.Second)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KID\tKTY\tSIGNS\tWHAT IS WRONG")
	for _, k := range v.Keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", printable(cmp.Or(k.ID, "-")), printable(cmp.Or(k.Kind, "-")),
			cmp.Or(strings.Join(k.Algorithms, " "), "-"), printable(cmp.Or(k.Problem, "-")))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "usable: %d of %d\n", v.Usable, len(v.Keys))
	return err
}
