package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"
)

type emergencyCommand struct {
	List emergencyListCommand `cmd:"" help:"List the records that were opened in an emergency, the newest first, with who, why and until when."`
	End  emergencyEndCommand  `cmd:"" help:"End one that is open, at once. Example: emberlatch emergency end 0f2a"`
}

type emergencyListCommand struct {
	where
	Open bool `help:"Only those that are open now."`
	JSON bool `help:"Print JSON."`
}

// emergencyLine is what a list shows of one.
type emergencyLine struct {
	ID       string    `json:"id"`
	User     string    `json:"user"`
	Username string    `json:"username"`
	Patient  string    `json:"patient"`
	Reason   string    `json:"reason"`
	Opened   time.Time `json:"opened"`
	Ends     time.Time `json:"ends"`
	Ended    time.Time `json:"ended"`
	EndedBy  string    `json:"ended_by"`
	Open     bool      `json:"open"`
}

// Run prints the list.
func (c *emergencyListCommand) Run(s *session) error {
	query := url.Values{}
	if c.Open {
		query.Set("open", "true")
	}
	var list []emergencyLine
	answer, err := c.ask(s, http.MethodGet, "/emergencies?"+query.Encode(), nil, &list)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, answer)
	}
	return printEmergencies(s.stdout, list)
}

func printEmergencies(out io.Writer, list []emergencyLine) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tWHO\tPATIENT\tOPENED\tSTATE\tREASON")
	for _, e := range list {
		who, state := e.Username, "ended by itself "+e.Ends.Format(time.RFC3339)
		if who == "" {
			who = e.User
		}
		switch {
		case e.Open:
			state = "open until " + e.Ends.Format(time.RFC3339)
		case !e.Ended.IsZero():
			state = "ended " + e.Ended.Format(time.RFC3339)
			if e.EndedBy == "operator" {
				state += " by an operator"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, who, e.Patient, e.Opened.Format(time.RFC3339), state, e.Reason)
	}
	return w.Flush()
}

type emergencyEndCommand struct {
	where
	ID string `arg:"" help:"As the list says it."`
}

// Run ends it.
func (c *emergencyEndCommand) Run(s *session) error {
	answer, err := c.ask(s, http.MethodPost, "/emergencies/"+url.PathEscape(c.ID)+"/end", nil, nil)
	if err != nil {
		return err
	}
	return printJSON(s, answer)
}
