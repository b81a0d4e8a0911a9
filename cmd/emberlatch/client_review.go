package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"
)

// reviewView is how far an app is that registered itself, see admin.
type reviewView struct {
	State        string    `json:"state"`
	Due          time.Time `json:"due"`
	Overdue      bool      `json:"overdue"`
	RegisteredAt time.Time `json:"registered_at"`
	AskedAt      time.Time `json:"asked_at"`
	VerifiedAt   time.Time `json:"verified_at"`
	EnabledAt    time.Time `json:"enabled_at"`
	DeclinedAt   time.Time `json:"declined_at"`
	SuspendedAt  time.Time `json:"suspended_at"`
	Question     string    `json:"question"`
	Reason       string    `json:"reason"`
}

// due is the last day, in the time zone of the organisation.
func (v reviewView) due() string {
	switch {
	case v.Due.IsZero():
		return "-"
	case v.Overdue:
		return v.Due.Format(time.DateOnly) + " OVERDUE"
	}
	return v.Due.Format(time.DateOnly)
}

// write shows the times that there are.
func (v *reviewView) write(w io.Writer) {
	if v == nil {
		return
	}
	if !v.Due.IsZero() {
		fmt.Fprintf(w, "due\t%s\n", v.due())
	}
	for _, step := range []struct {
		name string
		at   time.Time
	}{
		{"registered", v.RegisteredAt}, {"developer asked", v.AskedAt}, {"developer verified", v.VerifiedAt}, {"enabled", v.EnabledAt},
		{"declined", v.DeclinedAt}, {"suspended", v.SuspendedAt},
	} {
		if !step.at.IsZero() {
			fmt.Fprintf(w, "%s\t%s\n", step.name, date(step.at))
		}
	}
	if v.Question != "" {
		fmt.Fprintf(w, "question\t%s\n", printable(v.Question))
	}
	if v.Reason != "" {
		fmt.Fprintf(w, "reason\t%s\n", printable(v.Reason))
	}
}

type clientQueueCommand struct {
	where
	form
	Overdue bool `help:"Only those whose day is over."`
}

// queueLine is an app that waits, see admin.
type queueLine struct {
	ID        string     `json:"client_id"`
	Revision  int64      `json:"revision"`
	Name      string     `json:"client_name"`
	Maker     string     `json:"emberlatch_maker"`
	Contacts  []string   `json:"contacts"`
	Redirects []string   `json:"redirect_uris"`
	Alike     []string   `json:"same_name"`
	Review    reviewView `json:"review"`
}

// Run prints the apps that wait; status 1 tells a script that some are overdue.
func (c *clientQueueCommand) Run(s *session) error {
	path := "/queue"
	if c.Overdue {
		path += "?overdue"
	}
	var list []queueLine
	answer, err := c.ask(s, http.MethodGet, path, nil, &list)
	if err != nil {
		return err
	}
	if err := c.print(s, answer, func(w io.Writer) error { return writeQueue(w, list) }); err != nil {
		return err
	}
	if c.Overdue && len(list) > 0 {
		return errReported
	}
	return nil
}

func writeQueue(w io.Writer, list []queueLine) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "nothing waits")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DUE\tSTATE\tREGISTERED\tCLIENT ID\tREVISION\tNAME\tMADE BY\tCONTACT\tSENDS PEOPLE TO")
	for _, l := range list {
		name := printable(l.Name)
		if len(l.Alike) > 0 {
			name += " (same name as " + strings.Join(l.Alike, ", ") + ")"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", l.Review.due(), l.Review.State, l.Review.RegisteredAt.UTC().Format(time.DateOnly), l.ID, l.Revision,
			name, printable(l.Maker), printable(strings.Join(l.Contacts, ", ")), printable(strings.Join(l.Redirects, " ")))
	}
	return table.Flush()
}

// decide sends a decision about an app and prints a sentence, or the app as JSON.
func (c clientID) decide(s *session, verb, sentence string, words map[string]any) error {
	in, err := json.Marshal(words)
	if err != nil {
		return err
	}
	var v clientView
	answer, err := c.ask(s, http.MethodPost, c.path()+"/"+verb, in, &v)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		name, _ := v.Registration["client_name"].(string)
		if v.Review != nil && !v.Review.Due.IsZero() {
			sentence += "; due " + v.Review.due()
		}
		_, err := fmt.Fprintf(w, "%s (%s) %s\n", printable(name), c.ID, sentence)
		return err
	})
}

type clientAskCommand struct {
	clientID
	Question string `required:"" help:"What the developer has to show; they read it on their page."`
}

// Run asks the developer.
func (c *clientAskCommand) Run(s *session) error {
	return c.decide(s, "ask", "waits for its developer; the clock runs on", map[string]any{"question": c.Question})
}

type clientApproveCommand struct {
	clientID
	VerifyOnly bool  `help:"Only say that you know who makes it; approve it again to let it ask people."`
	Revision   int64 `help:"The revision that you have looked at, as the queue tells it: an app that has changed since is not approved. Without it, the app as it is now." placeholder:"N"`
}

// Run approves the app, and prints who and what was approved.
func (c *clientApproveCommand) Run(s *session) error {
	var v clientView
	if _, err := c.ask(s, http.MethodGet, c.path(), nil, &v); err != nil {
		return err
	}
	revision := c.Revision
	if revision == 0 {
		revision = v.Revision
	}
	of := fmt.Sprintf(" (made by %s, sends people to %s)", words(v.Registration["emberlatch_maker"]), words(v.Registration["redirect_uris"]))
	in := map[string]any{"revision": revision}
	if c.VerifyOnly {
		return c.decide(s, "verify", "is verified, and not enabled yet"+of, in)
	}
	return c.decide(s, "approve", "may ask people, who read that it is checked"+of, in)
}

type clientDeclineCommand struct {
	clientID
	Reason string `required:"" help:"Why; the developer reads it."`
}

// Run declines the app.
func (c *clientDeclineCommand) Run(s *session) error {
	return c.decide(s, "decline", "is declined; what it was given has ended", map[string]any{"reason": c.Reason})
}

type clientSuspendCommand struct {
	clientID
	Reason string `help:"Why; the developer reads it."`
}

// Run suspends the app.
func (c *clientSuspendCommand) Run(s *session) error {
	return c.decide(s, "suspend", "is stopped everywhere, and its access has ended", map[string]any{"reason": c.Reason})
}
